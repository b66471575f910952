"""Alignment of two runs: which step of one is which of the other, by causal place first, then by content.

From the outside inwards, in each scope, what runs inside the same step of both. A kind and name that occur once
in each say by themselves which step is which. Of others those with the same question are paired, in the longest order
common to both, then the most alike between them: a step that was inserted shifts none of the others.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from typing import Final, TypeVar

from otel_mas.analyse.diff.content import StepContent
from otel_mas.analyse.diff.matching import Likeness, Matching
from otel_mas.analyse.diff.sequences import Pair
from otel_mas.analyse.diff.step_tree import OTHER, Key, StepTree

NOTHING: Final = -1
T = TypeVar("T")
Sides = tuple[T, T]
Token = Callable[[StepContent, int], Hashable | None]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which step of one run is which of the other, by number; -1 of a step that the other run lacks."""

    of_a: Sequence[int]
    of_b: Sequence[int]
    moved: frozenset[int]
    """Steps of the second run that come in another order, and not only because they run side by side."""


class Shapes:
    """A digest of what each step is and of all that is inside it, without content."""

    def __init__(self, tree: StepTree) -> None:
        self.of: list[bytes] = [b""] * len(tree)
        for step in tree.from_inside():
            digest = blake2b(repr(tree.key(step)).encode(), digest_size=8)
            for child in tree.children[step]:
                digest.update(self.of[child])
            self.of[step] = digest.digest()


def align(one: StepContent, other: StepContent) -> Alignment:
    """Align two runs. With the sides changed over it is the same alignment."""
    return _Aligner(one, other).aligned()


def _exchange(content: StepContent, step: int) -> Hashable | None:
    question = content.question(step)
    return None if question is None else (question, content.answer(step))


def _asked(content: StepContent, step: int) -> Hashable | None:
    return content.question(step)


class _Aligner:
    def __init__(self, one: StepContent, other: StepContent) -> None:
        self._sides = one, other
        self._shapes = Shapes(one.tree), Shapes(other.tree)
        self._of = array("q", [NOTHING]) * len(one.tree), array("q", [NOTHING]) * len(other.tree)
        self._moved: set[int] = set()

    def aligned(self) -> Alignment:
        a, b = (side.tree for side in self._sides)
        waiting = [(a.roots, b.roots)]
        while waiting:
            some, others = waiting.pop()
            if not some or not others:
                continue
            for i, j in self._scope(self._unwrapped(0, some, others), self._unwrapped(1, others, some)):
                self._of[0][i], self._of[1][j] = j, i
                waiting.append((a.children[i], b.children[j]))
        return Alignment(*self._of, frozenset(self._moved))

    def _unwrapped(self, side: int, steps: Sequence[int], others: Sequence[int]) -> Sequence[int]:
        """The steps, with what is inside of spans of other code that only this run has around it beside them."""
        tree, its = self._sides[side].tree, self._sides[1 - side].tree
        if not any(_is_wrapper(tree, step) for step in steps):
            return steps
        known = {its.key(one) for one in others}
        wrapped = {its.key(one) for one in _inside_wrappers(its, others) if its.kind[one] != OTHER}
        found: list[int] = []
        waiting = [*reversed(steps)]
        while waiting:
            step = waiting.pop()
            found.append(step)
            if _is_wrapper(tree, step) and tree.key(step) not in known:
                inside = (tree.key(one) for one in _inside_wrappers(tree, [step]))
                if any(key in known or key in wrapped for key in inside):
                    waiting += reversed(tree.children[step])
        return found

    def _scope(self, some: Sequence[int], others: Sequence[int]) -> Iterable[Pair]:
        """The pairs among the steps of one scope."""
        a, b = (side.tree for side in self._sides)
        keys = [a.key(one) for one in some], [b.key(one) for one in others]
        matching = Matching(*keys)
        repeated = _repeated(keys)
        if repeated:
            self._match_content(matching, (some, others), keys, repeated)
        matching.match(*keys)
        matching.match_across(*keys, once=True)
        self._match_renamed(matching, some, others)
        pairs = [(some[i], others[j]) for i, j in matching.pairs]
        self._moved.update(self._out_of_order([(some[i], others[j]) for i, j in matching.crossing], pairs))
        return pairs

    def _match_content(
        self, matching: Matching, steps: Sides[Sequence[int]], keys: Sides[Sequence[Key]], repeated: frozenset[Key]
    ) -> None:
        whole = list(self._tokens(_exchange, steps, keys, repeated))
        matching.match(*whole)
        if matching.is_open:
            asked = list(self._tokens(_asked, steps, keys, repeated))
            matching.match(*asked)
            matching.match_across(*asked, once=True)
        if matching.is_open:
            matching.match_similar(self._likeness(*steps), lambda: self._all(*steps))
            matching.match_across(*whole, once=False)

    def _tokens(
        self, token: Token, steps: Sides[Sequence[int]], keys: Sides[Sequence[Key]], repeated: frozenset[Key]
    ) -> Iterator[Sequence[Hashable | None]]:
        """By side a token for each step: of a key that occurs once in each the key alone says which step it is."""
        for side, own, own_keys in zip(self._sides, steps, keys, strict=True):
            found: list[Hashable | None] = []
            for step, key in zip(own, own_keys, strict=True):
                value = token(side, step) if key in repeated else ""
                found.append(None if value is None else (key, _digest(value)))
            yield found

    def _all(self, *steps: Sequence[int]) -> Iterator[Sequence[Hashable]]:
        """By side all that is known of each step, for stretches in which there are too many to compare each two."""
        for side, shapes, own in zip(self._sides, self._shapes, steps, strict=True):
            yield [_digest((shapes.of[one], side.question(one), side.answer(one))) for one in own]

    def _likeness(self, *steps: Sequence[int]) -> Sides[Callable[[int], Likeness]]:
        def of(side: int) -> Callable[[int], Likeness]:
            content, shapes, own = self._sides[side], self._shapes[side], steps[side]
            return lambda place: Likeness(content.words(own[place]), shapes.of[own[place]])

        return of(0), of(1)

    def _match_renamed(self, matching: Matching, some: Sequence[int], others: Sequence[int]) -> None:
        """Steps of one kind, of other names, at the same place: with the same inside or content, or the only ones."""
        if not matching.is_open:
            return
        a, b = (side.tree for side in self._sides)
        if len(some) == len(others) == 1 and a.kind[some[0]] == b.kind[others[0]]:
            matching.match([0], [0])
            return
        for inside in (True, False):
            tokens: list[list[Hashable | None]] = []
            for side, shapes, steps in zip(self._sides, self._shapes, (some, others), strict=True):
                free = matching.free[len(tokens)]
                found = [_unnamed(side, shapes, one, inside) if at in free else None for at, one in enumerate(steps)]
                tokens.append(found)
            matching.match(*tokens)

    def _out_of_order(self, crossing: Sequence[Pair], pairs: Sequence[Pair]) -> Iterable[int]:
        """Those of the pairs that one run has before another pair, and the other run after it."""
        if not crossing:
            return
        a, b = (side.tree for side in self._sides)
        after = _Extremes([(a.turn_start[i], b.turn_end[j]) for i, j in pairs], min)
        before = _Extremes([(a.turn_end[i], b.turn_start[j]) for i, j in pairs], max)
        for i, j in crossing:
            first = after.from_on(a.turn_end[i])
            last = before.up_to(a.turn_start[i])
            if (first is not None and first <= b.turn_start[j]) or (last is not None and last >= b.turn_end[j]):
                yield j


def _is_wrapper(tree: StepTree, step: int) -> bool:
    return tree.kind[step] == OTHER and bool(tree.children[step])


def _inside_wrappers(tree: StepTree, steps: Sequence[int]) -> Iterator[int]:
    """Steps inside of spans of other code, through several of them."""
    waiting = [child for step in steps if tree.kind[step] == OTHER for child in tree.children[step]]
    while waiting:
        step = waiting.pop()
        yield step
        if tree.kind[step] == OTHER:
            waiting += tree.children[step]


def _unnamed(content: StepContent, shapes: Shapes, step: int, inside: bool) -> Hashable | None:
    """A step without its name: its inside, or its question and answer."""
    tree = content.tree
    if inside:
        found: Hashable = tuple(shapes.of[child] for child in tree.children[step])
    else:
        found = _exchange(content, step) or content.answer(step)
    return (tree.kind[step], _digest(found)) if found else None


def _digest(value: object) -> bytes:
    return blake2b(repr(value).encode(errors="replace"), digest_size=16).digest()


def _repeated(keys: Sides[Sequence[Key]]) -> frozenset[Key]:
    """Keys that do not tell by themselves which step is which."""
    counts = [Counter(side) for side in keys]
    return frozenset(key for key in counts[0] if key in counts[1] and max(count[key] for count in counts) > 1)


class _Extremes:
    """Least, or greatest, second times of pairs, among those whose first time is late, or early, enough."""

    def __init__(self, pairs: Sequence[tuple[int, int]], best: Callable[[int, int], int]) -> None:
        ordered = sorted(pairs)
        self._times = [first for first, _ in ordered]
        values = [second for _, second in ordered]
        self._upto = list(accumulate(values, best))
        self._from = list(accumulate(reversed(values), best))[::-1]

    def from_on(self, time: int) -> int | None:
        place = bisect_left(self._times, time)
        return self._from[place] if place < len(self._from) else None

    def up_to(self, time: int) -> int | None:
        place = bisect_right(self._times, time)
        return self._upto[place - 1] if place else None


__all__ = ["NOTHING", "Alignment", "align"]
