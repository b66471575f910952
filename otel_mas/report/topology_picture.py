"""The picture of a mined topology, before it is drawn: what is in it, and the edges that lead back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from otel_mas.analyse.executions import ExecutionKind
from otel_mas.analyse.mining.topology import MinedEdge, MinedNode

Place = tuple[str, str, str]
"""Workflow, kind and name of a node; START and EARLIER are of the kind ""."""
MOST_EDGES = 200


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge between two nodes of a picture."""

    cause: Place
    effect: Place
    edge: MinedEdge


@dataclass(frozen=True)
class Picture:
    """Agents, nodes, tools and retrievers, and the edges between them. Models, which nearly all use, are left out."""

    arrows: Sequence[Arrow]
    nodes: Mapping[Place, MinedNode | None]
    """None of START and EARLIER."""
    left_out: int
    """Edges that are taken least, which are not drawn."""
    several: bool = field(default=False)
    """Whether it has several workflows."""

    @classmethod
    def of(
        cls,
        edges: Iterable[MinedEdge],
        nodes: Iterable[MinedNode],
        *,
        most: int | None = MOST_EDGES,
        models: bool = False,
    ) -> Picture:
        """The picture of the edges that are taken most."""
        wanted = [edge for edge in edges if models or edge.effect_kind != ExecutionKind.MODEL]
        kept = sorted(wanted, key=lambda edge: -edge.count)[:most]
        arrows = [Arrow(_cause(edge), (edge.workflow, edge.effect_kind, edge.effect), edge) for edge in kept]
        known = {(node.workflow, node.kind, node.name): node for node in nodes}
        places = dict.fromkeys(place for arrow in arrows for place in (arrow.cause, arrow.effect))
        several = len({place[0] for place in places}) > 1
        return cls(arrows, {place: known.get(place) for place in places}, len(wanted) - len(kept), several)

    def title(self, place: Place) -> str:
        """The name of a node; with the workflow where there are several."""
        workflow, _, name = place
        return f"{workflow}: {name}" if self.several else name

    @cached_property
    def layers(self) -> Mapping[Place, int]:
        """The place of each node from left to right: after every node that leads to it, but for edges that lead back.

        Longest paths over what is left when the edges that close a cycle on a depth-first walk are taken away.
        """
        following: dict[Place, list[Place]] = defaultdict(list)
        for arrow in self.arrows:
            if arrow.edge.kind != "message" and arrow.cause != arrow.effect:
                following[arrow.cause].append(arrow.effect)
        order = _finished(self.nodes, following)
        rank = {place: number for number, place in enumerate(order)}
        layers = dict.fromkeys(self.nodes, 0)
        for place in order:
            for effect in following[place]:
                if rank[effect] > rank[place]:
                    layers[effect] = max(layers[effect], layers[place] + 1)
        return layers


def _cause(edge: MinedEdge) -> Place:
    return edge.workflow, edge.cause_kind, edge.cause


def _finished(nodes: Iterable[Place], following: Mapping[Place, Sequence[Place]]) -> list[Place]:
    """Nodes before those that they lead to, START first; of a cycle from where it is entered."""
    done: dict[Place, None] = {}
    seen: set[Place] = set()
    for origin in sorted(nodes, key=lambda place: place[1] != ""):
        stack = [] if origin in seen else [(origin, iter(following[origin]))]
        seen.add(origin)
        while stack:
            place, left = stack[-1]
            effect = next((one for one in left if one not in seen), None)
            if effect is None:
                done[place] = None
                stack.pop()
            else:
                seen.add(effect)
                stack.append((effect, iter(following[effect])))
    return list(reversed(done))


__all__ = ["MOST_EDGES", "Arrow", "Picture", "Place"]
