"""Evaluation of rules over the measurements of a time window. Pure: the same numbers as the rule's PromQL gives."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from otel_mas.alert.rules import BY_NAME, PRESENT, Measure, Rule, Selector
from otel_mas.semconv.metrics import Metric

_S = 10**9
_EVER_S = 10.0**9


class Measurement(Protocol):
    """One value of a metric at a time: an event of a counter, a value of a histogram or a gauge."""

    @property
    def metric(self) -> Metric: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def value(self) -> float: ...
    @property
    def time_ns(self) -> int: ...


Labels = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that holds now, for one combination of its labels."""

    rule: Rule
    labels: Labels
    value: float

    @property
    def summary(self) -> str:
        """The rule's, with the values of the labels."""
        return self.rule.text(dict(self.labels))


def evaluate(rules: Iterable[Rule], measurements: Iterable[Measurement], now_ns: int) -> tuple[Breach, ...]:
    """The rules that hold at a time, in their order, the labels sorted.

    Args:
        measurements: of at least `lookback` seconds of each rule before `now_ns`.
    """
    by_metric: dict[str, list[Measurement]] = defaultdict(list)
    for one in measurements:
        by_metric[one.metric.name].append(one)
    return tuple(
        Breach(rule, labels, value)
        for rule in rules
        for labels, value in sorted(_Window(rule, by_metric, now_ns).values().items())
        if rule.measure is Measure.SILENT or rule.holds(value)
    )


class _Window:
    """One rule, and the measurements that it looks at."""

    def __init__(self, rule: Rule, by_metric: Mapping[str, Sequence[Measurement]], now_ns: int) -> None:
        self._rule = rule
        self._by_metric = by_metric
        self._now_ns = now_ns

    def values(self) -> dict[Labels, float]:
        """The measure of each combination of labels that has enough measurements."""
        rule = self._rule
        if rule.measure is Measure.SILENT:
            return self._silent()
        if rule.measure is Measure.LAST:
            return self._last()
        found = self._groups(rule.metric, rule.where)
        if rule.measure is Measure.RATIO:
            return self._ratios(found)
        return {labels: _value(rule, group) for labels, group in found.items() if _number(group) >= rule.at_least}

    def _ratios(self, found: Mapping[Labels, Sequence[Measurement]]) -> dict[Labels, float]:
        rule = self._rule
        part: Mapping[Labels, Sequence[Measurement]]
        whole: Mapping[Labels, Sequence[Measurement]]
        if rule.of is None:
            part, whole = self._groups(rule.metric, {**rule.where, **rule.part}), found
        else:
            part, whole = found, self._groups((rule.of,), rule.where)
        numbers = {labels: _number(group) for labels, group in whole.items()}
        return {
            labels: _number(part.get(labels, ())) / number
            for labels, number in numbers.items()
            if number >= max(rule.at_least, 1)
        }

    def _silent(self) -> dict[Labels, float]:
        rule = self._rule
        now = self._groups(rule.metric, rule.where)
        if not now:
            return {}
        before = self._groups(rule.metric, rule.where, rule.window + (rule.baseline or 0.0), rule.window)
        return {
            labels: _number(group)
            for labels, group in before.items()
            if labels not in now and _number(group) >= max(rule.at_least, 1)
        }

    def _last(self) -> dict[Labels, float]:
        found: dict[Labels, float] = {}
        for labels, group in self._groups(self._rule.metric, self._rule.where, _EVER_S).items():
            series: dict[Labels, Measurement] = {}
            for one in group:
                key = tuple(sorted(one.labels.items()))
                if key not in series or one.time_ns >= series[key].time_ns:
                    series[key] = one
            found[labels] = math.fsum(one.value for one in series.values())
        return found

    def _groups(
        self, metrics: Iterable[str], where: Selector, since_s: float | None = None, until_s: float = 0.0
    ) -> dict[Labels, list[Measurement]]:
        """Measurements that are selected, between two ages in seconds, by their labels in `by`."""
        # Whole numbers: as a float, now is 256 ns off.
        since_ns = self._now_ns - int((self._rule.window if since_s is None else since_s) * _S)
        until_ns = self._now_ns - int(until_s * _S)
        found: dict[Labels, list[Measurement]] = defaultdict(list)
        for metric in metrics:
            for one in self._by_metric.get(metric, ()):
                if since_ns < one.time_ns <= until_ns and _selected(one, where):
                    found[tuple((name, one.labels.get(name, "")) for name in sorted(self._rule.by))].append(one)
        return found


def _selected(one: Measurement, where: Selector) -> bool:
    return all(
        (bool(found) if PRESENT in values else found in values)
        for name, values in where.items()
        for found in [one.labels.get(name, "")]
    )


def _value(rule: Rule, group: Sequence[Measurement]) -> float:
    match rule.measure:
        case Measure.SUM:
            return math.fsum(one.value for one in group)
        case Measure.OVER:
            return float(sum(one.value > (rule.bound or 0.0) for one in group))
        case Measure.QUANTILE:
            return _quantile(rule, group)
        case _:
            return _number(group)


def _number(group: Sequence[Measurement]) -> float:
    """How often something happened: the sum of a counter, the number of a histogram's values."""
    if group and group[0].metric.instrument == "counter":
        return math.fsum(one.value for one in group)
    return float(len(group))


def _quantile(rule: Rule, group: Sequence[Measurement]) -> float:
    """As `histogram_quantile` of Prometheus: between the bounds of a bucket, values are taken to lie evenly."""
    bounds = BY_NAME[rule.metric[0]].buckets
    counts = [0] * (len(bounds) + 1)
    for one in group:
        counts[bisect_left(bounds, one.value)] += 1
    rank, below, place = (rule.q or 0.0) * len(group), 0, 0
    while below + counts[place] < rank:
        below += counts[place]
        place += 1
    if place == len(bounds):
        return float(bounds[-1])
    lower = bounds[place - 1] if place else 0.0
    return lower + (bounds[place] - lower) * (rank - below) / counts[place]


__all__ = ["Breach", "Labels", "Measurement", "evaluate"]
