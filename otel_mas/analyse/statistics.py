"""Statistical tests by scipy, and the correction for many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from math import comb
from typing import Any

from otel_mas.errors import MissingExtra

_MOST_EXACT = 40
"""Values in either set up to which the exact distribution of U is used, where no two values are equal."""
_MOST_POINTS = 1_000
"""Points that a trend is made of at most: the slopes between all pairs of them are half a million."""
FEWEST_POINTS = 10
"""Points below which there is no telling a trend."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A robust slope: the median of the slopes between all pairs of points (Theil 1950, Sen 1968).

    `low` and `high` bound the slope with a confidence of 95 %. Slopes are per hour.
    """

    slope: float
    low: float
    high: float
    n: int

    @property
    def direction(self) -> str:
        """`rising` or `falling` where the bounds are on one side of 0, else `none`."""
        return "rising" if self.low > 0 else "falling" if self.high < 0 else "none"


def trend(points: Sequence[tuple[int, float]]) -> Trend | None:
    """The trend of (time in ns, value); None for fewer than `FEWEST_POINTS`, or all at one time.

    Of more than 1,000 points evenly spaced ones are taken, in the order of time.

    Raises:
        MissingExtra: there is a trend to work out, and scipy is not installed.
    """
    ordered = sorted(points)
    if len(ordered) < FEWEST_POINTS or ordered[0][0] == ordered[-1][0]:
        return None
    stats = _scipy_stats()  # takes a second to load
    if len(ordered) > _MOST_POINTS:
        ordered = [ordered[place * (len(ordered) - 1) // (_MOST_POINTS - 1)] for place in range(_MOST_POINTS)]
    hours = [(time - ordered[0][0]) / 3.6e12 for time, _ in ordered]
    slope, _, low, high = stats.theilslopes([value for _, value in ordered], hours, alpha=0.95)
    return Trend(float(slope), float(low), float(high), len(ordered))


@dataclass(frozen=True, slots=True)
class TwoSampleTest:
    """Two sets compared.

    `effect` is Cliff's delta (the rank-biserial correlation), -1 to 1: how much more often a value of the second set is
    greater than one of the first than the reverse; of proportions their difference. `p` is two-sided; `least_p` the
    smallest that sets of these sizes (of proportions: with these sums) can have.
    """

    effect: float
    p: float
    least_p: float


def mann_whitney(before: Sequence[float], after: Sequence[float]) -> TwoSampleTest:
    """Mann-Whitney U test of two samples, which needs no distribution; neither may be empty.

    Exact for up to 40 values on either side without ties, else by the normal approximation, corrected for ties.

    Raises:
        MissingExtra: scipy is not installed.
    """
    stats = _scipy_stats()
    few = max(len(before), len(after)) <= _MOST_EXACT
    method = "exact" if few and len({*before, *after}) == len(before) + len(after) else "asymptotic"
    if len({*before, *after}) == 1:  # nothing to rank
        return TwoSampleTest(0.0, 1.0, 1.0)
    found = stats.mannwhitneyu(after, before, alternative="two-sided", method=method)
    effect = 2 * float(found.statistic) / (len(before) * len(after)) - 1
    least = min(1.0, 2 / comb(len(before) + len(after), len(before)))
    return TwoSampleTest(effect, float(found.pvalue), least)


def fisher(before: Sequence[bool], after: Sequence[bool]) -> TwoSampleTest:
    """Fisher's exact test of two proportions; neither may be empty.

    Raises:
        MissingExtra: scipy is not installed.
    """
    stats = _scipy_stats()
    n, m, hits = len(before), len(after), sum(before) + sum(after)
    found = stats.fisher_exact([[sum(before), n - sum(before)], [sum(after), m - sum(after)]])
    # The most extreme tables with these sums have all hits that fit on one side.
    ways = [comb(n, k) * comb(m, hits - k) for k in {min(hits, n), max(0, hits - m)}]
    least = sum(one for one in ways if one == min(ways)) / comb(n + m, hits)
    return TwoSampleTest(sum(after) / m - sum(before) / n, float(found.pvalue), min(1.0, least))


def holm(tests: Sequence[TwoSampleTest], alpha: float) -> list[float | None]:
    """Values of p adjusted for the number of tests, so that any false alarm among them is at most `alpha` likely.

    Holm (1979). Tests that could not reach significance with values as few as theirs are left out of the count, as
    Tarone (1990) does: None for them.
    """
    ordered = sorted(test.least_p for test in tests)
    counted = next(
        (k for k in range(1, len(tests) + 1) if sum(least <= alpha / k for least in ordered) <= k), len(tests)
    )
    able = [i for i, test in enumerate(tests) if test.least_p <= alpha / counted] if tests else []
    adjusted: list[float | None] = [None] * len(tests)
    highest = 0.0
    for rank, i in enumerate(sorted(able, key=lambda i: tests[i].p)):
        highest = max(highest, min(1.0, (len(able) - rank) * tests[i].p))
        adjusted[i] = highest
    return adjusted


def _scipy_stats() -> Any:
    try:
        return import_module("scipy.stats")
    except ImportError:
        raise MissingExtra("scipy is not installed: pip install otel-mas[statistics]") from None


__all__ = ["FEWEST_POINTS", "Trend", "TwoSampleTest", "fisher", "holm", "mann_whitney", "trend"]
