"""Counters of profiled functions, kept on the span that they run in until it ends."""

from __future__ import annotations

from typing import Any

MOST_FUNCTIONS = 1_000
"""Functions of one span; calls of further ones are not counted."""

Counters = list[int]
"""Calls, errors, total, self, running, longest; times in ns."""


def counters_of(span: Any, name: str) -> Counters | None:
    """The counters of a function in a span, where it has none yet; None where it can have none."""
    known: dict[str, Counters] | None = getattr(span, "functions", None)
    if known is None:
        if not span.is_recording():
            return None
        known = span.__dict__.setdefault("functions", {})  # in one step: threads that come first share it
    if name not in known and len(known) >= MOST_FUNCTIONS:
        return None
    return known.setdefault(name, [0, 0, 0, 0, 0, 0])


def encoded(functions: dict[str, Counters]) -> tuple[str, ...]:
    """The value of `mas.functions`."""
    return tuple([f"{name}|{'|'.join(map(str, counters))}" for name, counters in functions.copy().items()])


__all__ = ["MOST_FUNCTIONS", "Counters", "counters_of", "encoded"]
