"""An alert rule: a measure of metrics within a window, and the threshold above which it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from otel_mas.config.parse import duration
from otel_mas.errors.similar import did_you_mean
from otel_mas.semconv import attributes as names
from otel_mas.semconv.metrics import METRICS, Metric

PRESENT = "*"
"""In `where`: the label has a value, whichever."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STORE_LABELS = (names.USER_ID,)
"""Labels that measurements from a store have as well; a label of Prometheus for each user would be too many."""
BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
LABELS = frozenset({*_STORE_LABELS, *(label for metric in METRICS for label in metric.labels)})
"""The labels that alerts can have."""
_PLACE = re.compile(r"\{([^{}]*)\}")


def period(seconds: float) -> str:
    """A duration as Prometheus has it: `15m`."""
    whole = max(1, round(seconds))
    size, unit = next((size, unit) for size, unit in _UNITS if whole % size == 0)
    return f"{whole // size}{unit}"


def _seconds(given: object) -> object:
    return duration(given) if isinstance(given, str) else given


def _values(given: object) -> object:
    if not isinstance(given, Mapping):
        return given
    return {key: [one] if isinstance(one, str) else one for key, one in given.items()}


Seconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0)]
Selector = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_values)]
"""Values by label."""


class Severity(StrEnum):
    """How much an alert matters, the worst first."""

    CRITICAL = "critical"
    """Somebody has to look now."""
    WARNING = "warning"
    """Somebody has to look today."""
    INFO = "info"
    """Worth knowing."""


class Measure(StrEnum):
    """How a rule makes a number of the measurements within its window."""

    RATIO = "ratio"
    """How many measurements have the labels in `part`, or are of `metric` while all are of `of`: 0 to 1."""
    COUNT = "count"
    """How often: events of a counter, measurements of a histogram."""
    SUM = "sum"
    """Sum of the values, over one metric or several."""
    LAST = "last"
    """Value of a gauge now; without a window."""
    OVER = "over"
    """How many measurements of a histogram lie above `bound`, which is one of its buckets'."""
    QUANTILE = "quantile"
    """The `q`-quantile of a histogram, interpolated between the bounds of its buckets as Prometheus does."""
    SILENT = "silent"
    """How often within `baseline` before the window, where it did not happen in the window, while others did."""


_NEEDED = {
    Measure.LAST: (),
    Measure.OVER: ("window", "bound"),
    Measure.QUANTILE: ("window", "q"),
    Measure.SILENT: ("window", "baseline"),
}


class Rule(BaseModel):
    """One alert rule.

    Args:
        name: as Prometheus has it: letters, digits and underscores.
        measure: what is compared with `above` or `below`.
        metric: name in the table of metrics; several for a sum.
        where: labels that measurements need: a value, several, or "*" for any.
        part: of a ratio: labels that the part needs besides.
        of: of a ratio: the metric of all, where it is another one.
        by: labels; each combination of values is an alert of its own.
        window: seconds before now that are looked at.
        above, below: the rule holds where the measure is greater, or less.
        hold: (`for` in the file) seconds for which it has to hold before it fires.
        at_least: number of measurements, below which nothing is said; of `silent`, within the baseline.
        bound: of `over`.
        q: of `quantile`, between 0 and 1.
        baseline: of `silent`, in seconds.
        severity, summary, runbook: for people. `{label}` in the summary stands for the value of a label in `by`, and
            `{above}`, `{below}`, `{bound}`, `{q}`, `{window}` and `{baseline}` for what the rule has.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str
    measure: Measure
    metric: tuple[str, ...] = Field(min_length=1)
    where: Selector = {}
    part: Selector = {}
    of: str | None = None
    by: tuple[str, ...] = ()
    window: Seconds = 0.0
    above: float | None = None
    below: float | None = None
    hold: Seconds = Field(0.0, alias="for")
    at_least: int = Field(0, ge=0)
    bound: float | None = None
    q: float | None = Field(None, gt=0, lt=1)
    baseline: Seconds | None = None
    severity: Severity = Severity.WARNING
    summary: str
    runbook: str | None = None

    @field_validator("metric", mode="before")
    @classmethod
    def _several(cls, given: object) -> object:
        return [given] if isinstance(given, str) else given

    @field_validator("name")
    @classmethod
    def _is_name(cls, name: str) -> str:
        if _NAME.fullmatch(name) is None:
            raise ValueError("write letters, digits and underscores, as in ToolFailureRatio")
        return name

    @model_validator(mode="after")
    def _fits_its_measure(self) -> Self:
        missing = [name for name in _NEEDED.get(self.measure, ("window",)) if not getattr(self, name)]
        if missing:
            raise ValueError(f"measure {self.measure} needs `{missing[0]}`")
        if self.measure is not Measure.SILENT and (self.above is None) is (self.below is None):
            raise ValueError("give either `above` or `below`")
        if len(self.metric) != 1 and self.measure is not Measure.SUM:
            raise ValueError(f"measure {self.measure} is of one metric; only a sum is of several")
        if self.measure is Measure.RATIO and bool(self.part) is (self.of is not None):
            raise ValueError("a ratio needs either `part`, the labels of the part, or `of`, the metric of all")
        unknown = sorted(set(_PLACE.findall(self.summary)) - {*self.by, *self._numbers()})
        if unknown:
            raise ValueError(f"summary has {{{unknown[0]}}}, which is no label in `by` and no number of the rule")
        check(self)
        return self

    @property
    def lookback(self) -> float:
        """Seconds before now that it needs measurements of."""
        return self.window + (self.baseline or 0.0)

    def text(self, labels: Mapping[str, str]) -> str:
        """The summary for these values of its labels."""
        values = {**self._numbers(), **labels}
        return _PLACE.sub(lambda found: values.get(found[1]) or "(none)", self.summary)

    def _numbers(self) -> Mapping[str, str]:
        """Its numbers in words, by field; a rule that changes one of a built-in rule says that one."""
        amounts = {"above": self.above, "below": self.below, "bound": self.bound}
        found = {name: self._shown(value) for name, value in amounts.items() if value is not None}
        times = {"window": self.window, "baseline": self.baseline}
        found |= {name: period(seconds) for name, seconds in times.items() if seconds}
        return found if self.q is None else {**found, "q": f"P{100 * self.q:.10g}"}

    def _shown(self, value: float) -> str:
        if self.measure is Measure.RATIO:
            return f"{100 * value:.10g} %"
        unit = BY_NAME[self.metric[0]].unit if self.metric[0] in BY_NAME else ""
        return f"{value / 2**30:.3g} GiB" if unit == "By" else f"{value:,.10g}"

    def holds(self, value: float) -> bool:
        """Whether the rule holds for this value of its measure."""
        if self.below is not None:
            return value < self.below
        return value > (self.above or 0.0)


def check(rule: Rule) -> None:
    """Raise ValueError where the table of metrics has no such metric or label, or it does not fit the measure."""
    metrics = [_metric(name) for name in (*rule.metric, *([rule.of] if rule.of else []))]
    labels = {*rule.where, *rule.part, *rule.by}
    for metric in metrics:
        known = {*metric.labels, *_STORE_LABELS}
        unknown = sorted(labels - known)
        if unknown:
            raise ValueError(
                f"{metric.name} has no label {unknown[0]}{did_you_mean(unknown[0], known)}; it has "
                f"{', '.join(metric.labels) or 'none'}"
            )
    metric = metrics[0]
    if (metric.instrument == "gauge") is not (rule.measure is Measure.LAST):
        raise ValueError(f"{metric.name} is a {metric.instrument}: `last` is for gauges, and they have nothing else")
    if rule.measure in (Measure.OVER, Measure.QUANTILE) and metric.instrument != "histogram":
        raise ValueError(f"{metric.name} is a {metric.instrument}: measure {rule.measure} needs a histogram")
    if rule.measure is Measure.OVER and rule.bound not in metric.buckets:
        raise ValueError(
            f"bound is {rule.bound:g}: {metric.name} has the buckets {', '.join(f'{one:g}' for one in metric.buckets)}"
        )


def _metric(name: str) -> Metric:
    found = BY_NAME.get(name)
    if found is None:
        raise ValueError(f"there is no metric {name}{did_you_mean(name, BY_NAME)}: docs/metrics.md lists them")
    return found


__all__ = ["LABELS", "PRESENT", "Measure", "Rule", "Seconds", "Severity", "period"]
