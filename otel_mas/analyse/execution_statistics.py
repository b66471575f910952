"""Executions by agent, node, tool or model: how often each succeeded, how long it took, its errors, its model calls."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from otel_mas.analyse.executions import SUCCEEDED, Execution, ExecutionKind
from otel_mas.analyse.percentiles import Percentiles
from otel_mas.semconv import TaskOutcome

BY: Mapping[str, tuple[ExecutionKind, ...]] = {
    "agent": (ExecutionKind.AGENT,),
    "node": (ExecutionKind.TASK, ExecutionKind.AGENT),
    "tool": (ExecutionKind.TOOL, ExecutionKind.RETRIEVAL),
    "model": (ExecutionKind.MODEL,),
}
"""By what executions are grouped, and the kinds that count."""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """The calls of one model in a group. Tokens are sums; `cost_usd` None where no call has a price."""

    name: str
    calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    durations: Percentiles


@dataclass(frozen=True, slots=True)
class ExecutionStatistics:
    """The executions of one agent, node, tool or model, over one or many runs. Times in ns."""

    by: str
    name: str
    executions: int
    errors: int
    success_rate: float | None
    """Part, of those that returned, handed over or failed, that did not fail; None where there are none of these.
    Paused, cancelled and unfinished ones do not count."""
    durations: Percentiles
    """Durations of those that have ended and did not pause."""
    model_ns: int
    """Sum over the executions, as `tool_ns` and `overhead_ns`."""
    tool_ns: int
    overhead_ns: int
    total_ns: int
    """Sum of all durations."""
    error_types: tuple[tuple[str, int], ...]
    """Types of errors and how often, the most common first; "" where none was recorded."""
    models: tuple[ModelUse, ...]
    """Models that were called inside, the most used first."""

    @property
    def model_share(self) -> float | None:
        """Part of the time in which a model ran."""
        return self.model_ns / self.total_ns if self.total_ns else None


def execution_statistics(found: Iterable[Execution], by: str = "agent") -> tuple[ExecutionStatistics, ...]:
    """A row for each agent, node, tool or model, the one with the most time first.

    Args:
        found: Executions of all kinds: model calls are what the rows' models are counted from.
        by: A key of `BY`.
    """
    kinds = BY[by]
    groups: dict[str, list[Execution]] = {}
    calls: dict[str, list[Execution]] = {}
    for one in found:
        if one.kind in kinds:
            groups.setdefault(_key(one, by) or one.name, []).append(one)
        if one.kind == ExecutionKind.MODEL and (name := _key(one, by)) is not None:
            calls.setdefault(name, []).append(one)
    rows = (_row(by, name, executions, calls.get(name, ())) for name, executions in groups.items())
    return tuple(sorted(rows, key=lambda row: (-row.total_ns, row.name)))


def _key(one: Execution, by: str) -> str | None:
    return one.agent if by == "agent" else one.node if by == "node" else one.name


def _row(by: str, name: str, found: Sequence[Execution], calls: Sequence[Execution]) -> ExecutionStatistics:
    errors = [one for one in found if one.status == TaskOutcome.ERROR]
    good = sum(one.status in SUCCEEDED for one in found)
    tried = good + len(errors)
    return ExecutionStatistics(
        by=by,
        name=name,
        executions=len(found),
        errors=len(errors),
        success_rate=good / tried if tried else None,
        durations=Percentiles.of(one.duration_ns or 0 for one in found if ended(one)),
        model_ns=sum(one.model_ns for one in found),
        tool_ns=sum(one.tool_ns for one in found),
        overhead_ns=sum(one.overhead_ns for one in found),
        total_ns=sum(one.duration_ns or 0 for one in found),
        error_types=tuple(sorted(Counter(one.error_type or "" for one in errors).items(), key=lambda i: (-i[1], i[0]))),
        models=_models(calls),
    )


def ended(one: Execution) -> bool:
    """Whether its duration is that of the work: it has ended, and did not pause."""
    return one.end_ns is not None and one.status != TaskOutcome.INTERRUPTED


def _models(calls: Sequence[Execution]) -> tuple[ModelUse, ...]:
    groups: dict[str, list[Execution]] = {}
    for call in calls:
        groups.setdefault(call.name, []).append(call)
    uses = []
    for name, found in groups.items():
        prices = [call.cost_usd for call in found if call.cost_usd is not None]
        uses.append(
            ModelUse(
                name=name,
                calls=len(found),
                errors=sum(call.status == TaskOutcome.ERROR for call in found),
                input_tokens=sum(call.input_tokens for call in found),
                output_tokens=sum(call.output_tokens for call in found),
                cost_usd=math.fsum(prices) if prices else None,
                durations=Percentiles.of(call.duration_ns or 0 for call in found if ended(call)),
            )
        )
    return tuple(sorted(uses, key=lambda use: (-use.calls, use.name)))


__all__ = ["BY", "ExecutionStatistics", "ModelUse", "ended", "execution_statistics"]
