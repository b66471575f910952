"""Percentiles of durations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which this share (0 to 1) of the values lies, with linear interpolation between neighbours.

    Method 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996): the default of numpy, pandas and R.

    Args:
        ordered: The values in ascending order, at least one.
    """
    position = share * (len(ordered) - 1)
    below = int(position)
    value = ordered[below]
    if below + 1 < len(ordered):
        value += (position - below) * (ordered[below + 1] - value)
    return value


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of `n` durations in ns; without any, all are 0.

    Of few values the high ones say little: fewer than 10 do not tell P90 from the longest, fewer than 100 not P99.
    """

    n: int = 0
    p50: int = 0
    p90: int = 0
    p99: int = 0
    longest: int = 0

    @classmethod
    def of(cls, durations: Iterable[int]) -> Self:
        """Percentiles of these durations, in any order."""
        ordered = sorted(durations)
        if not ordered:
            return cls()
        p50, p90, p99 = (round(percentile(ordered, share)) for share in (0.5, 0.9, 0.99))
        return cls(len(ordered), p50, p90, p99, ordered[-1])


__all__ = ["Percentiles", "percentile"]
