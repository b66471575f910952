"""Words about fields that several documents share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InFrames:
    """Name of a field in data frames, if it is not the field's own; None leaves it out."""

    name: str | None


OMITTED = InFrames(None)
TIME = ": nanoseconds since the Unix epoch"
PROBLEMS = "what is wrong with the traces, in words"

__all__ = ["OMITTED", "PROBLEMS", "TIME", "InFrames"]
