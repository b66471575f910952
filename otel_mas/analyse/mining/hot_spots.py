"""Hot spots of many runs: self time by name as in a profile, with cost, tokens and errors, and the part of each."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from otel_mas.analyse.executions import ExecutionKind
from otel_mas.analyse.intervals import Interval, length, minus, union
from otel_mas.analyse.mining.figures import Run
from otel_mas.analyse.mining.steps import Steps
from otel_mas.causal import CausalGraph, StepKind
from otel_mas.causal.forest import ROOT
from otel_mas.model import StatusCode
from otel_mas.semconv import attributes as names

_MODEL = ExecutionKind.MODEL.value
_WORKERS = (ExecutionKind.AGENT.value, ExecutionKind.TASK.value)


@dataclass(frozen=True, slots=True)
class MinedHotSpot:
    """Self time, cost and errors of what has the same name, over many runs. Times in ns.

    Times mean what they mean in a profile (`otel_mas.analyse.profile.HotSpot`): overlaps within a run count once.
    """

    kind: str
    """node, agent, model, tool, retrieval, workflow (the framework between tasks), or the kind of another span."""
    name: str
    spans: int
    runs: int
    self_ns: int
    self_share: float
    """Part of the self time of all."""
    on_path_ns: int
    """Its steps on the critical paths."""
    path_share: float
    """The same as a part of all steps on critical paths."""
    input_tokens: int
    """Tokens of a model; of a node or agent those of the model calls that it made itself."""
    output_tokens: int
    cost_usd: float | None
    cost_share: float | None
    """Part of the cost of all model calls; None where it has no cost."""
    errors: int
    """Errors that happened in it; those that only passed through it are counted where they happened."""
    error_share: float | None
    """Part of all errors; None where there are none."""
    example_trace: str


class _Spot:
    __slots__ = ("costs", "errors", "first", "input_tokens", "on_path", "output_tokens", "runs", "self_time", "spans")

    def __init__(self) -> None:
        self.spans = self.runs = self.self_time = self.on_path = 0
        self.input_tokens = self.output_tokens = self.errors = 0
        self.costs = array("d")
        self.first = ""


_Key = tuple[str, str]


class HotSpotMiner:
    """Adds up the hot spots of runs."""

    def __init__(self) -> None:
        self._spots: dict[_Key, _Spot] = defaultdict(_Spot)

    def add(self, run: Run, steps: Steps) -> None:
        """Add a run."""
        graph, spots = steps.graph, self._spots
        keys = _keys(steps)
        here: dict[_Key, list[Interval]] = defaultdict(list)
        for key, intervals in zip(keys, _self_times(graph, keys), strict=True):
            if key is not None:
                here[key] += intervals
                spots[key].spans += 1
        for key, found in here.items():
            spot = spots[key]
            spot.runs += 1
            spot.first = spot.first or run.trace_id
            spot.self_time += length(_merged(found))
        for i, start, end, kind in graph.critical_path().numbers():
            if i >= 0 and kind not in (StepKind.WAITING, StepKind.QUEUE) and (on_path := keys[i]) is not None:
                spots[on_path].on_path += end - start
        self._add_usage(steps, keys)
        for i, status in enumerate(graph.table.statuses):
            if status == StatusCode.ERROR and (failing := keys[i]) is not None:
                spots[failing].errors += 1

    def _add_usage(self, steps: Steps, keys: Sequence[_Key | None]) -> None:
        """Add the usage of each model call to the model and to the task or agent that made it."""
        for call, kind in enumerate(steps.kinds):
            if kind == _MODEL:
                for step in (call, steps.worker(call)):
                    key = keys[steps.spans[step]] if step >= 0 else None
                    if key is not None:
                        self._use(self._spots[key], steps, call)

    def _use(self, spot: _Spot, steps: Steps, call: int) -> None:
        _, _, read, wrote, cost = steps.figures[call]
        spot.input_tokens += read
        spot.output_tokens += wrote
        if cost is not None:
            spot.costs.append(cost)

    def hot_spots(self) -> tuple[MinedHotSpot, ...]:
        """The most self time first."""
        every = [(key, spot) for key, spot in self._spots.items() if spot.self_time or spot.on_path or spot.errors]
        self_ns = sum(spot.self_time for _, spot in every)
        on_path = sum(spot.on_path for _, spot in every)
        errors = sum(spot.errors for _, spot in every)
        cost = math.fsum(one for (kind, _), spot in every if kind == _MODEL for one in spot.costs)
        found = [
            MinedHotSpot(
                *key,
                spot.spans,
                spot.runs,
                spot.self_time,
                spot.self_time / self_ns if self_ns else 0.0,
                spot.on_path,
                spot.on_path / on_path if on_path else 0.0,
                spot.input_tokens,
                spot.output_tokens,
                math.fsum(spot.costs) if spot.costs else None,
                math.fsum(spot.costs) / cost if spot.costs and cost else None,
                spot.errors,
                spot.errors / errors if errors else None,
                spot.first,
            )
            for key, spot in every
        ]
        return tuple(sorted(found, key=lambda spot: (-spot.self_ns, -spot.on_path_ns, spot.name, spot.kind)))


def _keys(steps: Steps) -> list[_Key | None]:
    """Kind and name under which the time of each span counts; None of a model call that was recorded twice."""
    table, labels = steps.graph.table, steps.graph.numbered_labels
    keys: list[_Key | None] = [
        ((kind or "span").lower().replace("_", " "), name)
        for kind, name in zip(table.column(names.MAS_RECORD_KIND), table.names, strict=True)
    ]
    for i in labels.tasks:
        keys[i] = "node", labels.path(i)
    for i, kind, node in zip(steps.spans, steps.kinds, steps.nodes, strict=True):
        if kind not in _WORKERS:
            keys[i] = kind, node.name
        elif i not in labels.name:
            keys[i] = "agent", node.name
    for i in steps.ignored:
        keys[i] = None
    return keys


def _self_times(graph: CausalGraph, keys: Sequence[_Key | None]) -> list[list[Interval]]:
    """Each span's interval without those of its children; with the parts where only an ignored one ran."""
    starts, ends = graph.table.starts, graph.ends
    below: dict[int, list[Interval]] = defaultdict(list)
    for i, parent in enumerate(graph.parents):
        if parent != ROOT and keys[i] is not None:
            below[parent].append((starts[i], ends[i]))
    return [
        minus([own], _merged(below[i])) if i in below else [own] for i, own in enumerate(zip(starts, ends, strict=True))
    ]


def _merged(intervals: list[Interval]) -> list[Interval]:
    """The intervals as `union` returns them; the same list where they come one after the other, as most do."""
    last = 0
    for start, end in intervals:
        if start < last:
            return union(intervals)
        last = end
    return intervals


__all__ = ["HotSpotMiner", "MinedHotSpot"]
