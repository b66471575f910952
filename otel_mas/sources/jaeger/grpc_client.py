"""Jaeger's query service over gRPC, without generated stubs: its answers are OTLP `TracesData` messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]

from otel_mas.errors import SourceError
from otel_mas.errors.printable import one_line
from otel_mas.otlp.wire import VARINT, delimited, number, tag, text, timestamp, values
from otel_mas.sources.endpoint import (
    Access,
    Endpoint,
    access_hint,
    not_this_server,
    nothing_listens,
    timed_out,
    tls_error,
    truncated,
)
from otel_mas.sources.jaeger.query import GRPC_PORT, HTTP_PORT, SEARCH_DEPTH, JaegerSearch, ServiceRequired
from otel_mas.sources.newest import FewerTraces
from otel_mas.sources.traces import traces_data

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

MAX_BYTES = 2**29
"""Size of one message, which is one trace."""

_SERVICE = "/jaeger.api_v3.QueryService"
_HINT = f"Jaeger's query service listens for gRPC on {GRPC_PORT} unless told otherwise (HTTP: {HTTP_PORT})"
# As the resolvers word it that gRPC may have been built with.
_NO_HOST = ("dns", "errors resolving", "lookup failed", "name resolution", "name or service not known")
_REFUSED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


class JaegerGrpcClient:
    """`jaeger.api_v3.QueryService` at the endpoint."""

    def __init__(self, endpoint: Endpoint, access: Access) -> None:
        self.location = endpoint.location
        self._endpoint = endpoint
        self._timeout_s = access.timeout_s
        self._metadata = access.headers
        options: list[tuple[str, Any]] = [("grpc.max_receive_message_length", MAX_BYTES)]
        if endpoint.loopback:
            options.append(("grpc.enable_http_proxy", 0))
        self._channel = (
            grpc.secure_channel(endpoint.authority, _trust(access.certificate), options)
            if endpoint.tls
            else grpc.insecure_channel(endpoint.authority, options)
        )

    def trace(self, trace_id: str) -> Iterator[ResourceSpans]:
        # raw: as it was stored, without clocks adjusted and spans renamed for the user interface
        try:
            yield from self._stream("GetTrace", text(tag(1), trace_id) + number(tag(4, VARINT), True))
        except _NotFound:
            return

    def search(self, search: JaegerSearch) -> Iterator[ResourceSpans]:
        attributes = (delimited(tag(3), text(tag(1), name) + text(tag(2), value)) for name, value in search.attributes)
        query = (
            text(tag(1), search.service)
            + b"".join(attributes)
            + timestamp(tag(4), search.lo_ns)
            + timestamp(tag(5), search.hi_ns)
            + number(tag(8, VARINT), search.limit)
            + number(tag(9, VARINT), True)
        )
        return self._stream("FindTraces", delimited(tag(1), query))

    def services(self) -> Sequence[str]:
        call = self._channel.unary_unary(f"{_SERVICE}/GetServices")
        with self._translated_errors():
            answer = call(b"", timeout=self._timeout_s, metadata=self._metadata)
        try:
            return sorted(bytes(value).decode() for field, value in values(answer) if field == 1)
        except (ValueError, TypeError) as error:
            raise truncated(self.location, error) from error

    def takes_attributes(self, search: JaegerSearch) -> bool:
        return True

    def close(self) -> None:
        self._channel.close()

    def _stream(self, method: str, request: bytes) -> Iterator[ResourceSpans]:
        call = self._channel.unary_stream(f"{_SERVICE}/{method}")
        with self._translated_errors():
            for answer in call(request, timeout=self._timeout_s, metadata=self._metadata):
                try:
                    data = traces_data(answer)
                except ValueError as error:
                    raise truncated(self.location, error) from error
                yield from data.resource_spans

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            raise self._status_error(error.code(), " ".join((error.details() or "").split())) from error

    def _status_error(self, code: Any, details: str) -> SourceError:
        """The error for a status that is not OK."""
        there = self.location
        if code == grpc.StatusCode.NOT_FOUND:
            return _NotFound(f"{there}: {details}")
        if code in _REFUSED:
            return SourceError(f"{there} refuses access ({details}); {access_hint(details)}")
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return timed_out(there, self._timeout_s)
        if code == grpc.StatusCode.UNIMPLEMENTED:
            return not_this_server(there, "Jaeger", details or "unknown service", _HINT)
        if code == grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in details:
            return FewerTraces(f"the answer of {there} is larger than {MAX_BYTES >> 20} MiB: ask for less")
        if ServiceRequired.is_meant(details):
            return ServiceRequired(f"Jaeger at {there} failed: {details}")
        if SEARCH_DEPTH in details:
            return FewerTraces(f"Jaeger at {there} failed: {details}")
        if code == grpc.StatusCode.UNAVAILABLE:
            return self._unreached(details)
        return SourceError(f"Jaeger at {there} failed ({code.name.lower()}): {details}")

    def _unreached(self, details: str) -> SourceError:
        """The error where no connection is made: gRPC has one status for all of it, and tells more in its details."""
        there, lowered = self.location, details.lower()
        from_tls = tls_error(self._endpoint, details)
        if from_tls is not None:
            return from_tls
        if any(sign in lowered for sign in _NO_HOST):
            return SourceError(f"the host of {there} is not known: check its name")
        if "connection refused" in lowered:
            return nothing_listens(there, _HINT)
        if "http1" in lowered or "settings frame" in lowered or "http2" in lowered:
            return not_this_server(there, "Jaeger", "no gRPC", _HINT)
        return SourceError(f"{there} cannot be reached, or hung up ({one_line(details)}): {_HINT}")


class _NotFound(SourceError):
    """Newer versions say so with a status, older ones with an empty answer."""


def _trust(certificate: str | None) -> Any:
    if certificate is None:
        return grpc.ssl_channel_credentials()
    try:
        with open(certificate, "rb") as file:
            given = file.read()
    except OSError as error:
        raise SourceError(f"OTEL_MAS_SOURCE_CERTIFICATE: {certificate} cannot be read ({error.strerror})") from error
    if b"-----BEGIN CERTIFICATE-----" not in given:
        raise SourceError(f"OTEL_MAS_SOURCE_CERTIFICATE: {certificate} holds no certificates in PEM form")
    return grpc.ssl_channel_credentials(root_certificates=given)
