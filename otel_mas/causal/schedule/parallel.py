"""Spans set side by side: the order between them goes, and what carries control or data stays."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from otel_mas.causal.forest import ROOT, nearest
from otel_mas.causal.links import RECORDED
from otel_mas.causal.schedule.dependencies import NOTHING, Dependencies
from otel_mas.causal.topology import ANY, EDGE, JOIN, Topology, topologies
from otel_mas.errors import UnsupportedQuery
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names

ORDER = "order"
"""Kind of what is no edge of the graph: a span started after another one had ended, and nothing says why."""
_TRIGGER = LinkKind.TRIGGER.value
_MESSAGE = LinkKind.MESSAGE.value


@dataclass(frozen=True, slots=True)
class Decision:
    """An edge between spans that were to run side by side: whether it is `held`, and why."""

    cause: int
    effect: int
    kind: str
    """A `LinkKind`, or `ORDER`."""
    provenance: str
    held: bool


def set_parallel(
    base: Dependencies, waits: Dependencies, members: Collection[int], called: Sequence[str]
) -> list[Decision]:
    """Let members start with the first of their siblings among them, as far as nothing holds them. Changes `waits`.

    Raises:
        UnsupportedQuery: No two of them are siblings.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    for span in sorted(members):
        groups[base.parent[span]].append(span)
    families = [group for parent, group in groups.items() if len(group) > 1 and parent != ROOT]
    if not families:
        raise UnsupportedQuery(
            f"no two of {', '.join(called)} are inside the same span: name tasks of one graph, or calls of one task"
        )
    holding = _Holding(base, {span for group in families for span in group})
    decisions: list[Decision] = []
    for group in families:
        decisions += _set_beside(base, waits, sorted(group, key=base.forest.start.__getitem__), holding)
    return decisions


def _set_beside(base: Dependencies, waits: Dependencies, group: Sequence[int], holding: _Holding) -> Iterator[Decision]:
    first, inside, end = group[0], frozenset(group), base.forest.end
    by_end = sorted(group, key=end.__getitem__)
    ends = [end[span] for span in by_end]
    for span in group[1:]:
        ended = bisect_right(ends, base.forest.start[span])
        decisions = list(holding.between(by_end[ended - 1] if ended else None, span, inside))
        yield from decisions
        if not decisions or any(decision.held for decision in decisions):
            continue
        kept = [event for event in waits.causes.get(span, ()) if event % base.count not in inside]
        for decision in decisions:
            kept += waits.causes.get(decision.cause, ())
        waits.joined[span] = NOTHING
        waits.causes[span] = list(dict.fromkeys([first, *kept]))
        waits.limits.pop(span, None)


class _Holding:
    """Finds the edges from one member to another: links, messages between spans inside of them, or mere order."""

    def __init__(self, base: Dependencies, members: Collection[int]) -> None:
        self._base = base
        self._topologies: dict[int, tuple[Topology, ...]] = {}
        self._messages = self._find_messages(members)
        self._names = base.forest.spans.column(names.MAS_TASK_NAME)

    def _find_messages(self, members: Collection[int]) -> dict[int, dict[int, str]]:
        """By member: the members that wrote what was read in it, with the provenance of the link."""
        base, links = self._base, self._base.links
        around = nearest(base.parent, [span in members for span in range(base.count)])
        found: dict[int, dict[int, str]] = defaultdict(dict)
        for cause, effect, kind, provenance in zip(
            links.cause, links.effect, links.kind, links.provenance, strict=True
        ):
            if kind == _MESSAGE and cause >= 0:
                writer = cause if cause in members else around[cause]
                reader = effect if effect in members else around[effect]
                if ROOT not in (writer, reader) and writer != reader:
                    found[reader].setdefault(writer, provenance)
        return found

    def between(self, last: int | None, span: int, siblings: Collection[int]) -> Iterator[Decision]:
        """Edges to a member from its siblings among the members.

        Args:
            last: The one of them that had ended last before it started; named where there is mere order.
            span: The member.
            siblings: The members beside it.
        """
        links, linked = self._base.links, False
        written = self._messages.get(span, {})
        for number in links.into(span):
            cause, kind, provenance = links.cause[number], links.kind[number], links.provenance[number]
            if cause < 0 or cause == span or kind == _MESSAGE:
                continue
            if cause in siblings:
                linked = True
                held = cause in written or kind != _TRIGGER or not self._always_follows(cause, span)
                yield Decision(cause, span, kind, provenance, held)
            for earlier in self._behind(cause, siblings):
                linked = True
                yield Decision(earlier, span, kind, provenance, held=True)
        for writer, provenance in written.items():
            if writer in siblings:
                linked = True
                yield Decision(writer, span, _MESSAGE, provenance, held=True)
        if last is not None and last != span and not linked:
            yield Decision(last, span, ORDER, RECORDED, held=False)

    def _behind(self, cause: int, siblings: Collection[int]) -> Iterator[int]:
        """The members that caused a span which is none, directly or through others that are none."""
        links, waiting, seen = self._base.links, [] if cause in siblings else [cause], {cause}
        while waiting:
            for number in links.into(waiting.pop()):
                earlier = links.cause[number]
                if earlier < 0 or earlier in seen or links.kind[number] == _MESSAGE:
                    continue
                seen.add(earlier)
                if earlier in siblings:
                    yield earlier
                else:
                    waiting.append(earlier)

    def _always_follows(self, cause: int, effect: int) -> bool:
        """Whether the graph declares that the one node follows the other, and nothing that decides so as it runs."""
        one, other = str(self._names[cause]), str(self._names[effect])
        declared = [
            edge
            for graph in self._graphs(effect)
            if one in graph.nodes and other in graph.nodes
            for edge in graph.edges
            if one in edge.sources and edge.target in (other, ANY)
        ]
        return bool(declared) and all(edge.kind in (EDGE, JOIN) for edge in declared)

    def _graphs(self, span: int) -> tuple[Topology, ...]:
        """The graphs that the nearest run around a span describes."""
        forest, inside = self._base.forest, []
        above = forest.parent[span]
        # Not a column: only a few spans describe a graph, and only those around the members are looked at.
        while above != ROOT and above not in self._topologies and not forest.spans[above].get(names.MAS_GRAPH_EDGES):
            inside.append(above)
            above = forest.parent[above]
        if above != ROOT and above not in self._topologies:
            self._topologies[above] = tuple(topologies(forest.spans[above]).values())
        found = self._topologies.get(above, ())
        self._topologies.update(dict.fromkeys(inside, found))
        return found


__all__ = ["ORDER", "Decision", "set_parallel"]
