"""Scene of a causal graph: bars in lanes, the calls inside them, edges, the critical path."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from otel_mas.analyse.failures import failures
from otel_mas.causal import CausalGraph, CriticalPath, Edge, StepKind
from otel_mas.model import Span
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import plain
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind, TaskOutcome

MOST_BARS = 400
MOST_CALLS = 1_500
MOST_LANES = 40
MOST_NESTED = 20
"""Bars within bars: each takes its height from all around it."""
_DEEPEST = 20
_CALLS = (RecordKind.LLM_CALL, RecordKind.TOOL_CALL, RecordKind.RETRIEVAL)
_CHECKS = (RecordKind.GUARDRAIL, RecordKind.EVALUATION)


@dataclass(slots=True, eq=False)
class Bar:
    """A task or an agent's work; where nothing is either, any span."""

    span: Span
    name: str
    end_ns: int
    above: Bar | None
    lane: str = ""
    agent: bool = False
    failed: bool = False
    calls: list[tuple[Span, int]] = field(default_factory=list)
    """Models, tools and retrievals inside it that no bar inside it has; with how many calls are around each."""
    checks: list[Span] = field(default_factory=list)
    """Guardrails and grades inside it that no bar inside it has."""
    inner: list[Bar] = field(default_factory=list)
    critical: list[tuple[int, int]] = field(default_factory=list)
    """When the critical path ran through it, and through no bar inside it (ns)."""

    @property
    def start_ns(self) -> int:
        return self.span.start_ns

    @property
    def paused(self) -> bool:
        return self.span.columns.get(names.MAS_TASK_OUTCOME) == TaskOutcome.INTERRUPTED

    def around(self) -> Iterator[Bar]:
        """Itself and the bars around it, outwards."""
        bar: Bar | None = self
        while bar is not None:
            yield bar
            bar = bar.above


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge between two bars. `last`: of several that its effect waited for, this one ended last."""

    cause: Bar
    effect: Bar
    edge: Edge
    last: bool
    critical: bool


@dataclass(slots=True)
class Scene:
    """A causal graph as it will be drawn."""

    labels: TaskLabels
    path: CriticalPath
    runs: list[Span]
    """Roots that are no bars: one for each invocation of the app."""
    bars: list[Bar]
    lanes: dict[str, list[Bar]]
    """The outermost bars of each lane, in start order; lanes in the order of their first bars."""
    arrows: list[Arrow]
    outside: list[tuple[Bar, Edge]]
    """Causes that lie in other traces."""
    left_out: list[str]
    """Elements that are not drawn, in words."""


def scene(causal: CausalGraph, path: CriticalPath) -> Scene:
    """Choose what is drawn: the longest where there is too much, and whatever failed or is on the critical path."""
    stage = _Stage(causal, path)
    stage.set_bars()
    stage.follow_path()
    stage.set_lanes()
    return Scene(
        labels=stage.labels,
        path=path,
        runs=[root for root in causal.roots if root.span_id not in stage.of],
        bars=stage.bars,
        lanes=stage.lanes,
        arrows=list(stage.arrows()),
        outside=list(stage.outside()),
        left_out=stage.left_out,
    )


class _Stage:
    def __init__(self, causal: CausalGraph, path: CriticalPath) -> None:
        self.causal = causal
        self.path = path
        self.labels = TaskLabels(causal)
        self.of: dict[str, Bar] = {}
        """The bar that a span is, or repeats."""
        self.within: dict[str, Bar] = {}
        """The nearest bar that a span is or lies in."""
        self.bars: list[Bar] = []
        self.lanes: dict[str, list[Bar]] = {}
        self.left_out: list[str] = []
        self.passed: list[tuple[Bar, Bar]] = []
        self._depth: dict[str, int] = {}
        self._last = _last_instants(causal)
        self._failed = {span.span_id for span in failures(causal.spans)}

    def set_bars(self) -> None:
        some = any(_is_task(span) for span in self.causal.spans)
        for root in self.causal.roots:
            walked = [span for span, _ in self.labels.walk(root)]
            # Where nothing is known of what the spans are, all are bars; a mere invocation is none.
            unknown = not any(_is_task(span) for span in walked) and (not some or any(map(_is_call, walked)))
            for span in walked:
                above = self.within.get(span.parent_span_id or "") if span is not root else None
                self._place(span, above, _is_task(span) or (unknown and not _is_call(span)))

    def _place(self, span: Span, above: Bar | None, is_bar: bool) -> None:
        if is_bar and above is not None and span.task_id is not None and span.task_id == above.span.task_id:
            # The agent that a task is, recorded by its own instrumentation.
            if span.is_agent:
                above.agent, above.name = True, plain(span.agent)
            self.of[span.span_id] = above
            is_bar = False
        elif is_bar:
            name = plain(span.agent) if span.is_agent else plain(span.task_name or self.labels.title(span))
            end_ns = self._last[span.trace_id] if span.end_ns is None else max(span.start_ns, span.end_ns)
            above = Bar(span, name, end_ns, above, agent=span.is_agent)
            self.of[span.span_id] = above
            self.bars.append(above)
        if above is None:
            return
        self.within[span.span_id] = above
        above.failed = above.failed or span.span_id in self._failed
        if not is_bar and _is_call(span):
            depth = self._depth.get(span.parent_span_id or "", -1) + 1
            self._depth[span.span_id] = depth
            above.calls.append((span, depth))
        elif not is_bar and span.record_kind in _CHECKS:
            above.checks.append(span)

    def follow_path(self) -> None:
        """Note where the critical path runs, and from which bar to which it goes."""
        before: Bar | None = None
        for step in self.path.sections:
            bar = self.within.get(step.span.span_id) if step.span is not None and step.kind == StepKind.SPAN else None
            if bar is None:
                continue
            if bar.critical and bar.critical[-1][1] == step.start_ns:
                bar.critical[-1] = (bar.critical[-1][0], step.end_ns)
            else:
                bar.critical.append((step.start_ns, step.end_ns))
            if before is not None and before is not bar:
                self.passed.append((before, bar))
            before = bar

    def set_lanes(self) -> None:
        several = len({bar.span.service for bar in self.bars}) > 1
        for bar in self.bars:  # what is around a bar comes before it
            if bar.agent or bar.above is None:
                bar.lane = f"{bar.name} ({plain(bar.span.service)})" if several else bar.name
            else:
                bar.lane = bar.above.lane
        self._choose()
        self.bars.sort(key=lambda bar: (bar.start_ns, -bar.end_ns))
        for bar in self.bars:
            if bar.above is not None and bar.above.lane == bar.lane:
                bar.above.inner.append(bar)
            else:
                self.lanes.setdefault(bar.lane, []).append(bar)

    def _choose(self) -> None:
        """Keep to what a picture can hold."""
        kept = self.bars
        lanes: dict[str, int] = defaultdict(int)
        for bar in kept:
            lanes[bar.lane] += bar.end_ns - bar.start_ns
        if len(lanes) > MOST_LANES:
            longest = set(sorted(lanes, key=lambda lane: -lanes[lane])[:MOST_LANES])
            kept = [bar for bar in kept if bar.lane in longest]
            self.left_out.append(f"{len(lanes) - MOST_LANES:,} agents that worked less")
        nested: dict[int, int] = {}
        for bar in self.bars:  # what is around a bar comes before it
            nested[id(bar)] = nested.get(id(bar.above), 0) + 1 if bar.above and bar.above.lane == bar.lane else 0
        deep = sum(nested[id(bar)] > MOST_NESTED for bar in kept)
        if deep:
            kept = [bar for bar in kept if nested[id(bar)] <= MOST_NESTED]
            self.left_out.append(f"{deep:,} tasks nested more than {MOST_NESTED} deep")
        if len(kept) > MOST_BARS:
            self.left_out.append(f"{len(kept) - MOST_BARS:,} shorter tasks")
            kept = sorted(kept, key=lambda bar: (not bar.failed, not bar.critical, bar.start_ns - bar.end_ns))
            kept = kept[:MOST_BARS]
        chosen = {id(bar) for bar in kept}
        for bar in self.bars:
            if bar.above is not None and id(bar.above) not in chosen:
                bar.above = bar.above.above
        self.bars = [bar for bar in self.bars if id(bar) in chosen]
        self.of = {span_id: bar for span_id, bar in self.of.items() if id(bar) in chosen}
        self.passed = [(one, other) for one, other in self.passed if id(one) in chosen and id(other) in chosen]
        self._choose_calls()

    def _choose_calls(self) -> None:
        lengths = sorted((call.duration_ns for bar in self.bars for call, _ in bar.calls), reverse=True)
        if len(lengths) <= MOST_CALLS:
            return
        least = lengths[MOST_CALLS - 1]
        room = MOST_CALLS
        for bar in self.bars:
            longest = [(call, depth) for call, depth in bar.calls if call.duration_ns >= least]
            bar.calls = longest[:room]
            room -= len(bar.calls)
        self.left_out.append(f"{len(lengths) - MOST_CALLS + room:,} shorter calls")

    def arrows(self) -> Iterator[Arrow]:
        """The edges, once for each pair of bars and kind; none from what encloses the effect: that one is seen."""
        known: set[tuple[int, int, str]] = set()
        into: dict[int, list[tuple[Bar, Bar, Edge]]] = defaultdict(list)
        for edge in self.causal.edges:
            if edge.kind in ("child", LinkKind.MESSAGE):
                continue
            cause, effect = self.of.get(edge.cause), self.of.get(edge.effect)
            if cause is None or effect is None or cause in effect.around():
                continue
            key = (id(cause), id(effect), edge.kind)
            if key not in known:
                known.add(key)
                into[id(effect)].append((cause, effect, edge))
        critical = {(id(one), id(other)) for before, after in self.passed for one, other in _pairs(before, after)}
        for edges in into.values():
            # What went on after a pause or a failure was triggered before it: the edges into that one say by what.
            edges = [one for one in edges if one[2].kind in (LinkKind.RESUME, LinkKind.RETRY)] or edges
            joined = len({id(cause) for cause, _, _ in edges}) > 1
            last = max(edges, key=lambda one: (one[0].end_ns, one[0].start_ns))[0]
            for cause, effect, edge in edges:
                on_path = (id(cause), id(effect)) in critical
                yield Arrow(cause, effect, edge, joined and cause is last, on_path)

    def outside(self) -> Iterator[tuple[Bar, Edge]]:
        externals = frozenset(self.causal.externals)
        for edge in self.causal.edges if externals else ():
            if edge.cause in externals and edge.effect in self.of:
                yield self.of[edge.effect], edge


def _pairs(before: Bar, after: Bar) -> Iterator[tuple[Bar, Bar]]:
    """An edge is on the path if it leads from what the path left to what it entered, or from or to what is around."""
    shared = {id(bar) for bar in before.around()} & {id(bar) for bar in after.around()}
    for one in islice(before.around(), _DEEPEST):
        for other in islice(after.around(), _DEEPEST):
            if id(one) not in shared and id(other) not in shared:
                yield one, other


def _is_call(span: Span) -> bool:
    return span.record_kind in _CALLS


def _is_task(span: Span) -> bool:
    return span.task_id is not None or span.is_agent


def _last_instants(causal: CausalGraph) -> dict[str, int]:
    last: dict[str, int] = {}
    for span in causal.spans:
        last[span.trace_id] = max(last.get(span.trace_id, 0), span.start_ns, span.end_ns or 0)
    return last


__all__ = ["Arrow", "Bar", "Scene", "scene"]
