"""The causal graph of a run with other times, for all that is asked of graphs: critical path, labels, pictures."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace

from otel_mas.causal.forest import ROOT, Forest, list_children, nearest
from otel_mas.causal.graph import CausalGraph
from otel_mas.causal.links import Links
from otel_mas.causal.schedule.scenario import Scenario
from otel_mas.model import ObjectSpanTable, Span
from otel_mas.semconv import attributes as names


def simulated_graph(changed: Scenario, times: Sequence[int]) -> CausalGraph:
    """The graph of the spans that are left, at their new times. Effects of what was removed have the causes of that."""
    return _Simulation(changed, times).graph()


class _Simulation:
    def __init__(self, changed: Scenario, times: Sequence[int]) -> None:
        self.changed = changed
        self.times = times
        self.waits = changed.waits
        self.count = self.waits.count
        kept = [span for span in range(self.count) if not changed.removed[span]]
        kept.sort(key=times.__getitem__)
        self.kept = kept
        self.numbers = {span: number for number, span in enumerate(kept)}
        self.moved = {one.effect: one.cause for one in changed.decisions if not one.held}
        self.gone = {(one.cause, one.effect) for one in changed.decisions if not one.held}

    def graph(self) -> CausalGraph:
        table = ObjectSpanTable([self._span(span) for span in self.kept])
        parent = self._parents()
        head, following = list_children(parent)
        roots = [number for number, above in enumerate(parent) if above == ROOT]
        forest = Forest(table, table.starts, table.lasts, parent, roots, head, following)
        return CausalGraph(forest, self._links(), ())

    def _span(self, number: int) -> Span:
        span = self.waits.forest.spans[number]
        start, end = self.times[number], self.times[self.count + number]
        columns = span.columns
        if number in self.moved:
            step = self.waits.forest.spans.value(self._first(number), names.MAS_TASK_STEP)
            columns = {**columns, names.MAS_TASK_STEP: step}
        if columns is span.columns and (start, end) == (span.start_ns, span.end_ns):
            return span
        return replace(span, start_ns=start, end_ns=end, columns=columns)

    def _first(self, span: int) -> int:
        """The span with which one set side by side starts now."""
        while span in self.moved:
            span = self.moved[span]
        return span

    def _parents(self) -> array[int]:
        above = nearest(self.waits.forest.parent, [not gone for gone in self.changed.removed])
        return array("q", (self.numbers[above[span]] if above[span] != ROOT else ROOT for span in self.kept))

    def _links(self) -> Links:
        links, found = self.waits.links, Links(len(self.kept))
        found.externals.extend(links.externals)
        for span in self.kept:
            for cause, kind, provenance in self._causes(span):
                if cause < 0 or cause in self.numbers:
                    found.add(cause if cause < 0 else self.numbers[cause], self.numbers[span], kind, provenance)
        return found

    def _causes(self, effect: int) -> Iterator[tuple[int, str, str]]:
        """Its links; in place of one that was removed, or from a span that was, those of the cause."""
        links = self.waits.links
        waiting, seen = [(effect, "", "")], {effect}
        while waiting:
            span, kind, provenance = waiting.pop()
            for number in links.into(span):
                cause = links.cause[number]
                edge = cause, kind or links.kind[number], provenance or links.provenance[number]
                if cause >= 0 and (self.changed.removed[cause] or (cause, span) in self.gone):
                    if cause not in seen:
                        seen.add(cause)
                        waiting.append(edge)
                else:
                    yield edge


__all__ = ["simulated_graph"]
