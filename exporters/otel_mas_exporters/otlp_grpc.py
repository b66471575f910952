"""OTLP over gRPC: one unary call with bytes on both sides, and what each status means. Loads grpc."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]

from otel_mas.config.otlp_endpoint import OtlpEndpoint
from otel_mas.errors.printable import one_line
from otel_mas.shipping import Failure, FailureKind, Outcome, Refused, Unavailable
from otel_mas_exporters.otlp_client import (
    accepted,
    access_advice,
    connection_failure,
    retry_info,
    tls_advice,
    user_agent,
)

_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_DETAILS = "grpc-status-details-bin"
_CODE = grpc.StatusCode
# By the OTLP specification. RESOURCE_EXHAUSTED means a message that is too large, or a limit of rates: backends that
# limit rates do not all say when to come back.
_RETRYABLE = frozenset(
    {
        _CODE.CANCELLED,
        _CODE.DEADLINE_EXCEEDED,
        _CODE.ABORTED,
        _CODE.OUT_OF_RANGE,
        _CODE.UNAVAILABLE,
        _CODE.DATA_LOSS,
    }
)
_ABOUT_THE_DATA = frozenset({_CODE.INVALID_ARGUMENT, _CODE.RESOURCE_EXHAUSTED, _CODE.FAILED_PRECONDITION})
_UNCONNECTED = "failed to connect"
_ADDRESSES = re.compile(r"^failed to connect to all addresses; last error: \w+: \S+: ")
_FAILURES = {
    _CODE.UNAUTHENTICATED: FailureKind.ACCESS,
    _CODE.PERMISSION_DENIED: FailureKind.ACCESS,
    _CODE.UNIMPLEMENTED: FailureKind.NOT_OTLP,
    _CODE.NOT_FOUND: FailureKind.NOT_OTLP,
    _CODE.DEADLINE_EXCEEDED: FailureKind.TIMEOUT,
}
# gRPC's own messages, where its status alone does not tell.
_MESSAGES = {
    "resolving": FailureKind.UNKNOWN_HOST,
    "dns resolution": FailureKind.UNKNOWN_HOST,
    "connection refused": FailureKind.UNREACHABLE,
    "failed parsing http/2": FailureKind.NOT_OTLP,
    "http1.x": FailureKind.NOT_OTLP,
    "metadata": FailureKind.HEADERS,
}
_TOO_LARGE = re.compile(r"larger than|too (large|big|long)", re.IGNORECASE)
_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_retries", 0),  # the shipper decides when to try again
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.primary_user_agent", user_agent()),
)


class GrpcClient:
    """One endpoint; the connection is made with the first call, and again whenever it breaks."""

    def __init__(self, endpoint: OtlpEndpoint) -> None:
        self._endpoint = endpoint
        self._channel: grpc.Channel | Unavailable
        try:
            self._channel = _channel(endpoint)
        except (OSError, ValueError) as error:
            reason = f"the certificates for {endpoint.shown} cannot be used: {error}"
            self._channel = Unavailable(reason, failure=Failure(FailureKind.CERTIFICATE_FILE, str(error)))
        self._compression = grpc.Compression.Gzip if endpoint.gzip else grpc.Compression.NoCompression

    def export(self, request: bytes) -> Outcome:
        if isinstance(self._channel, Unavailable):
            return self._channel
        call = self._channel.unary_unary(_METHOD)
        endpoint = self._endpoint
        try:
            response = call(
                request, timeout=endpoint.timeout_s, metadata=endpoint.headers, compression=self._compression
            )
        except grpc.RpcError as error:
            return self._refused(error)
        try:
            return accepted(response)
        except ValueError:
            reason = f"{endpoint.shown} answers with something that is not OTLP: is it the OTLP endpoint?"
            return Unavailable(reason, failure=Failure(FailureKind.NOT_OTLP, "something that is not OTLP"))

    def close(self) -> None:
        if not isinstance(self._channel, Unavailable):
            self._channel.close()

    def _refused(self, error: Any) -> Outcome:
        code = error.code()
        message = error.details() or ""
        reason = f"{self._endpoint.shown} answers {code.name}: {one_line(message)}{self._advice(code, message)}"
        after_s = next((retry_info(value) for key, value in error.trailing_metadata() or () if key == _DETAILS), None)
        if code is _CODE.RESOURCE_EXHAUSTED and not _TOO_LARGE.search(message):
            return Unavailable(reason, after_s, overloaded=True, failure=self._failure(code, message))
        if code in _RETRYABLE:
            return Unavailable(reason, after_s, failure=self._failure(code, message))
        return Refused(reason, about_the_data=code in _ABOUT_THE_DATA, failure=self._failure(code, message))

    def _failure(self, code: grpc.StatusCode, message: str) -> Failure:
        kind, text = _FAILURES.get(code), _ADDRESSES.sub("", message)
        if kind is None and code in (_CODE.UNAVAILABLE, _CODE.UNKNOWN, _CODE.INTERNAL):
            kind = next((kind for sign, kind in _MESSAGES.items() if sign in message.lower()), None)
            if kind is None and _UNCONNECTED in message:
                return connection_failure(text, self._endpoint, FailureKind.UNREACHABLE)
        return Failure(kind or FailureKind.SERVER_ERROR, f"{code.name.lower()}: {one_line(text)}")

    def _advice(self, code: grpc.StatusCode, message: str) -> str:
        if code in (_CODE.UNAUTHENTICATED, _CODE.PERMISSION_DENIED):
            return access_advice(message)
        if code is _CODE.UNAVAILABLE and _UNCONNECTED in message:
            return tls_advice(message, self._endpoint)
        return " (is this the OTLP endpoint for gRPC?)" if code is _CODE.UNIMPLEMENTED else ""


def _channel(endpoint: OtlpEndpoint) -> grpc.Channel:
    if not endpoint.tls:
        return grpc.insecure_channel(endpoint.authority, _OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_read(endpoint.certificate),
        private_key=_read(endpoint.client_key),
        certificate_chain=_read(endpoint.client_certificate),
    )
    return grpc.secure_channel(endpoint.authority, credentials, _OPTIONS)


def _read(path: str | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
