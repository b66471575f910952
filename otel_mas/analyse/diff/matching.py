"""Matching of two sequences of steps: a row of pairs in the same order in both, and pairs that cross it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from otel_mas.analyse.diff.sequences import Pair, common_subsequence

_MOST: Final = 400
"""Pairs of one stretch that are compared; in a longer one only what is equal counts, then the order."""
_ALONE: Final = 0.95
"""Cost of a step without a partner; that of two that have nothing in common is 1."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Words of a step's question and answer, and the shape of its inside: by these two steps are alike or not."""

    words: frozenset[str]
    shape: bytes

    def cost(self, other: Likeness) -> float:
        """0 for two that are the same, 1 for two that have nothing in common (Dice's coefficient of their words)."""
        total = len(self.words) + len(other.words)
        words = 2 * len(self.words & other.words) / total if total else 1.0
        return 1.0 - 0.8 * words - (0.2 if self.shape == other.shape else 0.0)


class Matching:
    """Pairs of places in two sequences, given the keys of both: a step is only ever paired with one of its own kind."""

    def __init__(self, keys: Sequence[Any], its_keys: Sequence[Any]) -> None:
        self._keys = keys, its_keys
        self._row: list[Pair] = []
        self.crossing: list[Pair] = []
        """Pairs whose order is not that of the row."""
        self.free = set(range(len(keys))), set(range(len(its_keys)))
        """Places without a partner."""

    @property
    def is_open(self) -> bool:
        """Whether both have places without a partner."""
        return all(self.free)

    @property
    def pairs(self) -> list[Pair]:
        """All pairs."""
        return [*self._row, *self.crossing]

    def match(self, tokens: Sequence[Any], its_tokens: Sequence[Any]) -> None:
        """Pair places with equal tokens between those of the row."""
        for gap, its_gap in self._gaps():
            mine = [i for i in gap if tokens[i] is not None]
            its = [j for j in its_gap if its_tokens[j] is not None]
            found = _common([tokens[i] for i in mine], [its_tokens[j] for j in its])
            self._add([(mine[i], its[j]) for i, j in found])
        self._row.sort()

    def match_across(self, tokens: Sequence[Any], its_tokens: Sequence[Any], *, once: bool) -> None:
        """Pair free places with equal tokens wherever they are; if `once`, only those that each side has once."""
        if not self.is_open:
            return
        counts, its_counts = Counter(tokens), Counter(its_tokens)
        places: defaultdict[Hashable, list[int]] = defaultdict(list)
        for j in sorted(self.free[1], reverse=True):
            if its_tokens[j] is not None and not (once and its_counts[its_tokens[j]] > 1):
                places[its_tokens[j]].append(j)
        found = [
            (i, places[tokens[i]].pop())
            for i in sorted(self.free[0])
            if places.get(tokens[i]) and not (once and counts[tokens[i]] > 1)
        ]
        self.crossing += found
        self._take(found)

    def match_similar(
        self,
        likeness: tuple[Callable[[int], Likeness], Callable[[int], Likeness]],
        whole: Callable[[], Iterator[Sequence[Any]]],
    ) -> None:
        """Pair places with equal keys between those of the row, the most alike.

        Args:
            likeness: by side, of the step at a place.
            whole: by side a token for all that is known of each step, for stretches that are long.
        """
        if any(len(gap) * len(its_gap) > _MOST for gap, its_gap in self._gaps()):
            self.match(*whole())
        keys, its_keys = self._keys
        for gap, its_gap in self._gaps():
            if len(gap) * len(its_gap) > _MOST:
                continue
            shared = {keys[i] for i in gap} & {its_keys[j] for j in its_gap}
            mine, its = [i for i in gap if keys[i] in shared], [j for j in its_gap if its_keys[j] in shared]
            one = _Gap([keys[i] for i in mine], [likeness[0](i) for i in mine])
            other = _Gap([its_keys[j] for j in its], [likeness[1](j) for j in its])
            self._add([(mine[i], its[j]) for i, j in _cheapest(one, other)])
        self._row.sort()

    def _gaps(self) -> list[tuple[list[int], list[int]]]:
        """Free places between the pairs of the row, where both have some."""
        if not self.is_open:
            return []
        free, its_free = (sorted(places) for places in self.free)
        sizes = len(self._keys[0]), len(self._keys[1])
        found = []
        for (i, j), (end, its_end) in pairwise([(-1, -1), *self._row, sizes]):
            gap = free[bisect_right(free, i) : bisect_left(free, end)]
            its_gap = its_free[bisect_right(its_free, j) : bisect_left(its_free, its_end)]
            if gap and its_gap:
                found.append((gap, its_gap))
        return found

    def _add(self, pairs: Sequence[Pair]) -> None:
        self._row += pairs
        self._take(pairs)

    def _take(self, pairs: Iterable[Pair]) -> None:
        for i, j in pairs:
            self.free[0].discard(i)
            self.free[1].discard(j)


def _common(one: list[Any], other: list[Any]) -> Sequence[Pair]:
    """A common subsequence that does not depend on which side is first, though ties are decided by that."""
    if one <= other:
        return common_subsequence(one, other)
    return [(i, j) for j, i in common_subsequence(other, one)]


@dataclass(frozen=True, slots=True)
class _Gap:
    keys: Sequence[Any]
    likeness: Sequence[Likeness]

    def ordered(self) -> object:
        return self.keys, [(sorted(one.words), one.shape) for one in self.likeness]


def _cheapest(one: _Gap, other: _Gap) -> Sequence[Pair]:
    """Pairs of places with equal keys in the same order in both, at the least cost (Needleman and Wunsch 1970)."""
    if one.ordered() > other.ordered():  # type: ignore[operator]
        return [(i, j) for j, i in _cheapest(other, one)]
    rows, columns = len(one.keys), len(other.keys)
    costs = [
        [a.cost(b) if key == its_key else None for its_key, b in zip(other.keys, other.likeness, strict=True)]
        for key, a in zip(one.keys, one.likeness, strict=True)
    ]
    least = [[_ALONE * (rows - i + columns - j) for j in range(columns + 1)] for i in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            cost = costs[i][j]
            together = None if cost is None else least[i + 1][j + 1] + cost
            alone = min(least[i + 1][j], least[i][j + 1]) + _ALONE
            least[i][j] = alone if together is None else min(alone, together)
    found = []
    i = j = 0
    while i < rows and j < columns:
        cost = costs[i][j]
        if cost is not None and least[i][j] == least[i + 1][j + 1] + cost:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif least[i][j] == least[i + 1][j] + _ALONE:
            i += 1
        else:
            j += 1
    return found


__all__ = ["Likeness", "Matching"]
