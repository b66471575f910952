"""Causes as the critical path needs them: between spans that are side by side."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from otel_mas.causal.causes import NONE, Links
from otel_mas.causal.tree import ROOT, Tree, list_children
from otel_mas.semconv import LinkKind

_CALL = LinkKind.CALL.value
_MESSAGE = LinkKind.MESSAGE.value


class Before(NamedTuple):
    """`beside` came before a span: `cause` is it or lies inside it, and `effect` is that span or lies inside it."""

    beside: int
    cause: int
    effect: int
    kind: str


@dataclass(frozen=True, slots=True)
class Lanes:
    """Who blocks whom: the tree in which a called task is inside its caller, and what came before each span in it."""

    parent: array[int]
    head: array[int]
    following: array[int]
    links: Links
    forks: dict[int, list[Before]]
    """By the effect's side: causes and effects that are not siblings themselves."""

    def before(self, span: int) -> list[Before]:
        """What is known to have come before a span, among its siblings."""
        links, above, edge = self.links, self.parent[span], self.links.first[span]
        found = []
        while edge != NONE:
            cause = links.cause[edge]
            if cause >= 0 and self.parent[cause] == above and cause != span:
                found.append(Before(cause, cause, span, links.kind[edge]))
            edge = links.following[edge]
        if span in self.forks:
            found += self.forks[span]
        return found


def side_by_side(tree: Tree, links: Links) -> Lanes:
    """Bring every cause up to where it and its effect are side by side.

    A cause deep inside one branch and an effect deep inside another lie side by side where their branches fork.
    What is inside its own effect, or has its effect inside, says nothing about who waited; nor does, from one branch to
    another, who read what: a message may have been there for long.
    """
    parent, head, following = tree.parent, tree.head, tree.following
    called = _called(tree, links)
    if called:
        parent = parent[:]
        for effect, caller in called.items():
            parent[effect] = caller
        head, following = list_children(parent)
    climb: _Climb | None = None
    forks: dict[int, list[Before]] = defaultdict(list)
    for cause, effect, kind in zip(links.cause, links.effect, links.kind, strict=True):
        if cause < 0 or parent[cause] == parent[effect] or kind == _MESSAGE:
            continue
        climb = climb or _Climb(parent)
        fork = climb.fork(cause, effect)
        if fork is not None:
            beside, above = fork
            forks[above].append(Before(beside, cause, effect, kind))
    return Lanes(parent, head, following, links, forks)


def _called(tree: Tree, links: Links) -> dict[int, int]:
    """Functional-API tasks and their callers: the spans are side by side, but the caller waits as a parent does.

    A caller comes before what it calls, so that no cycle can arise.
    """
    called: dict[int, int] = {}
    if _CALL not in links.kind:
        return called
    for cause, effect, kind in zip(links.cause, links.effect, links.kind, strict=True):
        if kind == _CALL and 0 <= cause < effect and tree.parent[cause] == tree.parent[effect]:
            called.setdefault(effect, cause)
    return called


class _Climb:
    """Where two branches fork, in logarithmic time: one jump pointer per span (Myers' skew-binary ancestors)."""

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
