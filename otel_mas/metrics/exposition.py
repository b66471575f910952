"""Sums and buckets as Prometheus and OpenMetrics text, by prometheus_client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from otel_mas.errors import MissingExtra
from otel_mas.metrics.label_sets import Labels
from otel_mas.metrics.totals import Buckets, Exemplar, Totals
from otel_mas.semconv.metrics import Metric

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric as Family

_UNITS = {"s": "seconds", "By": "bytes"}


def families(totals: Totals, namespace: str = "") -> Iterator[Family]:
    """The metrics as prometheus_client has them. Names begin with the namespace and `_`, where there is one."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    kinds = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
    for metric, series in totals.series():
        used = [place for place in _sorted_labels(metric) if any(labels[place] is not None for labels, _ in series)]
        keys = [_label(metric.labels[place]) for place in used]
        name = prometheus_name(metric, namespace).removesuffix("_total")
        family: Any = kinds[metric.instrument](name, metric.brief, labels=keys, unit=_UNITS.get(metric.unit, ""))
        for labels, one in series:
            _add(family, [labels[place] or "" for place in used], metric, one)
        yield family


def prometheus_name(metric: Metric, namespace: str = "") -> str:
    """The name of a metric in Prometheus."""
    return f"{namespace}_{metric.prometheus}" if namespace else metric.prometheus


def prometheus_text(totals: Totals, namespace: str = "", *, openmetrics: bool = False) -> str:
    """The text of all metrics: of OpenMetrics, with exemplars, or of Prometheus.

    Raises:
        MissingExtra: prometheus_client is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry
    except ImportError:
        raise MissingExtra("prometheus_client is not installed: pip install 'otel-mas[server]'") from None
    registry = CollectorRegistry()
    registry.register(TotalsCollector(totals, namespace))
    return text_of(registry, openmetrics=openmetrics).decode()


def text_of(registry: CollectorRegistry, *, openmetrics: bool = False) -> bytes:
    """The text of a registry."""
    if openmetrics:
        from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

        return bytes(generate_openmetrics(registry))  # type: ignore[no-untyped-call] # of prometheus_client
    from prometheus_client import generate_latest

    return bytes(generate_latest(registry))


class TotalsCollector:
    """Totals as a collector of prometheus_client."""

    def __init__(self, totals: Totals, namespace: str = "") -> None:
        self._totals = totals
        self._namespace = namespace

    def collect(self) -> Iterable[Family]:
        """The families."""
        return families(self._totals, self._namespace)


def _add(family: Any, labels: list[str], metric: Metric, series: Any) -> None:
    if not isinstance(series, Buckets):
        family.add_metric(labels, series.value)
        return
    bounds = [*map(str, metric.buckets), "+Inf"]
    buckets = []
    for bound, count, exemplar in zip(bounds, accumulate(series.counts), series.exemplars, strict=True):
        buckets.append((bound, count) if exemplar is None else (bound, count, _exemplar(exemplar)))
    family.add_metric(labels, buckets, series.sum)


def _exemplar(exemplar: Exemplar) -> Any:
    from prometheus_client.samples import Exemplar as OfPrometheus

    span = exemplar.span
    return OfPrometheus({"trace_id": span.trace_id, "span_id": span.span_id}, exemplar.value, span.last_ns / 1e9)


def _sorted_labels(metric: Metric) -> list[int]:
    return sorted(range(len(metric.labels)), key=lambda place: _label(metric.labels[place]))


def _label(name: str) -> str:
    return name.replace(".", "_")


__all__ = ["Labels", "TotalsCollector", "families", "prometheus_name", "prometheus_text", "text_of"]
