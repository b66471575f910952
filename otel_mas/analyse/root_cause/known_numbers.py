"""Numbers that were written so far, and numbers that follow from none of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from math import inf, isclose

from otel_mas.analyse.root_cause.values import COUNT, numbers_in

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
"""Days; nothing is computed of their parts."""
_RECENT = 60
"""Numbers of which others may be computed, the latest ones."""
_ROUNDED, _RELATIVE = 1, 1e-6
"""By how much a number may differ from what it was computed as: it was rounded, up or down."""


class KnownNumbers:
    """Numbers of texts, in the order in which these were written."""

    def __init__(self) -> None:
        self.all: set[str] = set()
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._sorted: Sequence[float] | None = None

    def add(self, text: str, numbers: frozenset[str]) -> None:
        """Note a text, and all numbers in it."""
        new = numbers - self.all
        if new and _DAY.search(text) is not None:
            new = numbers_in(_DAY.sub(" ", text)) - self.all
        if new:
            self._recent.extend(sorted(map(float, new)))
            self._sorted = None
        self.all |= numbers

    def unexplained(self, numbers: Collection[str], given: Sequence[float] = ()) -> Iterator[str]:
        """Those that nobody wrote and that follow from none that somebody did, sorted; no counts, nor 10, 100.

        Each is looked at when it is asked for.

        Args:
            numbers: as `numbers_in` gives them.
            given: numbers of which one may be the sum or the mean.
        """
        odd = [number for number in numbers if number not in self.all and _is_telling(number)]
        sums = (sum(given), sum(given) / max(1, len(given))) if odd else ()
        for number in sorted(odd):
            size = abs(float(number))
            if not any(_same(size, sum_) for sum_ in sums) and not _follows(size, self._known()):
                yield number

    def _known(self) -> Sequence[float]:
        if self._sorted is None:
            self._sorted = [*sorted(self._recent), inf]
        return self._sorted


def _is_telling(number: str) -> bool:
    return "." in number or (number.strip("0") != "1" and abs(float(number)) >= COUNT)


def _follows(number: float, known: Sequence[float]) -> bool:
    """Whether a number is the sum, difference, product or quotient of two that are known.

    With one of them fixed, the other one lies in an interval; bisection finds whether any does.

    Args:
        known: sorted, with infinity at its end.
    """
    off = max(_ROUNDED, 2 * _RELATIVE * number)
    low, high = number - off, number + off
    for at, one in enumerate(known[:-1]):
        if one > 0:
            first, last, top, bottom = low / one, high / one, low * one, high * one
        elif one < 0:
            first, last, top, bottom = high / one, low / one, high * one, low * one
        else:
            first, last, top, bottom = -inf if number < _ROUNDED else inf, 0.0, inf, 0.0
        if (
            known[bisect_left(known, low - one)] <= high - one
            or known[bisect_left(known, one - high)] <= one - low
            or known[bisect_left(known, first)] <= last
            or known[bisect_left(known, top)] <= bottom
        ) and any(_is_result(number, one, other) for place, other in enumerate(known[:-1]) if place != at):
            return True
    return False


def _is_result(number: float, one: float, other: float) -> bool:
    results = (one + other, abs(one - other), one * other, other / one if one else inf, one / other if other else inf)
    return any(_same(number, result) for result in results)


def _same(number: float, other: float) -> bool:
    return isclose(number, other, rel_tol=_RELATIVE) or abs(number - other) < _ROUNDED


__all__ = ["KnownNumbers"]
