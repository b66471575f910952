"""Nesting of the spans of a schedule: what is inside of each, and whether it waits for anything outside."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from otel_mas.causal.ancestors import Ancestors
from otel_mas.causal.forest import ROOT
from otel_mas.causal.schedule.dependencies import NOTHING, Dependencies


class Nesting:
    """Spans in the order of a walk through the forest, so that those inside of one follow it directly."""

    def __init__(self, waits: Dependencies, place: Sequence[int]) -> None:
        """`place` is that of each event in the order of all."""
        self._waits = waits
        self._place = place
        self._walk, self._size = _walk(waits)
        self._at = array("q", [0]) * waits.count
        for at, span in enumerate(self._walk):
            self._at[span] = at
        self.closed = bytearray(waits.count)
        """By span: all inside waits for nothing outside but its start; outside, nothing waits for more than its end."""
        self.alone = bytearray(waits.count)
        """By span: likewise, but that what is inside may wait for what came before its start."""
        self._find_crossing()

    def children(self, span: int) -> Iterator[int]:
        """The spans directly inside of one."""
        child, siblings = self._waits.siblings.head[span], self._waits.siblings
        while child != ROOT:
            yield child
            child = siblings.following[child]

    def inside(self, span: int) -> Sequence[int]:
        """All spans inside of one, without itself."""
        at = self._at[span]
        return self._walk[at + 1 : at + self._size[span]]

    def _find_crossing(self) -> None:
        """Count at each span the edges that cross its border: those that have one end inside."""
        waits, parent = self._waits, self._waits.parent
        crossing, mattering = array("q", [0]) * waits.count, array("q", [0]) * waits.count
        loose = [span for span in range(waits.count) if waits.before[span] == NOTHING]
        for span in (*loose, *waits.roots):  # roots: called tasks may be some
            if parent[span] != ROOT:
                crossing[parent[span]] += 1
                mattering[parent[span]] += 1
        ancestors: Ancestors | None = None
        for event, causes in waits.causes.items():
            effect = event % waits.count
            for one in causes:
                if one >= waits.first_join:
                    continue  # of siblings
                cause = one % waits.count
                if parent[cause] == parent[effect] and event < waits.count:
                    continue
                ancestors = ancestors or Ancestors(parent)
                out, into = ancestors.fork(cause, effect) or (ROOT, ROOT)
                for counts in (crossing, mattering):
                    _count(counts, parent, cause, out)
                _count(crossing, parent, effect, into)
                reached = effect
                while into != ROOT and reached != into and self._place[parent[reached]] > self._place[one]:
                    reached = parent[reached]
                _count(mattering, parent, reached, into)
        for span in reversed(self._walk):
            if parent[span] != ROOT:
                crossing[parent[span]] += crossing[span]
                mattering[parent[span]] += mattering[span]
        self.closed = bytearray(not edges for edges in crossing)
        self.alone = bytearray(not edges for edges in mattering)


def _count(counts: array[int], parent: Sequence[int], end: int, branch: int) -> None:
    """Count an edge at the spans around one of its ends, up to the branch that it leaves: at all, if none is known."""
    if branch == ROOT:
        counts[end] += 1
    elif end != branch:
        counts[parent[end]] += 1
        if parent[branch] != ROOT:
            counts[parent[branch]] -= 1


def _walk(waits: Dependencies) -> tuple[array[int], array[int]]:
    """The spans, each before those inside of it, and how many each is with those."""
    parent, siblings = waits.parent, waits.siblings
    walk, size = array("q"), array("q", [1]) * waits.count
    stack = [span for span in siblings.roots if parent[span] == ROOT]
    while stack:
        span = stack.pop()
        walk.append(span)
        child = siblings.head[span]
        while child != ROOT:
            stack.append(child)
            child = siblings.following[child]
    for span in reversed(walk):
        if parent[span] != ROOT:
            size[parent[span]] += size[span]
    return walk, size


__all__ = ["Nesting"]
