"""Proportions: Fisher's exact test of two, and Wilson's interval of one, in plain Python."""

from __future__ import annotations

from math import comb, sqrt
from statistics import NormalDist


def fisher_p(a: int, of_a: int, b: int, of_b: int) -> float:
    """Two-sided p-value that a of `of_a` and b of `of_b` come from the same share (Fisher 1922, exact)."""
    both, total = a + b, comb(of_a + of_b, a + b)
    seen = comb(of_a, a) * comb(of_b, b)
    low, high = max(0, both - of_b), min(of_a, both)
    likely = (comb(of_a, k) * comb(of_b, both - k) for k in range(low, high + 1))
    return sum(one for one in likely if one <= seen) / total


def wilson_interval(a: int, of_a: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval that holds the share of which a of `of_a` were seen (Wilson 1927, score interval without correction).

    Of nothing seen it is 0 to 1.
    """
    if of_a <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = a / of_a, z * z / of_a
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * sqrt(share * (1 - share) / of_a + weight / (4 * of_a))
    return (0.0 if a == 0 else middle - half), (1.0 if a == of_a else middle + half)


__all__ = ["fisher_p", "wilson_interval"]
