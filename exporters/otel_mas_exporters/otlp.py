"""OTLP as a destination: one request for each batch of stored bytes, over HTTP or gRPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from otel_mas.config import Settings
from otel_mas.config.otlp_endpoint import OtlpEndpoint, read_otlp_endpoint
from otel_mas.config.server import server_key
from otel_mas.errors import ConfigError
from otel_mas.fork import background_imports
from otel_mas.otlp.framing import LogRow, traces_data
from otel_mas.privacy.redact import redact_text
from otel_mas.shipping import Outcome
from otel_mas_exporters.otlp_client import OtlpClient


class OtlpDestination:
    """Sends to an OTLP endpoint: `otlp`, or `otlp:http://host:4318`."""

    sends_to: ClassVar[str] = "an OTLP endpoint: a Collector, Jaeger, Tempo, or any other (OTEL_EXPORTER_OTLP_*)"

    def __init__(self, endpoint: OtlpEndpoint) -> None:
        self.endpoint = endpoint
        self.name = f"otlp+{endpoint.protocol.partition('/')[0]}:{endpoint.shown}"
        self.server = server_key(endpoint.url)
        self.timeout_s = endpoint.timeout_s
        self._client: OtlpClient | None = None

    @classmethod
    def open(cls, target: str, settings: Settings, environ: Mapping[str, str]) -> OtlpDestination:
        endpoint = read_otlp_endpoint(environ, target)
        problems = [replace(one, value=one.value and redact_text(one.value)) for one in endpoint.problems]
        if problems:
            raise ConfigError(*map(str, problems))
        return cls(replace(endpoint, shown=redact_text(endpoint.shown)))

    def send(self, rows: Sequence[LogRow]) -> Outcome:
        if self._client is None:
            self._client = _client(self.endpoint)
        return self._client.export(traces_data(rows))

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _client(endpoint: OtlpEndpoint) -> OtlpClient:
    # Loads only what the protocol needs: grpc is large.
    with background_imports:
        if endpoint.protocol == "grpc":
            from otel_mas_exporters.otlp_grpc import GrpcClient

            return GrpcClient(endpoint)
        from otel_mas_exporters.otlp_http import HttpClient

        return HttpClient(endpoint)
