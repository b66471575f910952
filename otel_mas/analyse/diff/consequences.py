"""Consequences of differences: which one each difference follows from, and where two runs differ first.

A difference follows from another one that lies among its causes: what its step waited for, what is around it, and for
what a step answered also what ran inside it. Causes are the recorded links; of steps without any, and of calls inside a
task, what was over when they began.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from otel_mas.analyse.diff.step_tree import TASK, StepTree
from otel_mas.causal.forest import ROOT
from otel_mas.semconv import LinkKind

NONE: Final = -1


@dataclass(frozen=True, slots=True)
class Differences:
    """The steps of one run that differ from the other run: by number the rank of the difference.

    Args:
        at_begin: already when they began: they are only here, come in another order, or were asked otherwise.
        at_end: only in what they answered, or in how they ended.
    """

    at_begin: Mapping[int, int]
    at_end: Mapping[int, int]


def origins(sides: Sequence[tuple[StepTree, Differences]]) -> dict[int, int]:
    """By the rank of each difference that of the one it follows from in the end: its own where it follows from none."""
    before: dict[int, int] = {}
    for tree, differences in sides:
        for rank, earlier in _Flow(tree, differences).preceding():
            known = before.get(rank, NONE)
            before[rank] = earlier if known == NONE else known if earlier == NONE else min(known, earlier)
    found: dict[int, int] = {}
    for rank in before:
        chain: list[int] = []
        at = rank
        while at not in found and at not in chain and before[at] != NONE:
            chain.append(at)
            at = before[at]
        # Where each is before the other, since the runs have another order, the first of them is the origin.
        origin = found.get(at, min(chain[chain.index(at) :]) if at in chain else at)
        found.update(dict.fromkeys([*chain, at], origin))
    return found


class _Flow:
    """Begin and end of each step of one run as a graph: a difference spreads along its edges."""

    def __init__(self, tree: StepTree, differences: Differences) -> None:
        self._tree = tree
        self._differences = differences
        self._edges: list[list[int]] = [[] for _ in range(2 * len(tree))]
        """By vertex those before it: 2 n is the begin of step n, 2 n + 1 its end, others are times between siblings."""
        controlled = self._follow_links()
        self._follow_nesting()
        for siblings in (tree.roots, *tree.children):
            self._follow_time(siblings, controlled)

    def preceding(self) -> Iterator[tuple[int, int]]:
        """Rank of each difference, and that of the one that it follows from directly, or -1."""
        spread = self._spread()
        begun, ended = self._differences.at_begin, self._differences.at_end
        for step, rank in begun.items():
            yield rank, spread[2 * step]
        for step, rank in ended.items():
            if step not in begun:
                yield rank, spread[2 * step + 1]

    def _follow_links(self) -> set[int]:
        """Add links; returns the tasks that have one: these say all that a task waited for."""
        tree, controlled = self._tree, set[int]()
        for cause, effect, kind, _ in tree.graph.links:
            if cause < 0:
                continue
            before, after = tree.step_of[cause], tree.step_of[effect]
            if before == after:
                continue
            waits = kind != LinkKind.CALL and not self._is_around(before, after)
            self._edges[2 * after].append(2 * before + waits)
            if kind != LinkKind.MESSAGE and tree.kind[after] == TASK:
                controlled.add(after)
        return controlled

    def _is_around(self, outer: int, step: int) -> bool:
        above = self._tree.parent[step]
        while above not in (ROOT, outer):
            above = self._tree.parent[above]
        return above == outer

    def _follow_nesting(self) -> None:
        for step, above in enumerate(self._tree.parent):
            self._edges[2 * step + 1].append(2 * step)
            if above != ROOT:
                self._edges[2 * step].append(2 * above)
                self._edges[2 * above + 1].append(2 * step + 1)

    def _follow_time(self, siblings: Sequence[int], controlled: set[int]) -> None:
        """Let each sibling follow those that were over: by a chain of times, so that there are no n² edges."""
        tree = self._tree
        waiting = [step for step in siblings if step not in controlled]
        if not waiting or len(siblings) < 2:
            return
        ordered = sorted(siblings, key=lambda step: tree.end[step])
        first = len(self._edges)
        for place, step in enumerate(ordered):
            self._edges.append([2 * step + 1, first + place - 1] if place else [2 * step + 1])
        ends = [tree.end[step] for step in ordered]
        own = {step: place for place, step in enumerate(ordered)}
        for step in waiting:
            place = min(bisect_right(ends, tree.start[step]), own[step]) - 1
            if place >= 0:
                self._edges[2 * step].append(first + place)

    def _spread(self) -> list[int]:
        """By vertex the rank of the nearest difference before it, the lowest of several, or -1."""
        found = [NONE] * len(self._edges)
        state = bytearray(len(self._edges))  # 1: begun, 2: done
        for first in range(len(self._edges)):
            waiting = [first]
            while waiting:
                vertex = waiting[-1]
                if not state[vertex]:
                    state[vertex] = 1
                    waiting += [one for one in self._edges[vertex] if not state[one]]
                    continue
                waiting.pop()
                if state[vertex] == 1:
                    state[vertex] = 2
                    ranks = [self._shown(one, found) for one in self._edges[vertex] if state[one] == 2]
                    found[vertex] = min((rank for rank in ranks if rank != NONE), default=NONE)
        return found

    def _shown(self, vertex: int, found: Sequence[int]) -> int:
        """The rank that what comes after a vertex sees: that of its own difference before any other."""
        step, ends = divmod(vertex, 2)
        if step < len(self._tree):
            if step in self._differences.at_begin:
                return self._differences.at_begin[step]
            if ends and step in self._differences.at_end:
                return self._differences.at_end[step]
        return found[vertex]


__all__ = ["Differences", "origins"]
