"""An ended span as the rules see it, whoever has it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from otel_mas.model import Span, StatusCode

Key = Hashable
"""Trace and span id, in any form that is the same for all spans of one reader."""


@dataclass(slots=True)
class EndedSpan:
    """Times are nanoseconds since the Unix epoch."""

    key: Key
    parent: Key | None
    start_ns: int
    end_ns: int
    failed: bool
    """Its status is an error."""
    get: Callable[[str], Any]
    """An attribute by its name; None where it has none."""
    causes: Sequence[tuple[Key, str]]
    """Key and `mas.link.kind` of each cause."""
    span: Any = None
    """The reader's own object of it, for exemplars."""


def ended(span: Span) -> EndedSpan:
    """A span of a source, which has ended."""
    trace = span.trace_id
    return EndedSpan(
        (trace, span.span_id),
        None if span.parent_span_id is None else (trace, span.parent_span_id),
        span.start_ns,
        span.last_ns,
        span.status is StatusCode.ERROR,
        span.get,
        [((link.trace_id, link.span_id), link.kind) for link in span.links if link.kind is not None],
        span,
    )


__all__ = ["EndedSpan", "Key", "ended"]
