"""Lengths and differences of sets of intervals of time, each (start, end) in ns. Those that overlap count once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Interval = tuple[int, int]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as intervals that neither overlap nor touch, in order; those without a length are left out."""
    kept = sorted(interval for interval in intervals if interval[0] < interval[1])
    if not kept:
        return []
    merged: list[Interval] = []
    first, last = kept[0]
    for start, end in kept:
        if start > last:
            merged.append((first, last))
            first, last = start, end
        elif end > last:
            last = end
    merged.append((first, last))
    return merged


def length(merged: Iterable[Interval]) -> int:
    """The time in intervals that do not overlap, as `union` returns them."""
    return sum(end - start for start, end in merged)


def minus(merged: Sequence[Interval], removed: Sequence[Interval]) -> list[Interval]:
    """The part of the first that is in none of the second; both as `union` returns them. Linear."""
    left: list[Interval] = []
    at = 0
    for start, end in merged:
        while at < len(removed) and removed[at][1] <= start:
            at += 1
        here = at
        while here < len(removed) and removed[here][0] < end:
            begin, finish = removed[here]
            if begin > start:
                left.append((start, begin))
            start = max(start, finish)
            here += 1
        if start < end:
            left.append((start, end))
    return left


__all__ = ["Interval", "length", "minus", "union"]
