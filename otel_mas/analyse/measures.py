"""Measures of one run: durations, tokens, cost, errors and counts, of the run itself and by agent, node and edge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from otel_mas.analyse.call_chains import Call, call_chains
from otel_mas.analyse.execution_statistics import ended
from otel_mas.analyse.executions import Execution, ExecutionKind, executions
from otel_mas.causal import CausalGraph
from otel_mas.causal.labels import unnumbered
from otel_mas.model import TraceSummary
from otel_mas.model.status import TraceStatus
from otel_mas.semconv import TaskOutcome

_S = 1e9

UNITS: Mapping[str, str] = {
    "duration": "s",
    "model_time": "s",
    "tool_time": "s",
    "overhead": "s",
    "wait": "s",
    "input_tokens": "tokens",
    "output_tokens": "tokens",
    "cost": "USD",
    "errors": "share",
    "steps": "count",
}
"""Every measure, with its unit. `errors` is whether something failed, 0 or 1: a mean of it is a share."""


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """The subject of a measure: `of` is run, agent, node or edge; an edge's name is `caller → callee`."""

    of: str
    name: str


RUN = Subject("run", "")
Measures = Mapping[tuple[Subject, str], float]
"""Values of one run by subject and measure."""


def execution_measure(one: Execution, measure: str) -> float | None:
    """A measure of one execution; None where it has none: of a cost without a price, of a duration that is not over."""
    if measure == "errors":
        return None if one.end_ns is None else float(one.status == TaskOutcome.ERROR)
    if measure in ("input_tokens", "output_tokens"):
        return float(getattr(one, measure))
    if measure == "cost":
        return one.cost_usd
    if not ended(one) or one.duration_ns is None:
        return None
    times = {"model_time": one.model_ns, "tool_time": one.tool_ns, "overhead": one.overhead_ns}
    return times.get(measure, one.duration_ns) / _S


def run_measure(run: TraceSummary, measure: str) -> float | None:
    """The same of a whole trace. A trace that paused or still runs has no duration."""
    if measure == "duration":
        unfinished = run.end_ns is None or run.status == TraceStatus.INTERRUPTED
        return None if unfinished or run.duration_ns is None else run.duration_ns / _S
    if measure == "errors":
        return None if run.end_ns is None else float(run.status == TraceStatus.ERROR)
    if measure in ("input_tokens", "output_tokens"):
        return float(getattr(run, measure))
    return run.cost_usd


def measures_of(run: TraceSummary, graph: CausalGraph) -> Measures:
    """All measures of one trace, of itself and by agent, by node outside of any agent, and by edge.

    Of an agent's several executions in the run durations, tokens and cost are summed; `errors` is whether any failed.
    The `wait` of an edge is the mean time from the end of the caller to the start of the callee.
    """
    found: dict[tuple[Subject, str], float] = {}
    every = executions(graph)
    work = [one for one in every if one.kind in (ExecutionKind.AGENT, ExecutionKind.TASK)]
    for measure in ("duration", "input_tokens", "output_tokens", "cost", "errors"):
        if (value := run_measure(run, measure)) is not None:
            found[RUN, measure] = value
    found[RUN, "steps"] = float(len(work))
    groups: dict[Subject, list[Execution]] = {}
    for one in work:
        if one.kind == ExecutionKind.AGENT:
            groups.setdefault(Subject("agent", one.name), []).append(one)
        elif one.agent is None:
            groups.setdefault(Subject("node", one.node or one.name), []).append(one)
    for subject, some in groups.items():
        found.update(_sums(subject, some))
    ends = {one.span_id: one.end_ns for one in every}
    found.update(_edges(call_chains(graph, every), ends))
    return found


def _sums(subject: Subject, found: Sequence[Execution]) -> Iterable[tuple[tuple[Subject, str], float]]:
    yield (subject, "steps"), float(len(found))
    for measure in ("duration", "input_tokens", "output_tokens", "cost", "errors"):
        values = [value for one in found if (value := execution_measure(one, measure)) is not None]
        if values:
            yield (subject, measure), max(values) if measure == "errors" else sum(values)


def _edges(calls: Sequence[Call], ends: Mapping[str, int | None]) -> Iterable[tuple[tuple[Subject, str], float]]:
    groups: dict[Subject, list[Call]] = {}
    for call in calls:
        if call.caller is not None:
            names = (unnumbered(one) for one in (call.caller, call.callee))
            groups.setdefault(Subject("edge", " → ".join(names)), []).append(call)
    for subject, some in groups.items():
        yield (subject, "steps"), float(len(some))
        waits = [
            max(0, call.execution.start_ns - end) / _S
            for call in some
            if call.kind != "child" and (end := ends.get(call.caller_id or "")) is not None
        ]
        if waits:
            yield (subject, "wait"), sum(waits) / len(waits)


__all__ = ["RUN", "UNITS", "Measures", "Subject", "execution_measure", "measures_of", "run_measure"]
