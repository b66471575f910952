"""A run as it would have been: its end, its slack, its critical path, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from weakref import WeakKeyDictionary

from otel_mas.causal.graph import CausalGraph
from otel_mas.causal.links import INFERRED, METADATA
from otel_mas.causal.schedule.changes import Change, WithoutBarriers
from otel_mas.causal.schedule.dependencies import NOTHING, find_dependencies
from otel_mas.causal.schedule.drag import drag
from otel_mas.causal.schedule.parallel import ORDER
from otel_mas.causal.schedule.scenario import Recorded, Scenario, scenario
from otel_mas.causal.schedule.simulated import simulated_graph
from otel_mas.causal.schedule.timing import chain_to_end, last_end, latest_times, times_of
from otel_mas.causal.steps import CriticalPath
from otel_mas.model import Span

_RECORDED: WeakKeyDictionary[CausalGraph, Recorded] = WeakKeyDictionary()
"""Recorded runs by graph: the same for every question about it."""

STEP = "step"
"""Kind of what is no edge of the graph: a step of LangGraph begins when all tasks of the one before have ended."""
LIMIT = "limit"
"""Likewise: a task waited until fewer ran at once."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """Part of what the answer rests on: `effect` waits for `cause`, or, where that is not `held`, it need not.

    `kind` is a `LinkKind`, or "order", "step" or "limit", which are no edges. `provenance` is that of the edge:
    "recorded", "metadata" or "inferred"; "order" where nothing is known but that one had ended before the other began.
    """

    cause: Span
    effect: Span
    kind: str
    provenance: str
    held: bool


class Schedule:
    """Times of a run under some changes; with none, those that were recorded. All times are in ns."""

    def __init__(self, graph: CausalGraph, recorded: Recorded, changed: Scenario) -> None:
        self._graph = graph
        self._recorded = recorded
        self._changed = changed
        self._waits = changed.waits
        self._times = times_of(changed.waits, changed.lags)

    @property
    def start_ns(self) -> int:
        """When the first root starts."""
        return min((self._times[root] for root in self._waits.roots), default=0)

    @property
    def end_ns(self) -> int:
        """When the last root ends."""
        return last_end(self._waits, self._times)

    @property
    def total_ns(self) -> int:
        """The end-to-end time."""
        return self.end_ns - self.start_ns

    @property
    def recorded_ns(self) -> int:
        """The end-to-end time that was recorded."""
        forest, roots = self._recorded.waits.forest, self._recorded.waits.roots
        return max(map(forest.end.__getitem__, roots), default=0) - min(map(forest.start.__getitem__, roots), default=0)

    @property
    def saves_ns(self) -> int:
        """How much sooner the run ends; below 0 if later."""
        return self.recorded_ns - self.total_ns

    def times(self, span_id: str) -> tuple[int, int]:
        """Start and end of a span; KeyError where there is none."""
        number = self._waits.forest.spans.numbers[span_id]
        return self._times[number], self._times[self._waits.count + number]

    @cached_property
    def removed(self) -> frozenset[str]:
        """Ids of the spans that take no part any more."""
        ids = self._waits.forest.spans.ids
        return frozenset(ids[span] for span, gone in enumerate(self._changed.removed) if gone)

    @property
    def models(self) -> Mapping[str, str]:
        """By id of a call: the model that is called instead."""
        ids = self._waits.forest.spans.ids
        return {ids[call]: model for call, model in self._changed.models.items()}

    @cached_property
    def slack_ns(self) -> Mapping[str, int | None]:
        """By span id: by how much it alone may last longer before the run ends later. None: nothing waits for it."""
        waits, times = self._waits, self._times
        latest = latest_times(waits, times, self._changed.lags)
        ends = enumerate(waits.forest.spans.ids, start=waits.count)
        return {
            span_id: None if latest[end] == inf else int(latest[end]) - times[end]
            for end, span_id in ends
            if not self._changed.removed[end - waits.count]
        }

    @property
    def drag_ns(self) -> Mapping[str, int]:
        """By span id: by how much sooner the run ends if it takes no time, with all that is inside."""
        return self._by_id(self._drag)

    @property
    def exclusive_drag_ns(self) -> Mapping[str, int]:
        """By span id: by how much sooner the run ends if its own time goes, without that of its children."""
        return self._by_id(self._exclusive_drag)

    @cached_property
    def _drag(self) -> Sequence[int]:
        return drag(self._waits, self._times, self._changed.lags)

    @cached_property
    def _exclusive_drag(self) -> Sequence[int]:
        return drag(self._waits, self._times, self._changed.lags, exclusive=True)

    def _by_id(self, values: Sequence[int]) -> dict[str, int]:
        ids, removed = self._waits.forest.spans.ids, self._changed.removed
        return {ids[span]: value for span, value in enumerate(values) if not removed[span]}

    @cached_property
    def graph(self) -> CausalGraph:
        """The causal graph of the run with these times, without what was removed."""
        if not self._changed.removed.count(1) and self._times == self._recorded.times and not self._changed.decisions:
            return self._graph
        return simulated_graph(self._changed, self._times)

    def critical_path(self) -> CriticalPath:
        """The critical path of that graph: see `otel_mas.causal.critical_path`."""
        return self.graph.critical_path()

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """All edges that it rests on: `parallel_edges`, then `deciding_edges`."""
        return tuple(dict.fromkeys([*self.parallel_edges, *self.deciding_edges]))

    @cached_property
    def parallel_edges(self) -> tuple[Assumption, ...]:
        """Edges between spans that were to run in parallel, held or not."""
        spans = self._waits.forest.spans
        found = (
            Assumption(spans[one.cause], spans[one.effect], one.kind, _provenance(one.kind, one.provenance), one.held)
            for one in self._changed.decisions
        )
        return tuple(dict.fromkeys(found))

    @cached_property
    def deciding_edges(self) -> tuple[Assumption, ...]:
        """Edges that decide when the run ends, in order of time."""
        chain = chain_to_end(self._waits, self._times, self._changed.lags)
        return tuple(one for earlier, later in reversed(chain) if (one := self._waited(earlier, later)) is not None)

    def _waited(self, earlier: int, later: int) -> Assumption | None:
        """The edge between two events, unless they are of one span, or of a span and one inside of it."""
        waits, count = self._waits, self._waits.count
        if later >= count or waits.before[later] == earlier:
            return None
        effect = later
        cause = earlier % count if earlier < waits.first_join else self._last_of(earlier)
        if self._changed.removed[cause] or self._changed.removed[effect]:
            return None
        spans, links = waits.forest.spans, waits.links
        for number in links.into(effect):
            if links.cause[number] == cause:
                kind, provenance = links.kind[number], links.provenance[number]
                return Assumption(spans[cause], spans[effect], kind, provenance, held=True)
        if earlier < count:
            return None  # set side by side: they start together
        if earlier >= waits.first_join:
            kind = ORDER if waits.steps[effect] == NOTHING else STEP
        else:
            kind = LIMIT if effect in waits.limits else ORDER
        return Assumption(spans[cause], spans[effect], kind, _provenance(kind, INFERRED), held=True)

    def _last_of(self, join: int) -> int:
        """The span whose end a join waited for."""
        waits, times = self._waits, self._times
        while times[waits.before[join]] != times[join]:
            join = waits.joined[join]
        return waits.joined_span(join)


def _provenance(kind: str, provenance: str) -> str:
    return {ORDER: ORDER, STEP: METADATA, LIMIT: INFERRED}.get(kind, provenance)


def reschedule(graph: CausalGraph, changes: Iterable[Change] = ()) -> Schedule:
    """Work out the times of a run anew, under some changes. Linear in the spans, but for limits on concurrency.

    Each start follows its causes, and each end what it waited for, by the time that it took in the recorded run: lags,
    the overhead of the framework and own work are kept. Steps of LangGraph and limits on concurrency are kept.

    Raises:
        UnsupportedQuery: A change names what is not in the run, or cannot be made.
    """
    recorded = _RECORDED.get(graph)
    if recorded is None:
        recorded = _RECORDED[graph] = Recorded(find_dependencies(graph._forest, graph._links))
    return Schedule(graph, recorded, scenario(recorded, changes))


def ideal(graph: CausalGraph) -> Schedule:
    """The schedule if a task waited only for its recorded causes: without LangGraph's steps and without limits."""
    return reschedule(graph, [WithoutBarriers()])


def slack(graph: CausalGraph) -> Mapping[str, int | None]:
    """By span id: by how many ns it alone may last longer before the run ends later. None: nothing waits for it."""
    return reschedule(graph).slack_ns


__all__ = ["LIMIT", "STEP", "Assumption", "Schedule", "ideal", "reschedule", "slack"]
