"""Stored spans → one OTLP message, by concatenation: nothing is decoded, so unknown fields stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from otel_mas.otlp.wire import delimited, text

# Tags of opentelemetry/proto/trace/v1/trace.proto: field number << 3 | wire type.
_RESOURCE_SPANS = b"\x0a"
_RESOURCE, _SCOPE_SPANS, _RESOURCE_SCHEMA_URL = b"\x0a", b"\x12", b"\x1a"
_SCOPE, _SPAN, _SCOPE_SCHEMA_URL = b"\x0a", b"\x12", b"\x1a"


@dataclass(frozen=True, slots=True)
class Origin:
    """The common part of spans: an OTLP `Resource` or `InstrumentationScope` message and its schema URL."""

    key: int
    message: bytes
    schema_url: str = ""


class LogRow(NamedTuple):
    """One span of the log, as it is shipped; `body` is an OTLP `Span` message."""

    key: int
    resource: Origin
    scope: Origin
    body: bytes


def traces_data(rows: Iterable[LogRow]) -> bytes:
    """A `TracesData` message with these spans (an `ExportTraceServiceRequest` is the same on the wire)."""
    resources: dict[int, tuple[Origin, dict[int, tuple[Origin, list[bytes]]]]] = {}
    for _, resource, scope, body in rows:
        _, scopes = resources.setdefault(resource.key, (resource, {}))
        scopes.setdefault(scope.key, (scope, []))[1].append(delimited(_SPAN, body))
    return b"".join(
        delimited(
            _RESOURCE_SPANS,
            delimited(_RESOURCE, resource.message)
            + b"".join(delimited(_SCOPE_SPANS, _of_scope(scope, spans)) for scope, spans in scopes.values())
            + _url(_RESOURCE_SCHEMA_URL, resource.schema_url),
        )
        for resource, scopes in resources.values()
    )


def _of_scope(scope: Origin, spans: list[bytes]) -> bytes:
    return delimited(_SCOPE, scope.message) + b"".join(spans) + _url(_SCOPE_SCHEMA_URL, scope.schema_url)


def _url(tag: bytes, url: str) -> bytes:
    return text(tag, url) if url else b""
