"""The beginning of a trace id, as people give it."""

from __future__ import annotations

from otel_mas.errors import TraceNotFound

SHORTEST_BEGINNING = 4
"""Digits that are enough, where only one trace begins like that."""


def beginning_of_id(trace_id: str) -> str:
    """An id, or the beginning of one, in lower case. Raises TraceNotFound where it is neither."""
    wanted = trace_id.strip().lower()
    if not SHORTEST_BEGINNING <= len(wanted) <= 32 or wanted.strip("0123456789abcdef"):
        digits = f"give 32 hex digits, or the first {SHORTEST_BEGINNING} or more of them"
        raise TraceNotFound(f"{trace_id!r} is no trace id: {digits}")
    return wanted


__all__ = ["beginning_of_id"]
