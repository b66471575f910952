"""Instruments: into the app's MeterProvider, with its views, exemplars and bounds."""

from __future__ import annotations

from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import ExponentialHistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.trace import SpanContext

from otel_mas.metrics.instruments import Instruments
from otel_mas.metrics.rules import Measure
from otel_mas.semconv import metrics

CONTEXT = SpanContext(7, 9, is_remote=False)
RUN = Measure(metrics.MAS_RUN_DURATION, ("desk", "ok"), 1.5, CONTEXT)


def points(reader: InMemoryMetricReader) -> dict[str, list[object]]:
    """The points of each metric."""
    data = reader.get_metrics_data()
    found = [] if data is None else [each for one in data.resource_metrics for each in one.scope_metrics]
    return {metric.name: list(metric.data.data_points) for each in found for metric in each.metrics}


def test_values_have_the_context_of_their_span() -> None:
    reader = InMemoryMetricReader()
    made = _made(MeterProvider([reader], exemplar_filter=AlwaysOnExemplarFilter()))
    made.add([RUN, Measure(metrics.MAS_RUNS, ("desk", "ok"), 1, CONTEXT)])
    made.add([Measure(metrics.MAS_RUNS, ("desk", "ok"), 1, CONTEXT)])

    found = points(reader)
    (duration,) = found["mas.run.duration"]
    (runs,) = found["mas.runs"]
    assert duration.attributes == {"gen_ai.agent.name": "desk", "mas.run.outcome": "ok"}
    assert (duration.count, duration.sum, runs.value) == (1, 1.5, 2)
    assert [(one.trace_id, one.span_id) for one in duration.exemplars] == [(7, 9)]


def test_a_view_makes_exponential_histograms() -> None:
    reader = InMemoryMetricReader()
    views = [View(instrument_type=Histogram, aggregation=ExponentialBucketHistogramAggregation())]
    _made(MeterProvider([reader], views=views)).add([RUN])

    assert isinstance(points(reader)["mas.run.duration"][0], ExponentialHistogramDataPoint)


def _made(provider: MeterProvider) -> Instruments:
    return Instruments(provider.get_meter("otel_mas"), 100)
