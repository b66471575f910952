"""Causes lifted to siblings, as the critical path needs them."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from otel_mas.causal.ancestors import Ancestors
from otel_mas.causal.deliveries import Deliveries, apart, deliveries
from otel_mas.causal.forest import ROOT, Forest, list_children
from otel_mas.causal.links import NONE, Links
from otel_mas.semconv import LinkKind

_CALL = LinkKind.CALL.value
_MESSAGE = LinkKind.MESSAGE.value


class Predecessor(NamedTuple):
    """`sibling` comes before a span: `cause` is it or lies inside it, and `effect` is that span or lies inside it."""

    sibling: int
    cause: int
    effect: int
    kind: str


@dataclass(frozen=True, slots=True)
class SiblingLinks:
    """Blocking relation: the forest with called tasks inside their callers, and the predecessors of each span in it."""

    parent: array[int]
    head: array[int]
    following: array[int]
    links: Links
    forks: dict[int, list[Predecessor]]
    """By the effect's side: causes and effects that are not siblings themselves."""
    deliveries: Deliveries
    roots: list[int]
    """The roots of the forest, and consumers that are apart from their producers, in start order."""

    def predecessors(self, span: int) -> list[Predecessor]:
        """Predecessors of a span among its siblings."""
        links, above, edge = self.links, self.parent[span], self.links.first[span]
        found = []
        while edge != NONE:
            cause = links.cause[edge]
            if cause >= 0 and self.parent[cause] == above and cause != span:
                found.append(Predecessor(cause, cause, span, links.kind[edge]))
            edge = links.following[edge]
        if span in self.forks:
            found += self.forks[span]
        return found


def lift_to_siblings(forest: Forest, links: Links) -> SiblingLinks:
    """Lift every cause to the ancestor that is a sibling of its effect's ancestor.

    A cause deep inside one branch and an effect deep inside another are lifted to where their branches fork. A cause
    inside its own effect, or around it, does not count; nor does a `message` from one branch to another, which may
    have been written long before.
    """
    parent, head, following = forest.parent, forest.head, forest.following
    called, delivered = _called(forest, links), deliveries(forest, links)
    if called:
        parent = parent[:]
        for effect, caller in called.items():
            parent[effect] = caller
    parent = apart(forest, parent, delivered)
    if parent is not forest.parent:
        head, following = list_children(parent)
    ancestors: Ancestors | None = None
    forks: dict[int, list[Predecessor]] = defaultdict(list)
    for cause, effect, kind in zip(links.cause, links.effect, links.kind, strict=True):
        if cause < 0 or parent[cause] == parent[effect] or kind == _MESSAGE:
            continue
        ancestors = ancestors or Ancestors(parent)
        fork = ancestors.fork(cause, effect)
        if fork is not None:
            sibling, above = fork
            forks[above].append(Predecessor(sibling, cause, effect, kind))
    apart_from = () if parent is forest.parent or not delivered else enumerate(parent)
    roots = sorted({*forest.roots, *(span for span, above in apart_from if above == ROOT)})
    return SiblingLinks(parent, head, following, links, forks, delivered, roots)


def _called(forest: Forest, links: Links) -> dict[int, int]:
    """Functional-API tasks and their callers: the spans are side by side, but the caller waits as a parent does.

    A caller comes before what it calls, so that no cycle can arise.
    """
    called: dict[int, int] = {}
    if _CALL not in links.kind:
        return called
    for cause, effect, kind in zip(links.cause, links.effect, links.kind, strict=True):
        if kind == _CALL and 0 <= cause < effect and forest.parent[cause] == forest.parent[effect]:
            called.setdefault(effect, cause)
    return called
