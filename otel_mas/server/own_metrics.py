"""The server's own metrics: a meter provider of its own, and its figures as Prometheus reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS_TYPE
from prometheus_client.registry import Collector

from otel_mas.metrics.exposition import text_of
from otel_mas.semconv import attributes as names

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_OPENMETRICS: Final = "application/openmetrics-text"
_EXPORTER = "OTEL_METRICS_EXPORTER"


class OwnMetrics:
    """The provider, and one registry for its figures and those of the runs. It exports its own over OTLP only where
    OTEL_METRICS_EXPORTER says `otlp`.

    Args:
        environ: the variables to read.
        namespace: the beginning of names, before a `_`.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ, namespace: str = "") -> None:
        self._registry = CollectorRegistry()
        readers: list[MetricReader] = [
            PrometheusMetricReader(prefix=namespace, scope_info_enabled=False, registry=self._registry)
        ]
        if "otlp" in [one.strip() for one in environ.get(_EXPORTER, "").split(",")]:
            readers.append(_otlp_reader(environ))
        resource = Resource.create({names.SERVICE_NAME: "otel-mas"})
        self._provider = MeterProvider(readers, resource, shutdown_on_exit=False)

    @property
    def meter(self) -> Meter:
        """For the instruments of this process."""
        return self._provider.get_meter("otel_mas")

    def add(self, collector: Collector) -> None:
        """Show the figures of a collector, too."""
        self._registry.register(collector)

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """All figures, and their content type: OpenMetrics, with exemplars, where `accept` has it, else Prometheus'."""
        openmetrics = _OPENMETRICS in accept
        return text_of(self._registry, openmetrics=openmetrics), OPENMETRICS_TYPE if openmetrics else CONTENT_TYPE

    def close(self) -> None:
        """Export what is left, and end."""
        self._provider.shutdown(timeout_millis=5_000)


def _otlp_reader(environ: Mapping[str, str]) -> MetricReader:
    protocol = environ.get("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    if protocol.startswith("http"):
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpExporter

        return PeriodicExportingMetricReader(HttpExporter())
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcExporter

    return PeriodicExportingMetricReader(GrpcExporter())


__all__ = ["CONTENT_TYPE", "OwnMetrics"]
