"""Two proportions compared by Fisher's exact test, in plain Python."""

from __future__ import annotations

from math import comb


def fisher_p(a: int, of_a: int, b: int, of_b: int) -> float:
    """Two-sided p-value that a of `of_a` and b of `of_b` come from the same share (Fisher 1922, exact)."""
    both, total = a + b, comb(of_a + of_b, a + b)
    seen = comb(of_a, a) * comb(of_b, b)
    low, high = max(0, both - of_b), min(of_a, both)
    likely = (comb(of_a, k) * comb(of_b, both - k) for k in range(low, high + 1))
    return sum(one for one in likely if one <= seen) / total


__all__ = ["fisher_p"]
