"""Lowest common ancestors of spans."""

from __future__ import annotations

from array import array

from otel_mas.causal.forest import ROOT


class Ancestors:
    """Ancestors in logarithmic time: one jump pointer per span (Myers' skew-binary ancestors)."""

    def __init__(self, parent: array[int]) -> None:
        self.parent = parent
        self.depth = array("q", [ROOT]) * len(parent)
        self.jump = array("q", range(len(parent)))
        for i in range(len(parent)):
            chain = []
            span = i
            while span != ROOT and self.depth[span] == ROOT:
                chain.append(span)
                span = parent[span]
            for below in reversed(chain):
                self._settle(below)

    def _settle(self, span: int) -> None:
        above = self.parent[span]
        if above == ROOT:
            self.depth[span] = 0
            return
        depth, jump = self.depth, self.jump
        depth[span] = depth[above] + 1
        far = jump[above]
        jump[span] = jump[far] if depth[above] - depth[far] == depth[far] - depth[jump[far]] else above

    def _ancestor(self, span: int, depth: int) -> int:
        while self.depth[span] > depth:
            far = self.jump[span]
            span = far if self.depth[far] >= depth else self.parent[span]
        return span

    def fork(self, one: int, other: int) -> tuple[int, int] | None:
        """The two siblings (or roots) that hold them; None where one is inside the other."""
        level = min(self.depth[one], self.depth[other])
        one, other = self._ancestor(one, level), self._ancestor(other, level)
        if one == other:
            return None
        parent, jump = self.parent, self.jump
        while parent[one] != parent[other]:
            if jump[one] != jump[other]:
                one, other = jump[one], jump[other]
            else:
                one, other = parent[one], parent[other]
        return one, other
