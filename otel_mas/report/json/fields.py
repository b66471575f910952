"""Words about fields that several documents share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InFrames:
    """Name of a field in data frames, if it is not the field's own; None leaves it out."""

    name: str | None


OMITTED = InFrames(None)
TIME = ": nanoseconds since the Unix epoch"
PROBABILITY = "of an inferred edge, from 0 to 1: how often one said on the same grounds is right; null: not known"
PROBLEMS = "what is wrong with the traces, in words"

__all__ = ["OMITTED", "PROBABILITY", "PROBLEMS", "TIME", "InFrames"]
