"""Metrics over many runs: count, mean, percentiles and trend of a measure, in all and by window of time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from otel_mas.analyse.measures import UNITS
from otel_mas.analyse.percentiles import percentile
from otel_mas.analyse.statistics import Trend, trend

OF_RUNS = ("duration", "input_tokens", "output_tokens", "cost", "errors")
OF_EXECUTIONS = ("duration", "model_time", "tool_time", "overhead", *OF_RUNS[1:])
"""Names of metrics."""
MOST_WINDOWS = 10_000
_SHARES = {"errors"}


@dataclass(frozen=True, slots=True)
class Observation:
    """One value: of a run or an execution that started at this time."""

    name: str
    time_ns: int
    value: float


@dataclass(frozen=True, slots=True)
class Window:
    """The values of a stretch of time; of errors, 0 or 1 each, `mean` is their share and there are no percentiles."""

    start_ns: int
    end_ns: int
    """The windows of a metric are of one length, and begin at multiples of it since the epoch."""
    n: int
    sum: float
    mean: float
    p50: float | None
    p90: float | None
    p99: float | None
    max: float


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure of one agent, node, tool, model, service, or of all runs."""

    measure: str
    unit: str
    by: str
    """run, service, agent, node, tool or model."""
    name: str
    """Name of the agent, ...; empty for all runs."""
    whole: Window
    windows: tuple[Window, ...]
    """Those with values, in time order; none where no window was asked for."""
    trend: Trend | None
    """Slope of the values over time; of errors that of the windows' shares. None where there are too few to tell."""


def metrics(
    found: Iterable[Observation], measure: str, by: str, window_ns: int | None = None, *, trends: bool = True
) -> tuple[Metric, ...]:
    """A metric for each name, the one with the most values first.

    Args:
        found: The values, in any order.
        measure: One of `OF_RUNS` or `OF_EXECUTIONS`.
        by: By what the names are.
        window_ns: Length of the windows.
        trends: Whether to work out trends, which needs scipy.

    Raises:
        MissingExtra: scipy is not installed.
    """
    ordered = sorted(found, key=attrgetter("name", "time_ns"))
    rows = [
        _metric(name, list(group), measure, by, window_ns, trends)
        for name, group in groupby(ordered, key=attrgetter("name"))
    ]
    return tuple(sorted(rows, key=lambda row: (-row.whole.n, row.name)))


def _metric(
    name: str, values: Sequence[Observation], measure: str, by: str, window_ns: int | None, trends: bool
) -> Metric:
    windows: tuple[Window, ...] = ()
    if window_ns is not None:
        windows = tuple(
            _window(list(group), number * window_ns, (number + 1) * window_ns, measure)
            for number, group in groupby(values, key=lambda one: one.time_ns // window_ns)
        )
    points = [(one.time_ns, one.value) for one in values]
    if measure in _SHARES:
        points = [((one.start_ns + one.end_ns) // 2, one.mean) for one in windows]
    return Metric(
        measure=measure,
        unit=UNITS[measure],
        by=by,
        name=name,
        whole=_window(values, values[0].time_ns, values[-1].time_ns, measure),
        windows=windows,
        trend=trend(points) if trends else None,
    )


def _window(found: Sequence[Observation], start_ns: int, end_ns: int, measure: str) -> Window:
    ordered = sorted(one.value for one in found)
    p50, p90, p99 = (None if measure in _SHARES else percentile(ordered, share) for share in (0.5, 0.9, 0.99))
    total, longest = math.fsum(ordered), ordered[-1]
    return Window(start_ns, end_ns, len(ordered), total, total / len(ordered), p50, p90, p99, longest)


__all__ = ["MOST_WINDOWS", "OF_EXECUTIONS", "OF_RUNS", "Metric", "Observation", "Window", "metrics"]
