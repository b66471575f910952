"""Whether a destination takes spans: it is connected to step by step, and handed a request without any.

Nothing is stored by that. Each step fails in ways of its own, and so says what is wrong where the step before was well.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from otel_mas.config.exchange import bound
from otel_mas.config.server import HIDDEN
from otel_mas.doctor import kinds
from otel_mas.doctor.endpoint import Destination
from otel_mas.doctor.findings import Finding
from otel_mas.privacy.redact import redact_text
from otel_mas.report.text import duration, plain

PATIENCE_S = 3.0
"""For each step: to connect, to agree on TLS, to be answered."""

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
_MOST_READ = 4096
_MOST_SAID = 120
_SHORT = 3  # no secret, and part of many words
_TLS_ALERT = b"\x15"
_HTTPS_ONLY = b"HTTP request to an HTTPS server"
_ANOTHER_PROTOCOL = {
    "grpc": "is it another port, or one for HTTP? OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or port 4317, gRPC's",
    "http/protobuf": "is it another port or path, or gRPC's? OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or port 4318, HTTP's",
}


@dataclass(frozen=True, slots=True)
class Reached:
    """`took_ms` is how long it took to be answered, where it took the request."""

    finding: Finding
    took_ms: float | None


class _Failed(Exception):
    """Carries the finding out of the step that failed."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def reach(destination: Destination, patience_s: float = PATIENCE_S) -> Reached:
    """Send a request without spans, and say what became of it."""
    began = time.monotonic()
    try:
        with _connected(destination, patience_s) as connection:
            if destination.protocol == "http/protobuf":
                _post(destination, connection, patience_s)
        if destination.protocol == "grpc":
            _call(destination, patience_s)
    except _Failed as failed:
        return Reached(failed.finding, None)
    took_s = time.monotonic() - began
    finding = kinds.DESTINATION_ANSWERS.found(
        endpoint=destination.shown, protocol=destination.protocol, took=duration(round(took_s * 1e9))
    )
    return Reached(finding, took_s * 1e3)


# -- connecting --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _connected(destination: Destination, patience_s: float) -> Iterator[socket.socket]:
    with _tcp(destination, patience_s) as connection:
        if destination.tls:
            with _tls(destination, connection, patience_s) as secured:
                yield secured
        else:
            yield connection


def _tcp(destination: Destination, patience_s: float) -> socket.socket:
    try:
        return socket.create_connection((destination.host, destination.port), patience_s)
    except socket.gaierror:
        raise _Failed(
            kinds.DESTINATION_UNKNOWN_HOST.found(host=destination.host, variable=destination.variable)
        ) from None
    except TimeoutError:
        raise _silent(destination, "could not be connected to", patience_s) from None
    except OSError as error:
        why = "nothing listens there" if isinstance(error, ConnectionRefusedError) else error.strerror or str(error)
        raise _Failed(
            kinds.DESTINATION_REFUSED.found(endpoint=destination.shown, why=why, variable=destination.variable)
        ) from None


def _tls(destination: Destination, connection: socket.socket, patience_s: float) -> ssl.SSLSocket:
    try:
        context = ssl.create_default_context(cafile=destination.certificate)
        if destination.client is not None:
            context.load_cert_chain(*destination.client)
        context.set_alpn_protocols(["h2"] if destination.protocol == "grpc" else ["http/1.1"])
    except (OSError, ssl.SSLError) as error:
        path = (destination.client or (destination.certificate,))[0]
        raise _Failed(
            kinds.CERTIFICATE_UNREADABLE.found(
                variable="OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", path=path, why=f"does not fit its key ({error})"
            )
        ) from None
    try:
        return context.wrap_socket(connection, server_hostname=destination.host)
    except ssl.SSLCertVerificationError as error:
        raise _Failed(kinds.DESTINATION_UNTRUSTED.found(endpoint=destination.shown, why=error.verify_message)) from None
    except TimeoutError:
        # Some wait for the end of a line, which the first word of TLS has none of.
        if _speaks_plainly(destination, patience_s):
            raise _no_tls(destination, "it answers in plain text") from None
        raise _silent(destination, "was connected to, and asked for TLS", patience_s) from None
    except OSError as error:
        why = str(getattr(error, "reason", None) or "it hung up")
        raise _no_tls(destination, why.replace("_", " ").lower()) from None


def _speaks_tls(destination: Destination, patience_s: float) -> bool:
    """Whether something that does not understand plain text agrees on TLS instead; whoever it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((destination.host, destination.port), patience_s) as connection,
            context.wrap_socket(connection, server_hostname=destination.host),
        ):
            return True
    except ssl.SSLError as error:
        return "CERTIFICATE_REQUIRED" in str(error)
    except OSError:
        return False


def _speaks_plainly(destination: Destination, patience_s: float) -> bool:
    """Whether something that does not understand TLS answers to a line of plain text; it is told nothing by that."""
    try:
        with _tcp(destination, patience_s) as connection:
            connection.settimeout(patience_s)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(1) not in (b"", _TLS_ALERT)
    except (_Failed, OSError):
        return False


# -- OTLP over HTTP ----------------------------------------------------------------------------------------------------


def _post(destination: Destination, connection: socket.socket, patience_s: float) -> None:
    client = http.client.HTTPConnection(destination.host, destination.port, timeout=patience_s)
    client.sock = connection
    bound(client, patience_s)
    headers = {"Content-Type": "application/x-protobuf", "User-Agent": "otel-mas doctor", **dict(destination.headers)}
    connection.settimeout(patience_s)
    try:
        client.request("POST", destination.path, b"", headers)
        response = client.getresponse()
        body = response.read(_MOST_READ)
    except TimeoutError:
        raise _silent(destination, "was sent a request", patience_s) from None
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise _not_http(destination, error, patience_s) from None
    status, kind = response.status, response.headers.get("Content-Type") or ""
    if status == 200 and "html" not in kind:
        return
    raise _refused(destination, status, kind, response.headers.get("Location"), body)


def _not_http(destination: Destination, error: Exception, patience_s: float) -> _Failed:
    if not destination.tls and _speaks_tls(destination, patience_s):
        return _wants_tls(destination)
    if isinstance(error, ValueError):
        return _Failed(kinds.HEADERS_MALFORMED.found(variable=_HEADERS))
    hung_up = isinstance(error, ConnectionError)
    return _stranger(destination, "it hung up" if hung_up else "what it says is not HTTP")


def _refused(destination: Destination, status: int, kind: str, location: str | None, body: bytes) -> _Failed:
    readable = not any(word in kind for word in ("html", "protobuf"))
    said = _brief(body.decode("utf-8", "replace"), destination) if readable else ""
    answer = f"{status}: {said}" if said else str(status)
    if status == 400 and _HTTPS_ONLY in body:
        return _wants_tls(destination)
    if status in (401, 403):
        return _Failed(kinds.DESTINATION_REFUSES_ACCESS.found(endpoint=destination.shown, status=answer))
    if "html" in kind and status < 500:
        return _stranger(destination, f"{status}, a web page")
    if 300 <= status < 400:
        return _stranger(destination, f"{status}, it sends elsewhere")
    if status in (404, 405, 415, 501) or status < 300:
        return _stranger(destination, answer)
    return _Failed(kinds.DESTINATION_FAILS.found(endpoint=destination.shown, answer=answer))


# -- OTLP over gRPC ----------------------------------------------------------------------------------------------------


def _call(destination: Destination, patience_s: float) -> None:
    import grpc  # type: ignore[import-untyped]  # a fifth of a second, which only this needs

    options = [("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0)]
    host = f"[{destination.host}]" if ":" in destination.host else destination.host
    target = f"{host}:{destination.port}"
    channel = (
        grpc.secure_channel(target, _credentials(grpc, destination), options)
        if destination.tls
        else grpc.insecure_channel(target, options)
    )
    try:
        channel.unary_unary(_EXPORT)(b"", timeout=patience_s, metadata=destination.headers)
    except grpc.RpcError as error:
        raise _not_taken(grpc, destination, error, patience_s) from None
    except (ValueError, TypeError):
        raise _Failed(kinds.HEADERS_MALFORMED.found(variable=_HEADERS)) from None
    finally:
        channel.close()


def _credentials(grpc: Any, destination: Destination) -> Any:
    certificate, key = destination.client or (None, None)
    return grpc.ssl_channel_credentials(_content(destination.certificate), _content(key), _content(certificate))


def _content(path: str | None) -> bytes | None:
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()


def _not_taken(grpc: Any, destination: Destination, error: Any, patience_s: float) -> _Failed:
    code, said = error.code(), _brief(error.details() or "", destination)
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return _silent(destination, "was sent a request", patience_s)
    if code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
        status = f"{code.name.lower()}: {said}" if said else code.name.lower()
        return _Failed(kinds.DESTINATION_REFUSES_ACCESS.found(endpoint=destination.shown, status=status))
    if code in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.NOT_FOUND):
        return _stranger(destination, "a gRPC server that does not know OTLP")
    if code == grpc.StatusCode.INTERNAL and "metadata" in said.lower():
        return _Failed(kinds.HEADERS_MALFORMED.found(variable=_HEADERS))
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL):
        if not destination.tls and _speaks_tls(destination, patience_s):
            return _wants_tls(destination)
        if not _speaks_http2(destination, patience_s):
            return _stranger(destination, "what it says is not gRPC")
    return _Failed(kinds.DESTINATION_FAILS.found(endpoint=destination.shown, answer=f"{code.name.lower()}: {said}"))


def _speaks_http2(destination: Destination, patience_s: float) -> bool:
    """Whether the first that it says is a frame of settings: `length(3) type(1)=4 ...`."""
    try:
        with _connected(destination, patience_s) as connection:
            connection.settimeout(patience_s)
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
            head = connection.recv(9)
            return len(head) >= 4 and head[3] == 4
    except (_Failed, OSError):
        return False


# -- what is said of it ------------------------------------------------------------------------------------------------


def _silent(destination: Destination, stage: str, patience_s: float) -> _Failed:
    return _Failed(
        kinds.DESTINATION_SILENT.found(
            endpoint=destination.shown, stage=stage, seconds=f"{patience_s:g}", variable=destination.variable
        )
    )


def _no_tls(destination: Destination, why: str) -> _Failed:
    return _Failed(kinds.DESTINATION_NO_TLS.found(endpoint=destination.shown, why=why, variable=destination.variable))


def _wants_tls(destination: Destination) -> _Failed:
    return _Failed(kinds.DESTINATION_WANTS_TLS.found(endpoint=destination.shown, variable=destination.variable))


def _stranger(destination: Destination, answer: str) -> _Failed:
    return _Failed(
        kinds.DESTINATION_NOT_OTLP.found(
            endpoint=destination.shown,
            protocol=destination.protocol,
            answer=answer,
            remedy=_ANOTHER_PROTOCOL[destination.protocol],
        )
    )


def _brief(said: str, destination: Destination) -> str:
    """A server's own words, which may repeat what it was sent."""
    for _, value in destination.headers:
        for word in filter(None, value.split()):
            said = said.replace(word, HIDDEN) if len(word) > _SHORT else said
    line = redact_text(" ".join(plain(said).split()))
    return line if len(line) <= _MOST_SAID else f"{line[:_MOST_SAID]}…"
