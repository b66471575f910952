"""Spans that a source has got since one looked last."""

from __future__ import annotations

from dataclasses import dataclass

from otel_mas.model.span import Span


@dataclass(frozen=True, slots=True)
class Changes:
    """Spans that have begun or ended, of any number of traces."""

    opened: tuple[Span, ...]
    """Spans that are newly open. One that ended at once is only among `ended`."""
    ended: tuple[Span, ...]
    """In the order in which they were stored."""
    running: frozenset[str]
    """Traces with an open span of a process that is alive."""
    stopped: frozenset[str]
    """Traces with an open span of a process that is not."""


__all__ = ["Changes"]
