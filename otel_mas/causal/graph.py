"""The causal graph: spans as nodes, causes as edges, and the simple questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from otel_mas.causal.ancestry import Ancestry
from otel_mas.causal.barrier import Barrier
from otel_mas.causal.critical_path import critical_path
from otel_mas.causal.forest import ROOT, Forest
from otel_mas.causal.labels import Labels, label
from otel_mas.causal.links import INFERRED, RECORDED, Links
from otel_mas.causal.steps import CriticalPath
from otel_mas.model import AttributeValue, Span, SpanTable
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    import networkx

CHILD = "child"


@dataclass(frozen=True, slots=True)
class Edge:
    """One cause of one effect, both by span id.

    `kind` is "child" (the cause is the parent) or a `LinkKind`; `provenance` is "recorded", "metadata" (joined by
    stable keys, exact) or "inferred". `probability` is that of an inferred edge, as far as it is known: from 0 to 1,
    how often an edge is right that is said on the same grounds. None of any other edge.
    """

    cause: str
    effect: str
    kind: str
    provenance: str
    probability: float | None = None


class CausalGraph:
    """Graph of causes in one trace, or in the traces of a conversation. Made by `otel_mas.causal.build`.

    Numbers inside, objects outside: `Edge` objects are made when asked for.
    """

    def __init__(
        self, forest: Forest, links: Links, problems: tuple[str, ...], incomplete: tuple[str, ...] = ()
    ) -> None:
        self._forest = forest
        self._links = links
        self.problems = problems
        """Problems of the traces and how each was handled, one line each."""
        self.incomplete = incomplete
        """Parts of the traces that are known to be missing, one line each."""

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """In start order."""
        return tuple(self._forest.spans)

    @property
    def table(self) -> SpanTable:
        """The spans in start order, as columns: no object is made for any of them."""
        return self._forest.spans

    @property
    def ends(self) -> Sequence[int]:
        """The end of each span, in start order: of an open one the last instant seen in its trace; never before its
        start."""
        return self._forest.end

    @property
    def parents(self) -> Sequence[int]:
        """The place in `spans` of the parent of each span, in start order; -1 for roots."""
        return self._forest.parent

    @property
    def externals(self) -> tuple[str, ...]:
        """Ids of causes without a span here: in traces that were not given, or missing from one that was."""
        return tuple(self._links.externals)

    @property
    def links(self) -> Iterator[tuple[int, int, str, str]]:
        """The edges that are no parentage, without objects: cause, effect, kind, provenance.

        Cause and effect are places in `spans`; of a cause without a span here -1 - its place in `externals`.
        """
        links = self._links
        return zip(links.cause, links.effect, links.kind, links.provenance, strict=True)

    @property
    def link_probabilities(self) -> Mapping[int, float]:
        """The probability of each inferred edge that has one, by its place in `links`."""
        return self._links.probabilities

    @property
    def roots(self) -> tuple[Span, ...]:
        """Spans that nothing encloses, with those that stand in for a missing root, in start order."""
        return tuple(self._forest.spans[i] for i in self._forest.roots)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """All edges, in start order of their effects; the `child` edge of an effect comes first."""
        return tuple(edge for i in range(len(self._forest.spans)) for edge in self._into(i))

    @cached_property
    def possible_edges(self) -> tuple[Edge, ...]:
        """Causes of spans of others that are less likely than not: no edges, and no answer follows them.

        They tell of a span without a cause from which ones it may have come.
        """
        ids = self._forest.spans.ids
        return tuple(
            Edge(ids[one.cause], ids[one.effect], one.kind, INFERRED, one.probability) for one in self._links.possible
        )

    @property
    def probabilities(self) -> Mapping[int, float]:
        """The probability of inferred edges, by their place in `links`; see `Edge`."""
        return self._links.probabilities

    def span(self, span_id: str) -> Span:
        """The span with this id; KeyError where there is none, as for externals."""
        return self._forest.spans[self._index[span_id]]

    def children_of(self, span_id: str) -> tuple[Span, ...]:
        """Spans directly inside a span, in start order."""
        return tuple(self._forest.spans[i] for i in self._forest.children(self._index[span_id]))

    def causes_of(self, span_id: str) -> tuple[Edge, ...]:
        """The edges that lead to a span. KeyError for an id that is neither a span nor an external."""
        if span_id in self._links.externals:
            return ()
        return tuple(self._into(self._index[span_id]))

    def effects_of(self, span_id: str) -> tuple[Edge, ...]:
        """The edges that lead from a span or an external. KeyError for an id that is neither."""
        if span_id not in self._index:
            cause = -1 - self._links.externals.index(span_id) if span_id in self._links.externals else None
            if cause is None:
                raise KeyError(span_id)
            return tuple(self._edge(number) for number in self._by_cause[cause])
        i = self._index[span_id]
        inside = (Edge(span_id, self._forest.spans.ids[child], CHILD, RECORDED) for child in self._forest.children(i))
        return (*inside, *(self._edge(number) for number in self._by_cause[i]))

    @cached_property
    def ancestry(self) -> Ancestry:
        """The ancestors of each span: causes and what is around it, directly or not."""
        return Ancestry(self._forest, self._links)

    def control_edges(self) -> tuple[Edge, ...]:
        """Control edges: links between spans with `mas.task.id`, except `message`."""
        task = self._task
        return tuple(
            self._edge(number)
            for number, (cause, effect, kind) in enumerate(
                zip(self._links.cause, self._links.effect, self._links.kind, strict=True)
            )
            if cause >= 0 and kind != LinkKind.MESSAGE and task[cause] is not None and task[effect] is not None
        )

    def held_by(self, span_id: str) -> Span | None:
        """The task, no cause of this one, without which it would not have waited long once its causes had ended.

        A step of LangGraph ends only when all its tasks have. None where nothing held it. KeyError as for `span`.
        """
        i, links = self._index[span_id], self._links
        if self._task[i] is None:
            return None
        numbers = [number for number in links.into(i) if links.kind[number] != LinkKind.MESSAGE]
        causes = [links.cause[number] for number in numbers]
        if not causes or any(cause < 0 or cause == self._forest.parent[i] for cause in causes):
            return None
        holder = self._barrier.holder(i, max(self._forest.end[cause] for cause in causes))
        return None if holder is None or holder in causes else self._forest.spans[holder]

    def labels(self) -> dict[str, str]:
        """Task spans by id, as `outer#1/inner#2`: the same for every run of the same app.

        The number says how-manieth distinct `mas.task.id` of that name it is within the task that encloses it, in
        the order of runs, steps and starts. A paused and a resumed span are one task and share a label.
        """
        return {self._forest.spans.ids[i]: self._labels.full(i) for i in self._labels.tasks}

    def label(self, span_id: str) -> str | None:
        """The label of one span as in `labels`; None unless it is a task. KeyError as for `span`."""
        i = self._index[span_id]
        return self._labels.full(i) if i in self._labels.part else None

    def short_labels(self) -> dict[str, str]:
        """The same without the enclosing tasks, and without a number where only one task has the name."""
        return {self._forest.spans.ids[i]: short for i, short in self._labels.short().items()}

    @property
    def numbered_labels(self) -> Labels:
        """The same by place in `spans`, as the parts that labels and the paths of nodes are made of."""
        return self._labels

    def critical_path(self) -> CriticalPath:
        """Critical path: see `otel_mas.causal.critical_path`."""
        return self._critical_path

    def to_networkx(self) -> networkx.MultiDiGraph[str]:
        """Nodes: span ids (hex) with "span" (None for externals). Edges: cause to effect, keyed by kind.

        Edges have "kind" and "provenance", and "probability" where that is known of an inferred one.
        """
        import networkx

        graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
        graph.add_nodes_from((span.span_id, {"span": span}) for span in self.spans)
        graph.add_nodes_from((span_id, {"span": None}) for span_id in self.externals)
        for edge in self.edges:
            graph.add_edge(edge.cause, edge.effect, edge.kind, kind=edge.kind, provenance=edge.provenance)
            if edge.probability is not None:
                graph.edges[edge.cause, edge.effect, edge.kind]["probability"] = edge.probability
        return graph

    @property
    def _index(self) -> Mapping[str, int]:
        return self._forest.spans.numbers

    @cached_property
    def _task(self) -> Sequence[AttributeValue]:
        return self._forest.spans.column(names.MAS_TASK_ID)

    @cached_property
    def _barrier(self) -> Barrier:
        return Barrier(self._forest)

    @cached_property
    def _labels(self) -> Labels:
        return label(self._forest)

    @cached_property
    def _critical_path(self) -> CriticalPath:
        return critical_path(self._forest, self._links, lambda: self._labels.short())

    @cached_property
    def _by_cause(self) -> defaultdict[int, list[int]]:
        by_cause: defaultdict[int, list[int]] = defaultdict(list)
        for number, cause in enumerate(self._links.cause):
            by_cause[cause].append(number)
        return by_cause

    def _into(self, i: int) -> Iterator[Edge]:
        above = self._forest.parent[i]
        if above != ROOT:
            yield Edge(self._forest.spans.ids[above], self._forest.spans.ids[i], CHILD, RECORDED)
        for number in self._links.into(i):
            yield self._edge(number)

    def _edge(self, number: int) -> Edge:
        links, ids = self._links, self._forest.spans.ids
        cause = links.cause[number]
        return Edge(
            ids[cause] if cause >= 0 else links.externals[-1 - cause],
            ids[links.effect[number]],
            links.kind[number],
            links.provenance[number],
            links.probabilities.get(number),
        )
