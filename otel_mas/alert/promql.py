"""Rules as PromQL.

`increase` does not see the first value of a series, and most series here are rare: a tool that never failed has no
series of failures until it does. So a series that is new within the window counts with its whole value, where its
target was scraped before the window: `serve` begins with what its store has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from otel_mas.alert.rules import BY_NAME, PRESENT, Measure, Rule, Selector, period
from otel_mas.semconv.metrics import Metric

_SUFFIXES = ("_count", "_sum", "_bucket")


def label(name: str) -> str:
    """The name of an attribute as a label of Prometheus."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def expression(rule: Rule, namespace: str = "") -> str | None:
    """The rule as an expression that has a value for each alert.

    Args:
        namespace: as OTEL_MAS_METRICS_NAMESPACE, which the names of metrics begin with.

    Returns:
        None where the rule needs a label that Prometheus has not.
    """
    labels = {*rule.by, *rule.where, *rule.part}
    if any(not labels <= {*BY_NAME[name].labels} for name in (*rule.metric, *([rule.of] if rule.of else []))):
        return None
    return _Expression(rule, namespace).text()


@dataclass(frozen=True)
class _Expression:
    rule: Rule
    namespace: str

    def text(self) -> str:
        rule = self.rule
        match rule.measure:
            case Measure.LAST:
                return self._compared(self._sum(self._series(self._metric, rule.where)))
            case Measure.SILENT:
                return self._silent()
            case Measure.RATIO:
                value, number = self._ratio(), self._number(self._whole)
            case Measure.QUANTILE:
                buckets = self._increase(self._series(self._metric, rule.where, "_bucket"))
                value = f"histogram_quantile({rule.q:g}, {self._sum(buckets, ('le',))})"
                number = self._number(self._metric)
            case Measure.OVER:
                below = self._series(self._metric, rule.where, "_bucket", le=_bounds(rule.bound or 0.0))
                number = self._number(self._metric)
                value = f"{number} - {self._sum(self._increase(below))}"
            case Measure.SUM:
                value, number = self._sums(), self._number(self._metric)
            case Measure.COUNT:
                value = number = self._number(self._metric)
        compared = self._compared(value)
        return f"{compared} and {number} {_at_least(rule.at_least)}" if rule.at_least else compared

    @property
    def _metric(self) -> Metric:
        return BY_NAME[self.rule.metric[0]]

    @property
    def _whole(self) -> Metric:
        return BY_NAME[self.rule.of or self.rule.metric[0]]

    def _ratio(self) -> str:
        rule = self.rule
        whole = self._number(self._whole)
        part = self._number(self._metric, {**rule.where, **rule.part})
        if rule.below is not None:  # none of the part is a part of 0
            part = f"({part} or {whole} * 0)"
        return f"{part} / {whole}"

    def _sums(self) -> str:
        sums = [
            self._sum(self._increase(self._series(BY_NAME[name], self.rule.where, "_sum"))) for name in self.rule.metric
        ]
        if len(sums) == 1:
            return sums[0]
        # A group that one of the metrics lacks has a sum of the others.
        others = [[f"{other} * 0" for other in sums if other != one] for one in sums]
        return "(" + " + ".join(f"({' or '.join([one, *rest])})" for one, rest in zip(sums, others, strict=True)) + ")"

    def _silent(self) -> str:
        rule = self.rule
        series = self._series(self._metric, rule.where, "_count")
        before = self._sum(self._increase(series, rule.baseline or 0.0, rule.window))
        now = self._increase(series)
        return (
            f"{before} {_at_least(max(rule.at_least, 1))} unless {self._sum(now)} {_at_least(1)} "
            f"and on () sum{now} {_at_least(1)}"
        )

    def _number(self, metric: Metric, where: Selector | None = None) -> str:
        return self._sum(self._increase(self._series(metric, self.rule.where if where is None else where, "_count")))

    def _series(self, metric: Metric, where: Selector, suffix: str = "", **more: Iterable[str]) -> str:
        """A selector; `suffix` is of a histogram's series."""
        name = metric.prometheus + (suffix if metric.instrument == "histogram" else "")
        matchers = [_matcher(label(key), values) for key, values in [*where.items(), *more.items()]]
        prefix = f"{self.namespace}_" if self.namespace else ""
        return f"{prefix}{name}{{{', '.join(matchers)}}}" if matchers else f"{prefix}{name}"

    def _increase(self, series: str, seconds: float | None = None, ago: float = 0.0) -> str:
        """How much series grew within so many seconds, up to some time ago."""
        seconds = self.rule.window if seconds is None else seconds
        end = f" offset {period(ago)}" if ago else ""
        start = f"offset {period(seconds + ago)}"
        new = f"{series}{end} unless {series} {start} and on (job, instance) (up {start} == 1)"
        return f"({new} or increase({series}[{period(seconds)}]{end}))"

    def _sum(self, vector: str, more: tuple[str, ...] = ()) -> str:
        by = [*more, *(label(name) for name in self.rule.by)]
        inner = vector if vector.startswith("(") else f"({vector})"
        return f"sum by ({', '.join(by)}) {inner}" if by else f"sum{inner}"

    def _compared(self, value: str) -> str:
        rule = self.rule
        if rule.below is not None:
            return f"{value} < {rule.below:.15g}"
        above = rule.above or 0.0
        if rule.measure in (Measure.COUNT, Measure.OVER):  # whole numbers, but for how `increase` extrapolates
            above = math.floor(above) + 0.5
        return f"{value} > {above:.15g}"


def _at_least(number: int) -> str:
    """The comparison for a number of measurements, of which `increase` may see a little more or less."""
    return f"> {number - 0.5:g}"


def _matcher(name: str, values: Iterable[str]) -> str:
    given = tuple(values)
    if PRESENT in given:
        return f'{name}!=""'
    if len(given) == 1:
        return f"{name}={_quoted(given[0])}"
    return f"{name}=~{_quoted('|'.join(re.escape(one) for one in given))}"


def _bounds(bound: float) -> tuple[str, ...]:
    """How exporters write the bound of a bucket: `1`, `1.0`, `1e+06`."""
    mantissa, _, exponent = f"{bound:.16e}".partition("e")
    digits = mantissa.rstrip("0").rstrip(".")
    written = [repr(float(bound)), f"{bound:.15g}", f"{digits}e{exponent}"]
    return tuple(dict.fromkeys(written))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def annotation(rule: Rule) -> str:
    """The summary as a template of Prometheus."""
    values: Mapping[str, str] = {name: f"{{{{ $labels.{label(name)} }}}}" for name in rule.by}
    return rule.text(values)


__all__ = ["annotation", "expression", "label"]
