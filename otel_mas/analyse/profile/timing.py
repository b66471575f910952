"""Each span of a graph with its place (agent, node, tool), the part of work that it is, and its self time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from otel_mas.analyse.intervals import Interval, minus, union
from otel_mas.analyse.model_calls import ModelCall, Surroundings, is_model_call, model_calls
from otel_mas.causal import CausalGraph, StepKind
from otel_mas.causal.forest import ROOT, nearest
from otel_mas.causal.labels import unnumbered
from otel_mas.model import Span
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

MODEL, TOOL, OWN = "model", "tool", "own"
_TOOLS = (RecordKind.TOOL_CALL, RecordKind.RETRIEVAL)


class Timing:
    """Columns over the spans of one graph, in start order.

    A model call that two instrumentors recorded side by side is timed once: the other span is `ignored`.
    """

    def __init__(self, graph: CausalGraph) -> None:
        self.graph = graph
        self.spans = graph.spans
        self._surroundings = Surroundings(self.spans)
        self.calls: dict[int, ModelCall] = {}
        numbers = {id(span): i for i, span in enumerate(self.spans)}
        for call in model_calls(self.spans, self._surroundings):
            self.calls[numbers[id(call.span)]] = call
        self.ignored = {
            i
            for i, span in enumerate(self.spans)
            if i not in self.calls and self._surroundings.call[i] == ROOT and is_model_call(span)
        }
        self.steps: list[tuple[int, int, int]] = []
        """Critical path: the span of each step, by number, with the step's start and end. Without time spent waiting
        for input, and without that in a queue or in which no span ran."""
        self.waiting_ns = self.outside_ns = 0
        self._read_path()
        self._labels = graph.labels()
        self._nodes: dict[int, str] = {}

    def _read_path(self) -> None:
        for number, start, end, kind in self.graph.critical_path().numbers():
            if kind == StepKind.WAITING:
                self.waiting_ns += end - start
            elif number < 0 or kind == StepKind.QUEUE:
                self.outside_ns += end - start
            else:
                self.steps.append((number, start, end))

    @cached_property
    def parts(self) -> Sequence[str]:
        """`MODEL`, `TOOL` or `OWN`. A span of other code, such as an HTTP request, is part of what encloses it."""
        own = [self._part(i) for i in range(len(self.spans))]
        around = self._nearest([part is not None for part in own])
        return [OWN if place == ROOT else own[place] or OWN for place in around]

    def _part(self, i: int) -> str | None:
        kind = self.spans[i].record_kind
        if kind == RecordKind.LLM_CALL or i in self.calls:
            return MODEL
        return TOOL if kind in _TOOLS else OWN if kind is not None else None

    @cached_property
    def agents(self) -> Sequence[int]:
        """The agent's span that each is or belongs to, by number; -1 outside of any."""
        return [self._surroundings.agent_of(i) for i in range(len(self.spans))]

    @cached_property
    def tasks(self) -> Sequence[int]:
        """The task that each is or belongs to, by number; -1 outside of any."""
        return self._nearest([span.span_id in self._labels for span in self.spans])

    @cached_property
    def tools(self) -> Sequence[int]:
        """The tool or retriever that each is or belongs to, by number; -1 outside of any."""
        return self._nearest([span.record_kind in _TOOLS for span in self.spans])

    @cached_property
    def self_times(self) -> Sequence[Sequence[Interval]]:
        """Each span's interval without those of its children, which may overlap and outlive it."""
        starts = [span.start_ns for span in self.spans]
        below: list[list[Interval]] = [[] for _ in self.spans]
        for i, parent in enumerate(self.graph.parents):
            if parent != ROOT and i not in self.ignored:
                below[parent].append((starts[i], self.graph.ends[i]))
        return [minus(union([(starts[i], self.graph.ends[i])]), union(children)) for i, children in enumerate(below)]

    def node(self, i: int) -> str | None:
        """The path of the node that a span belongs to, `researcher/model`: the same for each of its tasks."""
        task = self.tasks[i]
        if task == ROOT:
            return None
        found = self._nodes.get(task)
        if found is None:
            found = self._nodes[task] = unnumbered(self._labels[self.spans[task].span_id])
        return found

    def agent(self, i: int) -> str | None:
        """The name of the agent that a span belongs to."""
        agent = self.agents[i]
        return self.spans[agent].agent if agent != ROOT else None

    @cached_property
    def turns(self) -> dict[int, str]:
        """A name for each agent's span: the label of its task, `writer#2`. A paused and a resumed one share it."""
        used: Counter[str] = Counter()
        found = {}
        for i, span in enumerate(self.spans):
            if self.agents[i] == i:
                used[str(span.agent)] += 1
                found[i] = self._labels.get(span.span_id) or f"{span.agent}#{used[str(span.agent)]}"
        return found

    def tool_name(self, i: int) -> str:
        """The name of a tool's or retriever's span."""
        span = self.spans[i]
        return str(span.columns.get(names.GEN_AI_TOOL_NAME) or span.get(names.GEN_AI_TOOL_NAME) or span.name)

    def spot(self, i: int) -> tuple[str, str]:
        """Kind and name under which a span's self time is counted as a hot spot."""
        span, call = self.spans[i], self.calls.get(i)
        if call is not None:
            return MODEL, call.model or span.name
        if span.record_kind in _TOOLS:
            return ("tool" if span.record_kind == RecordKind.TOOL_CALL else "retrieval"), self.tool_name(i)
        node = self.node(i) if self.tasks[i] == i else None
        if node is not None:
            return "node", node
        if span.record_kind == RecordKind.AGENT_TASK:
            return "agent", span.agent or span.name
        return _kind(span), span.name

    def _nearest(self, marked: Sequence[bool]) -> Sequence[int]:
        """For every span the nearest that is marked, itself included, by number; -1 without one."""
        above = nearest(self.graph.parents, marked)
        return [i if here else above[i] for i, here in enumerate(marked)]


def _kind(span: Span) -> str:
    return span.record_kind.lower().replace("_", " ") if span.record_kind else "span"


__all__ = ["MODEL", "OWN", "TOOL", "Timing"]
