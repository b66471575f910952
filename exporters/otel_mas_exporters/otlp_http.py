"""OTLP over HTTP with protobuf bodies, and the outcome that each status and error means."""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any

from otel_mas.config.exchange import opener
from otel_mas.config.otlp_endpoint import OtlpEndpoint
from otel_mas.config.server import server_key
from otel_mas.errors.printable import one_line
from otel_mas.shipping import Failure, FailureKind, Outcome, Refused, Unavailable
from otel_mas_exporters.otlp_client import (
    accepted,
    access_advice,
    connection_failure,
    retry_after,
    status_message,
    tls_advice,
    user_agent,
)

_PROTOBUF = "application/x-protobuf"
_RETRYABLE = frozenset({429, 502, 503, 504})  # by the OTLP specification
_ACCESS = (401, 403)
_TOO_MANY = 429
_ABOUT_THE_DATA = frozenset({400, 413, 422})
_WRONG_PLACE = frozenset({301, 302, 303, 307, 308, 404, 405, 415, 501})
_MAX_BYTES = 4 * 2**20
_CHUNK = 2**16


class HttpClient:
    """One endpoint. Follows no redirect; uses the proxies that the environment names, except on this machine."""

    def __init__(self, endpoint: OtlpEndpoint) -> None:
        self._endpoint = endpoint
        self._headers = {
            "Content-Type": _PROTOBUF,
            "User-Agent": user_agent(),
            **({"Content-Encoding": "gzip"} if endpoint.gzip else {}),
            **dict(endpoint.headers),
        }
        self._problem: Unavailable | None = None
        context = None
        if endpoint.tls:
            try:
                context = _tls(endpoint)
            except OSError as error:
                reason = f"the certificates for {endpoint.shown} cannot be used: {error}"
                self._problem = Unavailable(reason, failure=Failure(FailureKind.CERTIFICATE_FILE, str(error)))
        self._opener = opener(context=context, proxies=not server_key(endpoint.url).startswith("localhost:"))

    def export(self, request: bytes) -> Outcome:
        if self._problem is not None:
            return self._problem
        endpoint = self._endpoint
        body = gzip.compress(request, 6) if endpoint.gzip else request
        post = urllib.request.Request(endpoint.url, body, self._headers, method="POST")
        try:
            with self._opener.open(post, timeout=endpoint.timeout_s) as response:
                return self._answered(response.headers.get("Content-Type", ""), _read(response))
        except urllib.error.HTTPError as error:
            with error:
                return self._refused(error)
        except urllib.error.URLError as error:
            return self._unreachable(error.reason)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return self._unreachable(error)

    def close(self) -> None:
        self._opener.close()

    def _answered(self, content_type: str, body: bytes) -> Outcome:
        url = self._endpoint.shown
        if "html" in content_type:
            return _not_otlp(url, "a web page")
        try:
            return accepted(b"" if "json" in content_type else body)
        except ValueError:
            return _not_otlp(url, "something that is not OTLP")

    def _refused(self, error: urllib.error.HTTPError) -> Outcome:
        try:
            body = _read(error)
        except (OSError, http.client.HTTPException, ValueError):
            body = b""
        is_page = "html" in error.headers.get("Content-Type", "")
        message = one_line("" if is_page else status_message(body) or _text(body))
        advice = access_advice(message) if error.code in _ACCESS else tls_advice(message, self._endpoint)
        if not advice and error.code in _WRONG_PLACE:
            advice = " (is this the OTLP endpoint, with the right path?)"
        reason = f"{self._endpoint.shown} answers {error.code} {error.reason}{': ' if message else ''}{message}{advice}"
        failure = self._failure(error.code, "a web page" if is_page else message)
        if error.code in _RETRYABLE:
            after_s = retry_after(error.headers.get("Retry-After"))
            return Unavailable(reason, after_s, overloaded=error.code == _TOO_MANY, failure=failure)
        return Refused(reason, about_the_data=error.code in _ABOUT_THE_DATA, failure=failure)

    def _failure(self, status: int, message: str) -> Failure:
        detail = f"{status}: {message}" if message else str(status)
        if status in _ACCESS:
            return Failure(FailureKind.ACCESS, detail)
        if status in _WRONG_PLACE:
            return Failure(FailureKind.NOT_OTLP, detail)
        if status == 400:  # plain HTTP to a server that speaks TLS
            return connection_failure(message, self._endpoint, FailureKind.SERVER_ERROR)._replace(detail=detail)
        return Failure(FailureKind.SERVER_ERROR, detail)

    def _unreachable(self, cause: object) -> Unavailable:
        url, kind = self._endpoint.shown, FailureKind.UNREACHABLE
        if isinstance(cause, TimeoutError):
            timeout = f"did not answer within {self._endpoint.timeout_s:g} s"
            return Unavailable(f"{url} {timeout}", failure=Failure(FailureKind.TIMEOUT, timeout))
        if isinstance(cause, ConnectionRefusedError):
            return Unavailable(f"nothing listens at {url}", failure=Failure(kind, "nothing listens there"))
        if isinstance(cause, socket.gaierror):
            kind = FailureKind.UNKNOWN_HOST
        elif isinstance(cause, http.client.HTTPException):
            kind = FailureKind.NOT_OTLP
        elif isinstance(cause, ValueError):
            kind = FailureKind.HEADERS
        message = str(cause) or type(cause).__name__
        reason = f"{url} cannot be reached: {one_line(message)}{tls_advice(message, self._endpoint)}"
        return Unavailable(reason, failure=connection_failure(message, self._endpoint, kind))


def _not_otlp(url: str, answer: str) -> Unavailable:
    reason = f"{url} answers with {answer}: is it the OTLP endpoint?"
    return Unavailable(reason, failure=Failure(FailureKind.NOT_OTLP, answer))


def _text(body: bytes) -> str:
    text = body[:800].decode("utf-8", "replace").strip()
    return text if all(char.isprintable() or char.isspace() for char in text) else ""


def _tls(endpoint: OtlpEndpoint) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=endpoint.certificate)
    if endpoint.client_certificate:
        context.load_cert_chain(endpoint.client_certificate, endpoint.client_key)
    return context


def _read(response: Any) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size < _MAX_BYTES:
        part = response.read1(_CHUNK)
        if not part:
            break
        parts.append(part)
        size += len(part)
    if getattr(response, "length", 0):  # less than its Content-Length
        raise http.client.IncompleteRead(b"".join(parts))
    return b"".join(parts)
