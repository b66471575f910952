"""Nesting of the spans of a schedule: what is inside of each, and whether it waits for anything outside."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from otel_mas.causal.ancestors import Ancestors
from otel_mas.causal.forest import ROOT
from otel_mas.causal.schedule.dependencies import NOTHING, Dependencies


class Nesting:
    """Spans in the order of a walk through the forest, so that those inside of one follow it directly."""

    def __init__(self, waits: Dependencies) -> None:
        self._waits = waits
        self._walk, self._size = _walk(waits)
        self._at = array("q", [0]) * waits.count
        for at, span in enumerate(self._walk):
            self._at[span] = at
        self.closed = self._closed()
        """By span: all inside waits for nothing outside but its start; outside, nothing waits for more than its end."""

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

    def _closed(self) -> bytearray:
        """Count at each span the edges that cross its border: those that have one end inside."""
        waits, parent = self._waits, self._waits.parent
        crossing = array("q", [0]) * waits.count
        ancestors: Ancestors | None = None
        loose = [span for span in range(waits.count) if waits.before[span] == NOTHING]
        for span in (*loose, *waits.roots):  # roots: called tasks may be some
            if parent[span] != ROOT:
                crossing[parent[span]] += 1
        for event, causes in waits.causes.items():
            effect = event % waits.count
            for one in causes:
                if one >= waits.first_join:
                    continue  # of siblings
                cause = one % waits.count
                if parent[cause] == parent[effect] and event < waits.count:
                    continue
                ancestors = ancestors or Ancestors(parent)
                fork = ancestors.fork(cause, effect)
                for end, branch in zip((cause, effect), fork or (ROOT, ROOT), strict=True):
                    if branch == ROOT:
                        crossing[end] += 1
                    elif end != branch:
                        crossing[parent[end]] += 1
                        if parent[branch] != ROOT:
                            crossing[parent[branch]] -= 1
        for span in reversed(self._walk):
            if parent[span] != ROOT:
                crossing[parent[span]] += crossing[span]
        return bytearray(not edges for edges in crossing)


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
