"""OTLP over gRPC: one unary call with bytes on both sides, and what each status means. Loads grpc."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]

from otel_mas.config.otlp_endpoint import OtlpEndpoint
from otel_mas.shipping import Outcome, Refused, Unavailable
from otel_mas_exporters.otlp_client import accepted, access_advice, one_line, retry_info, tls_advice, user_agent

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
        self._problem = ""
        self._channel: grpc.Channel | None = None
        try:
            self._channel = _channel(endpoint)
        except (OSError, ValueError) as error:
            self._problem = f"the certificates for {endpoint.shown} cannot be used: {error}"
        self._compression = grpc.Compression.Gzip if endpoint.gzip else grpc.Compression.NoCompression

    def export(self, request: bytes) -> Outcome:
        if self._channel is None:
            return Unavailable(self._problem)
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
            return Unavailable(f"{endpoint.shown} answers with something that is not OTLP: is it the OTLP endpoint?")

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()

    def _refused(self, error: Any) -> Outcome:
        code = error.code()
        message = error.details() or ""
        reason = f"{self._endpoint.shown} answers {code.name}: {one_line(message)}{self._advice(code, message)}"
        after_s = next((retry_info(value) for key, value in error.trailing_metadata() or () if key == _DETAILS), None)
        if code is _CODE.RESOURCE_EXHAUSTED and not _TOO_LARGE.search(message):
            return Unavailable(reason, after_s, overloaded=True)
        if code in _RETRYABLE:
            return Unavailable(reason, after_s)
        return Refused(reason, about_the_data=code in _ABOUT_THE_DATA)

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
