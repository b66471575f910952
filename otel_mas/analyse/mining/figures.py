"""Figures of what happened many times: how often, in how many runs, how long, at what cost, with which errors."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from otel_mas.analyse.percentiles import percentile
from otel_mas.model import TraceSummary
from otel_mas.model.status import TraceStatus


@dataclass(frozen=True, slots=True)
class Run:
    """One trace among many."""

    number: int
    trace_id: str
    workflow: str
    """The name of its root, without the operation."""
    service: str
    failed: bool
    duration_ns: int | None
    """None of a run that has not ended, or has paused."""
    input_tokens: int
    output_tokens: int
    cost_usd: float | None

    @classmethod
    def of(cls, number: int, summary: TraceSummary, costs: Iterable[float]) -> Self:
        """The run that a list of traces tells of.

        Args:
            costs: Of its model calls, whose sum in a list depends on their order.
        """
        paused = summary.status == TraceStatus.INTERRUPTED
        return cls(
            number,
            summary.trace_id,
            workflow_of(summary),
            summary.service,
            summary.status == TraceStatus.ERROR,
            None if paused else summary.duration_ns,
            summary.input_tokens,
            summary.output_tokens,
            None if summary.cost_usd is None else math.fsum(costs),
        )


def workflow_of(summary: TraceSummary) -> str:
    """The name of the workflow or agent that a trace is a run of."""
    return summary.name.removeprefix("invoke_workflow ").removeprefix("invoke_agent ")


Figures = tuple[bool, int | None, int, int, float | None]
"""Whether an execution or run failed, its duration in ns, input and output tokens, and its cost in USD."""


class Counted:
    """Executions or runs, counted; their durations in ns and costs in USD are kept, 8 bytes each."""

    __slots__ = ("costs", "count", "durations", "errors", "input_tokens", "output_tokens", "runs")

    def __init__(self) -> None:
        self.count = 0
        self.errors = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.durations = array("q")
        self.costs = array("d")
        self.runs = array("l")
        """Numbers of the runs that it is in."""

    def add(self, run: int, found: Sequence[Figures]) -> None:
        """Count the executions of one run."""
        self.count += len(found)
        self.runs.append(run)
        for failed, duration_ns, read, wrote, cost_usd in found:
            if failed:
                self.errors += 1
            if duration_ns is not None:
                self.durations.append(duration_ns)
            if read or wrote:
                self.input_tokens += read
                self.output_tokens += wrote
            if cost_usd is not None:
                self.costs.append(cost_usd)

    @property
    def cost_usd(self) -> float | None:
        """The sum of the costs that are known, the same in any order; None without any."""
        return math.fsum(self.costs) if self.costs else None


def median_and_p95(values: Sequence[int]) -> tuple[int | None, int | None]:
    """Median and 95th percentile, rounded; None without values."""
    if not values:
        return None, None
    ordered = sorted(values)
    return round(percentile(ordered, 0.5)), round(percentile(ordered, 0.95))


__all__ = ["Counted", "Figures", "Run", "median_and_p95", "workflow_of"]
