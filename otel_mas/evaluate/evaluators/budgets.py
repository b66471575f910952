"""Evaluators of amounts: tokens, US dollars, time, calls and retries, each against the most that it may be.

A part of an amount that was recorded and exceeds the budget by itself fails; else, where a part is not recorded, the
evidence is insufficient.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from otel_mas.analyse.executions import ExecutionKind
from otel_mas.analyse.findings.retries import failed_tries
from otel_mas.analyse.model_calls import model_calls, states_tokens
from otel_mas.causal.failed import failed
from otel_mas.causal.steps import StepKind
from otel_mas.errors import ConfigError, InsufficientEvidence
from otel_mas.evaluate.context import RunContext
from otel_mas.evaluate.evaluator import EvaluationReason
from otel_mas.evaluate.known_names import warn_unless_known
from otel_mas.model.amounts import duration, usd

_NS_PER_MS = 1_000_000


def _check(name: str, most: float) -> None:
    if isinstance(most, bool) or not isinstance(most, int | float) or not 0 <= most < float("inf"):
        raise ConfigError(f"{name} is {most!r}: it must be a number, 0 or more")


@dataclass(frozen=True)
class MaxTokens:
    """Passes where model calls used so many tokens at most, input and output together.

    Args:
        most: number of tokens.
    """

    most: int

    def __post_init__(self) -> None:
        _check("max_tokens", self.most)

    def evaluate(self, context: RunContext) -> EvaluationReason:
        total = context.cost.total
        used = total.input_tokens + total.output_tokens
        calls = [call.span for call in model_calls(context.graph.spans)]
        silent = sum(not states_tokens(span) and not failed(span) for span in calls)
        if used <= self.most and silent:
            raise InsufficientEvidence(
                f"{silent:,} of {total.calls:,} model calls do not say how many tokens they used (gen_ai.usage.*)"
            )
        if used <= self.most:
            context.check_complete()
        return EvaluationReason(used <= self.most, f"{used:,} tokens of {self.most:,}")


@dataclass(frozen=True)
class MaxCostUsd:
    """Passes where the model calls cost so many US dollars at most.

    Args:
        most: US dollars.
    """

    most: float

    def __post_init__(self) -> None:
        _check("max_cost_usd", self.most)

    def evaluate(self, context: RunContext) -> EvaluationReason:
        table = context.cost
        spent = table.total.usd or 0.0
        if spent <= self.most and table.unpriced:
            raise InsufficientEvidence(
                f"{len(table.unpriced):,} of {table.total.calls:,} model calls have no price: "
                f"{table.unpriced[0].reason}"
            )
        if spent <= self.most:
            context.check_complete()
        return EvaluationReason(spent <= self.most, f"{usd(spent)} of {usd(float(self.most))}")


@dataclass(frozen=True)
class MaxLatencyMs:
    """Passes where the run took so many milliseconds of wall time at most; of a conversation each trace is counted.

    Args:
        most: milliseconds.
    """

    most: float

    def __post_init__(self) -> None:
        _check("max_latency_ms", self.most)

    def evaluate(self, context: RunContext) -> EvaluationReason:
        took = sum(end - start for start, end in wall_times(context))
        return _timed(took, self.most, context)


@dataclass(frozen=True)
class MaxCriticalPathMs:
    """Passes where the work on the critical path took so many milliseconds at most: waits for input do not count.

    Args:
        most: milliseconds.
    """

    most: float

    def __post_init__(self) -> None:
        _check("max_critical_path_ms", self.most)

    def evaluate(self, context: RunContext) -> EvaluationReason:
        return _timed(critical_path_ns(context), self.most, context)


def wall_times(context: RunContext) -> Iterator[tuple[int, int]]:
    """Start and end of each trace of the run, ns."""
    graph = context.graph
    found: dict[str, tuple[int, int]] = {}
    for span, end in zip(graph.spans, graph.ends, strict=True):
        first, last = found.get(span.trace_id, (span.start_ns, end))
        found[span.trace_id] = min(first, span.start_ns), max(last, end)
    yield from found.values()


def critical_path_ns(context: RunContext) -> int:
    """Time of the critical path without waits for input, in ns."""
    steps = context.graph.critical_path().numbers()
    return sum(end - start for _, start, end, kind in steps if kind != StepKind.WAITING)


def _timed(took: int, most_ms: float, context: RunContext) -> EvaluationReason:
    most = round(most_ms * _NS_PER_MS)
    running = [root for root in context.graph.roots if root.end_ns is None]
    if took <= most and running:
        raise InsufficientEvidence(f"{running[0].name} has not ended, or its end was not recorded")
    if took <= most and not _whole(context):
        context.check_complete()
    return EvaluationReason(took <= most, f"{duration(took)} of {duration(most)}")


def _whole(context: RunContext) -> bool:
    """Whether each trace of the run has its root, so that losses inside of it do not change when it began and ended."""
    spans = context.graph.spans
    return {one.trace_id for one in spans} == {one.trace_id for one in spans if one.parent_span_id is None}


@dataclass(frozen=True)
class Calls:
    """Passes where a tool, an agent or a model was called within a range of times.

    Args:
        most: times at most; None: any number.
        least: times at least.
        tool: the name of a tool.
        agent: the name of an agent: how often it was at work.
        model: the name of a model. Without any name all calls of tools are counted.
        by: only calls that this agent made.
    """

    most: int | None = None
    least: int = 0
    tool: str | None = None
    agent: str | None = None
    model: str | None = None
    by: str | None = None

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.tool, self.agent, self.model)) > 1:
            raise ConfigError("calls: give one of tool, agent and model")
        _check("calls: least", self.least)
        if self.most is not None:
            _check("calls: most", self.most)
        if self.most is None and self.least == 0:
            raise ConfigError("calls: give most, least or both; without them any number passes")
        if self.most is not None and self.most < self.least:
            raise ConfigError(f"calls: most is {self.most}, less than least, {self.least}")

    def evaluate(self, context: RunContext) -> EvaluationReason:
        kind, name = self._counted()
        warn_unless_known(context, kind, name)
        warn_unless_known(context, ExecutionKind.AGENT, self.by)
        found = sum(
            one.kind == kind and name in (None, one.name) and self.by in (None, one.agent) for one in context.executions
        )
        passed = found >= self.least and (self.most is None or found <= self.most)
        if found < self.least or passed:
            context.check_complete()
        limit = f"{self.least:,} at least" if self.most is None else f"{self.least:,} to {self.most:,}"
        return EvaluationReason(passed, f"{kind.value} {name or 'calls'}: {found:,} times, of {limit}")

    def _counted(self) -> tuple[ExecutionKind, str | None]:
        if self.agent is not None:
            return ExecutionKind.AGENT, self.agent
        if self.model is not None:
            return ExecutionKind.MODEL, self.model
        return ExecutionKind.TOOL, self.tool


@dataclass(frozen=True)
class MaxRetries:
    """Passes where so many calls and tasks at most failed and were tried again.

    Args:
        most: number of attempts beyond the first ones.
    """

    most: int = 0

    def __post_init__(self) -> None:
        _check("max_retries", self.most)

    def evaluate(self, context: RunContext) -> EvaluationReason:
        tries = context.facts.once(failed_tries)
        again = sum(len(one.failed) - (one.worked is None) for one in tries)
        if again <= self.most:
            context.check_complete()
        names = ", ".join(dict.fromkeys(one.what for one in tries if len(one.failed) - (one.worked is None)))
        return EvaluationReason(
            again <= self.most, f"{again:,} of {self.most:,} retries" + (f": {names}" if names else "")
        )


__all__ = [
    "Calls",
    "MaxCostUsd",
    "MaxCriticalPathMs",
    "MaxLatencyMs",
    "MaxRetries",
    "MaxTokens",
    "critical_path_ns",
    "wall_times",
]
