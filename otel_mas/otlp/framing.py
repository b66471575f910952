"""Stored spans → one OTLP message, by concatenation: nothing is decoded, so unknown fields stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from otel_mas.otlp.wire import delimited, text, varint

# Tags of opentelemetry/proto/trace/v1/trace.proto: field number << 3 | wire type.
_RESOURCE_SPANS = b"\x0a"
_RESOURCE, _SCOPE_SPANS, _RESOURCE_URL = b"\x0a", b"\x12", b"\x1a"
_SCOPE, _SPAN, _SCOPE_URL = b"\x0a", b"\x12", b"\x1a"


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
    last: tuple[Origin, Origin] | None = None
    spans: list[bytes] = []
    for _, resource, scope, body in rows:
        if last is None or last[0] is not resource or last[1] is not scope:  # most follow one of their own scope
            last = resource, scope
            _, scopes = resources.setdefault(resource.key, (resource, {}))
            spans = scopes.setdefault(scope.key, (scope, []))[1]
        spans += (_SPAN, varint(len(body)), body)
    parts: list[bytes] = []
    for resource, scopes in resources.values():
        of_resource = [delimited(_RESOURCE, resource.message)]
        for scope, spans in scopes.values():
            _append(
                of_resource,
                _SCOPE_SPANS,
                [delimited(_SCOPE, scope.message), *spans, _url(_SCOPE_URL, scope.schema_url)],
            )
        of_resource.append(_url(_RESOURCE_URL, resource.schema_url))
        _append(parts, _RESOURCE_SPANS, of_resource)
    return b"".join(parts)


def _append(parts: list[bytes], tag: bytes, message: list[bytes]) -> None:
    """Add a field that holds a message in parts, which are copied only once, at the end."""
    parts += (tag, varint(sum(map(len, message))))
    parts += message


def _url(tag: bytes, url: str) -> bytes:
    return text(tag, url) if url else b""
