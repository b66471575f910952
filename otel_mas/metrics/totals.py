"""Sums and buckets of measurements, by metric and labels."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from otel_mas.metrics.label_sets import Labels, LabelSets
from otel_mas.metrics.rules import Measure
from otel_mas.semconv import metrics
from otel_mas.semconv.metrics import Metric


class Sum:
    """The sum of a counter."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0

    def add(self, value: float, span: Any) -> None:
        """Add a measurement."""
        self.value += value


class Exemplar(NamedTuple):
    """The last measurement in a bucket."""

    value: float
    span: Any


class Buckets:
    """The buckets of a histogram: each counts the values up to its bound, and over the one before."""

    __slots__ = ("_bounds", "counts", "exemplars", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum: float = 0
        self.exemplars: list[Exemplar | None] = [None] * (len(bounds) + 1)

    def add(self, value: float, span: Any) -> None:
        """Add a measurement."""
        place = bisect_left(self._bounds, value)
        self.counts[place] += 1
        self.sum += value
        self.exemplars[place] = Exemplar(value, span)


Series = Sum | Buckets


class Totals:
    """All of them.

    Args:
        max_labels: values that a label of a metric may have; later ones become `other`, and are counted.
        clean: makes of a label's value what is shown.
        make: makes the series of a metric with these labels.
    """

    def __init__(
        self,
        max_labels: int,
        clean: Callable[[str], str] = str,
        make: Callable[[Metric, Labels], Any] | None = None,
    ) -> None:
        self._max_labels = max_labels
        self._clean = clean
        self._make = make or _series
        self._sets: dict[Metric, LabelSets] = {}
        self._series: dict[Metric, dict[Labels, Any]] = {}
        self._memo: dict[tuple[Metric, Labels], Any] = {}

    def add(self, measures: Iterable[Measure]) -> None:
        """Add measurements."""
        memo = self._memo
        for metric, labels, value, span in measures:
            try:
                series = memo[metric, labels]
            except (KeyError, TypeError):
                series = self._known(metric, labels)
            series.add(value, span)

    def replace(self, metric: Metric, values: Iterable[tuple[Labels, float]]) -> None:
        """Set the values of a gauge; those that are not among them are gone."""
        self._series.pop(metric, None)
        for key in [key for key in self._memo if key[0] is metric]:
            del self._memo[key]
        self.add(Measure(metric, labels, value) for labels, value in values)

    def series(self) -> Iterator[tuple[Metric, list[tuple[Labels, Any]]]]:
        """Each metric that has values, in the table's order, with the series of each set of labels, sorted."""
        for metric in metrics.METRICS:
            found = self._series.get(metric)
            if found:
                yield metric, sorted(found.copy().items(), key=_order)

    def of(self, metric: Metric) -> list[tuple[Labels, Any]]:
        """The series of one metric."""
        return list(self._series.get(metric, {}).items())

    def _known(self, metric: Metric, given: Labels) -> Any:
        """The series for labels that are new, or that are not to be remembered."""
        sets = self._sets.get(metric)
        if sets is None:
            sets = self._sets[metric] = LabelSets(len(metric.labels), self._max_labels, self._clean)
        labels, overflowed = sets.bounded(given)
        if overflowed:
            self.add([Measure(metrics.MAS_METRICS_OVERFLOW, (metric.name,), 1)])
        of_metric = self._series.setdefault(metric, {})
        series = of_metric.get(labels)
        if series is None:
            series = of_metric[labels] = self._make(metric, labels)
        if labels == given:
            self._memo[metric, labels] = series
        return series


def _series(metric: Metric, _: Labels) -> Series:
    return Buckets(metric.buckets) if metric.instrument == "histogram" else Sum()


def _order(entry: tuple[Labels, Any]) -> tuple[str, ...]:
    return tuple(label or "" for label in entry[0])


__all__ = ["Buckets", "Exemplar", "Series", "Sum", "Totals"]
