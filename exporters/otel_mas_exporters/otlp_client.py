"""The part that OTLP over HTTP and over gRPC share: replies read off the wire, and advice where a server refuses."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from otel_mas.config.connecting import TlsFailure, tls_failure, wants_tenant
from otel_mas.config.otlp_endpoint import PREFIX, OtlpEndpoint
from otel_mas.errors.printable import one_line
from otel_mas.otlp.wire import DELIMITED, VARINT, fields, read_varint
from otel_mas.shipping import Accepted, Failure, FailureKind, Outcome

# ExportTraceServiceResponse.partial_success {rejected_spans, error_message}.
_PARTIAL_SUCCESS, _REJECTED, _MESSAGE = 1 << 3 | DELIMITED, 1 << 3 | VARINT, 2 << 3 | DELIMITED
# google.rpc.Status {code, message, details}; details are google.protobuf.Any {type_url, value}.
_STATUS_MESSAGE, _DETAIL = 2 << 3 | DELIMITED, 3 << 3 | DELIMITED
_TYPE_URL, _DETAIL_VALUE = 1 << 3 | DELIMITED, 2 << 3 | DELIMITED
# google.rpc.RetryInfo.retry_delay, a google.protobuf.Duration {seconds, nanos}.
_RETRY_DELAY, _SECONDS, _NANOS = 1 << 3 | DELIMITED, 1 << 3 | VARINT, 2 << 3 | VARINT
_RETRY_INFO = "google.rpc.RetryInfo"
_TLS_ADVICE = {
    TlsFailure.UNTRUSTED: f"its certificate is not trusted: set {PREFIX}CERTIFICATE to the file of the authority that"
    " signed it, or of itself where it did",
    TlsFailure.OTHER_HOST: f"its certificate is made out to another name: use that name in {PREFIX}ENDPOINT",
    TlsFailure.PLAIN_SERVER: f"it does not speak TLS: http:// instead of https:// in {PREFIX}ENDPOINT",
    TlsFailure.TLS_SERVER: f"does it want TLS: https:// instead of http:// in {PREFIX}ENDPOINT?",
    TlsFailure.CLIENT_CERTIFICATE: f"does it want a client certificate: {PREFIX}CLIENT_CERTIFICATE and"
    f" {PREFIX}CLIENT_KEY?",
}


class OtlpClient(Protocol):
    """A connection to an OTLP server."""

    def export(self, request: bytes) -> Outcome: ...

    def close(self) -> None: ...


def user_agent() -> str:
    """As the OTLP specification asks for, so that a server's owner can tell who sends."""
    try:
        return f"otel-mas/{version('otel-mas')}"
    except PackageNotFoundError:  # bundled with the app, without its metadata
        return "otel-mas"


def accepted(response: bytes) -> Accepted:
    """An `ExportTraceServiceResponse`. Raises ValueError where it is none."""
    for tag, _, start, end in fields(response):
        if tag == _PARTIAL_SUCCESS:
            partial = response[start:end]
            rejected = _numbers(partial).get(_REJECTED, 0)
            return Accepted(0 if rejected >= 2**63 else rejected, one_line(_texts(partial).get(_MESSAGE, "")))
    return Accepted()


def status_message(status: bytes) -> str:
    """The message of a `google.rpc.Status`; "" where it is none."""
    try:
        return _texts(status).get(_STATUS_MESSAGE, "")
    except ValueError:
        return ""


def retry_info(status: bytes) -> float | None:
    """Seconds that the RetryInfo in a `google.rpc.Status` asks for; None where there is none."""
    try:
        for tag, _, start, end in fields(status):
            if tag != _DETAIL or not _texts(status[start:end]).get(_TYPE_URL, "").endswith(_RETRY_INFO):
                continue
            info = _bytes(status[start:end]).get(_DETAIL_VALUE, b"")
            delay = _numbers(_bytes(info).get(_RETRY_DELAY, b""))
            seconds = delay.get(_SECONDS, 0) + delay.get(_NANOS, 0) / 1e9
            return seconds if seconds < 1e9 else 0.0  # a negative one, seen as unsigned
    except ValueError:
        pass
    return None


def retry_after(header: str | None, now_s: float | None = None) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or a date; None where it is neither."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - (time.time() if now_s is None else now_s))
    except (ValueError, OverflowError):
        return None


def tls_advice(message: str, endpoint: OtlpEndpoint) -> str:
    """Advice about TLS, as " (...)"; "" where TLS has nothing to do with the failure."""
    failure = tls_failure(message, tls=endpoint.tls)
    if failure is None:
        return ""
    if failure is TlsFailure.CLIENT_CERTIFICATE and endpoint.client_certificate:
        return f" (is {PREFIX}CLIENT_CERTIFICATE one that it trusts?)"
    return f" ({_TLS_ADVICE[failure]})"


def connection_failure(message: str, endpoint: OtlpEndpoint, otherwise: FailureKind) -> Failure:
    """A failure to connect: one of TLS where the message is about TLS."""
    failure = tls_failure(message, tls=endpoint.tls)
    return Failure(otherwise if failure is None else FailureKind[failure.name], one_line(message))


def access_advice(message: str) -> str:
    """The setting to name for a server that refuses access."""
    if wants_tenant(message):
        return f" (it has several tenants: {PREFIX}HEADERS=X-Scope-OrgID=<tenant>)"
    return f" (a token belongs into {PREFIX}HEADERS=authorization=Bearer%20<token>)"


def _bytes(message: bytes) -> dict[int, bytes]:
    return {tag: message[start:end] for tag, _, start, end in fields(message) if tag & 7 == DELIMITED}


def _texts(message: bytes) -> dict[int, str]:
    return {tag: value.decode("utf-8", "replace") for tag, value in _bytes(message).items()}


def _numbers(message: bytes) -> dict[int, int]:
    return {tag: read_varint(message, start)[0] for tag, _, start, _ in fields(message) if tag & 7 == VARINT}
