"""Longest common subsequences in nearly linear time: patience diff, and Myers' algorithm between its anchors.

Patience diff (Bram Cohen) keeps what occurs once on each side in the longest order common to both; "An O(ND) Difference
Algorithm and Its Variations" (Myers 1986) solves what lies between, as long as that differs in little.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import Final

_MOST_EDITS: Final = 200
"""Differences up to which Myers' algorithm is asked, which takes their square."""
Pair = tuple[int, int]


def common_subsequence(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[Pair]:
    """Places of equal items in the same order in both, in this order; as many as can be found quickly."""
    found: list[Pair] = []
    waiting = [(0, len(one), 0, len(other))]
    while waiting:
        begin, end, its_begin, its_end = waiting.pop()
        while begin < end and its_begin < its_end and one[begin] == other[its_begin]:
            found.append((begin, its_begin))
            begin, its_begin = begin + 1, its_begin + 1
        while begin < end and its_begin < its_end and one[end - 1] == other[its_end - 1]:
            end, its_end = end - 1, its_end - 1
            found.append((end, its_end))
        if begin == end or its_begin == its_end:
            continue
        anchors = _anchors(one, range(begin, end), other, range(its_begin, its_end))
        if not anchors:
            found += _between(one[begin:end], begin, other[its_begin:its_end], its_begin)
            continue
        for place, its_place in [*anchors, (end, its_end)]:
            waiting.append((begin, place, its_begin, its_place))
            begin, its_begin = place + 1, its_place + 1
        found += anchors
    return sorted(found)


def longest_increasing(values: Sequence[int]) -> list[int]:
    """Places of the longest subsequence that increases strictly."""
    tails: list[int] = []
    places: list[int] = []
    before = [-1] * len(values)
    for place, value in enumerate(values):
        length = bisect_left(tails, value)
        before[place] = places[length - 1] if length else -1
        if length == len(tails):
            tails.append(value)
            places.append(place)
        else:
            tails[length], places[length] = value, place
    found = []
    place = places[-1] if places else -1
    while place >= 0:
        found.append(place)
        place = before[place]
    return found[::-1]


def _anchors(one: Sequence[Hashable], span: range, other: Sequence[Hashable], its_span: range) -> list[Pair]:
    """Items that occur once on each side, in the longest order common to both."""
    counts, its_counts = Counter(one[i] for i in span), Counter(other[i] for i in its_span)
    its_places = {other[i]: i for i in its_span if its_counts[other[i]] == 1}
    pairs = [(i, its_places[one[i]]) for i in span if counts[one[i]] == 1 and one[i] in its_places]
    return [pairs[place] for place in longest_increasing([its for _, its in pairs])]


def _between(one: Sequence[Hashable], begin: int, other: Sequence[Hashable], its_begin: int) -> Iterator[Pair]:
    """Common items where none occurs once on each side."""
    shared = set(one) & set(other)
    mine = [i for i, item in enumerate(one) if item in shared]
    its = [i for i, item in enumerate(other) if item in shared]
    kept, its_kept = [one[i] for i in mine], [other[i] for i in its]
    pairs = _fewest_edits(kept, its_kept)
    for i, j in _by_occurrence(kept, its_kept) if pairs is None else pairs:
        yield begin + mine[i], its_begin + its[j]


def _fewest_edits(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[Pair] | None:
    """Myers' greedy algorithm; None where there are too many differences for it."""
    size, its_size = len(one), len(other)
    furthest = {1: 0}
    history: list[dict[int, int]] = []
    for edits in range(min(_MOST_EDITS, size + its_size) + 1):
        history.append(dict(furthest))
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (
                diagonal != edits and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
            )
            x = furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
            y = x - diagonal
            while x < size and y < its_size and one[x] == other[y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            if x >= size and y >= its_size:
                return _backtracked(history, size, its_size)
    return None


def _backtracked(history: Sequence[dict[int, int]], x: int, y: int) -> list[Pair]:
    found = []
    for edits in range(len(history) - 1, -1, -1):
        furthest = history[edits]
        diagonal = x - y
        down = diagonal == -edits or (
            diagonal != edits and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
        )
        previous = diagonal + 1 if down else diagonal - 1
        before = furthest[previous]
        start = (before, before - previous) if edits else (0, 0)
        while x > start[0] and y > start[1]:
            x, y = x - 1, y - 1
            found.append((x, y))
        x, y = start
    return found[::-1]


def _by_occurrence(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[Pair]:
    """The how-manieth of each item on one side beside the same on the other, in the longest common order."""
    places: dict[tuple[Hashable, int], int] = {}
    counts: Counter[Hashable] = Counter()
    for i, item in enumerate(other):
        counts[item] += 1
        places[item, counts[item]] = i
    pairs = []
    counts.clear()
    for i, item in enumerate(one):
        counts[item] += 1
        if (item, counts[item]) in places:
            pairs.append((i, places[item, counts[item]]))
    return [pairs[place] for place in longest_increasing([its for _, its in pairs])]


__all__ = ["Pair", "common_subsequence", "longest_increasing"]
