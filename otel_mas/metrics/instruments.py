"""Measurements into OpenTelemetry's metrics API, of the app's MeterProvider.

Sums are kept here, and observed when a reader collects; values of histograms are recorded one by one, since only the
SDK knows the views that they are for. Both take the views, the temporality and the exemplar filter that the app gave
its provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from otel_mas.metrics.label_sets import Labels
from otel_mas.metrics.rules import Measure
from otel_mas.metrics.totals import Sum, Totals
from otel_mas.semconv import metrics
from otel_mas.semconv.metrics import Metric

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, Meter

Gauge = Callable[[], Iterable[tuple[Labels, float]]]


class Instruments:
    """Instruments of one meter, for the metrics that the app computes.

    Args:
        meter: of the app's provider.
        max_labels: values that a label of a metric may have.
        clean: makes of a label's value what is shown.
        collecting: called as a reader collects, on its thread, before anything is observed.
        observed: metrics that are looked up then, not measured.
    """

    def __init__(
        self,
        meter: Meter,
        max_labels: int,
        clean: Callable[[str], str] = str,
        collecting: Callable[[], None] = lambda: None,
        observed: Mapping[Metric, Gauge] | None = None,
    ) -> None:
        self._histograms: dict[Metric, Histogram] = {}
        self._totals = Totals(max_labels, clean, self._made)
        self._collecting = collecting
        self._observed = observed or {}
        for metric in metrics.METRICS:
            if "app" in metric.computed_by:
                self._create(meter, metric)

    def add(self, measures: Iterable[Measure]) -> None:
        """Take measurements, each with the context of its span."""
        self._totals.add(measures)

    def _create(self, meter: Meter, metric: Metric) -> None:
        if metric.instrument == "histogram":
            self._histograms[metric] = meter.create_histogram(
                metric.name, metric.unit, metric.brief, explicit_bucket_boundaries_advisory=metric.buckets
            )
        elif metric.instrument == "counter":
            meter.create_observable_counter(metric.name, [self._callback(metric)], metric.unit, metric.brief)
        else:
            meter.create_observable_gauge(metric.name, [self._callback(metric)], metric.unit, metric.brief)

    def _made(self, metric: Metric, labels: Labels) -> Any:
        histogram = self._histograms.get(metric)
        return Sum() if histogram is None else _Values(histogram, _attributes(metric, labels))

    def _callback(self, metric: Metric) -> Callable[[CallbackOptions], Iterator[Observation]]:
        observed = self._observed.get(metric)

        def observe(_: CallbackOptions) -> Iterator[Observation]:
            # A reader calls back all instruments before it collects the histograms.
            self._collecting()
            found = observed() if observed is not None else self._sums(metric)
            for labels, value in found:
                yield Observation(value, _attributes(metric, labels))

        return observe

    def _sums(self, metric: Metric) -> Iterator[tuple[Labels, float]]:
        for labels, series in self._totals.of(metric):
            yield labels, series.value


class _Values:
    """The series of a histogram."""

    __slots__ = ("_attributes", "_histogram")

    def __init__(self, histogram: Histogram, attributes: dict[str, str]) -> None:
        self._histogram = histogram
        self._attributes = attributes

    def add(self, value: float, span: Any) -> None:
        """Record a measurement, in the context of its span."""
        self._histogram.record(value, self._attributes, set_span_in_context(NonRecordingSpan(span), Context()))


def _attributes(metric: Metric, labels: Labels) -> dict[str, str]:
    return {name: value for name, value in zip(metric.labels, labels, strict=True) if value is not None}


__all__ = ["Gauge", "Instruments"]
