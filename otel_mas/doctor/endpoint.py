"""Where spans are sent, by the standard OTEL_EXPORTER_OTLP_* variables, and what is wrong with how they are written."""

from __future__ import annotations

import errno
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # public, not in its stubs

from otel_mas.config.server import masked_url, server_key
from otel_mas.doctor import kinds
from otel_mas.doctor.findings import Finding
from otel_mas.sources.endpoint import Endpoint

Protocol = Literal["grpc", "http/protobuf"]

_TRACES, _ANY = "OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"
_PATH = "/v1/traces"
_EXPORT = "OTEL_MAS_EXPORT"
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_PORTS: dict[Protocol, int] = {"grpc": 4317, "http/protobuf": 4318}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, since not everybody reads the variables alike.

    Args:
        name: for people.
        protocol: where no variable says so; None for that of the port.
        url: goes before the variables.
        forgiving: appends `/v1/traces` only where it is not there already, and takes the scheme's word for TLS.
    """

    name: str
    protocol: Protocol | None = None
    origin: str = "default"
    fixed: bool = False
    url: str = ""
    forgiving: bool = False


@dataclass(frozen=True, slots=True)
class Destination:
    """An OTLP endpoint, and how it is spoken to.

    `shown` is free of passwords. `usable` is False where no request can be made of what is written there.
    """

    sender: str
    variable: str
    shown: str
    protocol: Protocol
    tls: bool
    host: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...]
    certificate: str | None
    client: tuple[str, str | None] | None
    proxy: str | None
    usable: bool

    @property
    def loopback(self) -> bool:
        return Endpoint("", self.host, self.port, "", self.tls).loopback

    @property
    def server(self) -> str:
        """The same for every endpoint of one server."""
        return server_key(f"{'https' if self.tls else 'http'}://{_bracketed(self.host)}:{self.port}")


@dataclass(frozen=True, slots=True)
class Configured:
    """Where one sender sends, and what is wrong with how it is written."""

    destination: Destination
    findings: list[Finding]


def configured(environ: Mapping[str, str], sender: Sender, *, content: bool = False) -> Configured:
    """Read the variables; `content` is whether prompts and answers are on what is sent."""
    findings: list[Finding] = []
    variable, given = (_EXPORT, sender.url) if sender.url else _given(environ, "ENDPOINT")
    protocol, origin = _protocol(environ, sender, given, findings)
    given = given or f"http://localhost:{_PORTS[protocol]}"
    destination = _destination(environ, sender, variable, given, protocol, findings)
    if destination.usable:
        findings += _written(destination, sender, given, origin)
        findings += _route(destination, environ, content)
    return Configured(destination, findings)


def endpoint_is_set(environ: Mapping[str, str]) -> str | None:
    """The variable that names an endpoint."""
    variable, given = _given(environ, "ENDPOINT")
    return variable if given else None


def _given(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """The variable for traces, or the one for all signals, and its value; an empty one counts as not set."""
    for variable in (_TRACES + name, _ANY + name):
        value = environ.get(variable, "").strip()
        if value:
            return variable, value
    return _ANY + name, ""


def _protocol(environ: Mapping[str, str], sender: Sender, given: str, findings: list[Finding]) -> tuple[Protocol, str]:
    """The protocol, and what says so."""
    variable, value = _given(environ, "PROTOCOL")
    if sender.fixed and sender.protocol is not None:
        return sender.protocol, sender.origin
    if value == "grpc":
        return "grpc", variable
    if value == "http/protobuf":
        return "http/protobuf", variable
    if value:
        findings.append(kinds.PROTOCOL_UNKNOWN.found(variable=variable, value=value))
    if sender.protocol is not None:
        return sender.protocol, sender.origin
    return ("grpc" if given.rstrip("/").endswith(f":{_PORTS['grpc']}") else "http/protobuf"), "by its port"


def _destination(
    environ: Mapping[str, str],
    sender: Sender,
    variable: str,
    given: str,
    protocol: Protocol,
    findings: list[Finding],
) -> Destination:
    insecure = _given(environ, "INSECURE")[1].lower()
    problem, found = _parts(variable, given, protocol, insecure)
    if problem is not None:
        findings.append(problem)
    parts = found or SplitResult("", "", "", "", "")
    tls = parts.scheme == "https"
    if protocol == "grpc" and not tls and insecure and not sender.forgiving:
        tls = insecure != "true"
    path = _path(parts, variable, sender) if protocol == "http/protobuf" else ""
    certificate, client = _trust(environ, findings)
    return Destination(
        sender=sender.name,
        variable=variable,
        shown=masked_url(f"{parts.scheme}://{parts.netloc}{path}") if parts.hostname else masked_url(given),
        protocol=protocol,
        tls=tls,
        host=parts.hostname or "",
        port=parts.port or (_PORTS["grpc"] if protocol == "grpc" else 443 if tls else 80),
        path=(path or "/") + (f"?{parts.query}" if parts.query else ""),
        headers=_headers(environ, findings),
        certificate=certificate,
        client=client,
        proxy=None if found is None else _proxy(parts, environ),
        usable=found is not None,
    )


def _path(parts: SplitResult, variable: str, sender: Sender) -> str:
    if variable.startswith(_TRACES) or (sender.forgiving and parts.path.endswith(_PATH)):
        return parts.path
    return f"{parts.path.removesuffix('/')}{_PATH}"


def _parts(variable: str, given: str, protocol: Protocol, insecure: str) -> tuple[Finding | None, SplitResult | None]:
    """The parts of the address, as far as it has any, and what is wrong with it."""
    example = f"http://localhost:{_PORTS[protocol]}"
    scheme, mark, _ = given.partition("://")
    if not mark:
        effect = "no request can be made of it" if protocol != "grpc" else "gRPC then expects TLS there"
        finding = kinds.ENDPOINT_NO_SCHEME.found(variable=variable, endpoint=masked_url(given), effect=effect)
        if protocol == "grpc" and insecure == "true":
            return _split(variable, f"http://{given}", example)
        return finding, None
    if scheme.lower() not in ("http", "https"):
        return kinds.ENDPOINT_SCHEME_UNKNOWN.found(variable=variable, endpoint=masked_url(given), scheme=scheme), None
    return _split(variable, given, example)


def _split(variable: str, given: str, example: str) -> tuple[Finding | None, SplitResult | None]:
    def invalid(why: str) -> tuple[Finding, None]:
        return kinds.ENDPOINT_INVALID.found(
            variable=variable, endpoint=masked_url(given), why=why, example=example
        ), None

    if any(mark.isspace() or mark in "\"'" for mark in given):
        return invalid("there are blanks or quotes in it")
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError as error:
        return invalid(str(error).partition(":")[0] if "@" in given else str(error))
    if not parts.hostname or port == 0:
        return invalid("no host or port")
    if "@" in parts.netloc:
        return kinds.ENDPOINT_PASSWORD.found(variable=variable), parts
    return None, parts


def _written(destination: Destination, sender: Sender, given: str, origin: str) -> Iterator[Finding]:
    """What is suspicious about how it is written; whether it works is found out by asking it."""
    variable, shown = destination.variable, masked_url(given)
    path = urlsplit(given if "://" in given else f"//{given}").path.rstrip("/")
    if destination.protocol == "grpc":
        if path:
            yield kinds.ENDPOINT_PATH_GRPC.found(variable=variable, endpoint=shown)
    elif variable.startswith(_TRACES):
        if not path:
            yield kinds.ENDPOINT_PATH_MISSING.found(variable=variable, endpoint=shown, url=destination.shown)
    elif path.endswith(_PATH) and not sender.forgiving:
        yield kinds.ENDPOINT_PATH_TWICE.found(variable=variable, endpoint=shown, url=destination.shown)
    for protocol, port in _PORTS.items():
        if destination.port == port and destination.protocol != protocol:
            yield kinds.ENDPOINT_PORT.found(
                endpoint=destination.shown,
                port=port,
                usual=protocol,
                protocol=destination.protocol,
                origin=origin,
                other=_PORTS[destination.protocol],
            )


def _route(destination: Destination, environ: Mapping[str, str], content: bool) -> Iterator[Finding]:
    """What lies between here and there."""
    if not destination.tls and not destination.loopback:
        also = [*(["headers"] if destination.headers else []), *(["content"] if content else [])]
        yield kinds.ENDPOINT_PLAINTEXT.found(
            host=destination.host, variable=destination.variable, also=f", with {' and '.join(also)}," if also else ""
        )
    if destination.proxy is not None:
        yield kinds.BEHIND_PROXY.found(variable=destination.proxy, host=destination.host)


def _headers(environ: Mapping[str, str], findings: list[Finding]) -> tuple[tuple[str, str], ...]:
    variable, given = _given(environ, "HEADERS")
    pairs = [pair.partition("=") for pair in given.split(",") if pair.strip()]
    found = tuple((unquote(name).strip().lower(), unquote(value).strip()) for name, equals, value in pairs if equals)
    right = tuple((name, value) for name, value in found if _HEADER.fullmatch(name) and value.isprintable())
    if len(right) < len(pairs):
        findings.append(kinds.HEADERS_MALFORMED.found(variable=variable))
    return right


def _trust(environ: Mapping[str, str], findings: list[Finding]) -> tuple[str | None, tuple[str, str | None] | None]:
    """Files of certificates that can be read: those to trust, and our own with its key."""
    certificate = _file(environ, "CERTIFICATE", findings)
    client, key = _file(environ, "CLIENT_CERTIFICATE", findings), _file(environ, "CLIENT_KEY", findings)
    if certificate is not None:
        try:
            ssl.create_default_context(cafile=certificate)
        except (OSError, ssl.SSLError):
            variable = _given(environ, "CERTIFICATE")[0]
            findings.append(kinds.CERTIFICATE_UNREADABLE.found(variable=variable, path=certificate, why="holds none"))
            certificate = None
    return certificate, None if client is None else (client, key)


def _file(environ: Mapping[str, str], name: str, findings: list[Finding]) -> str | None:
    variable, path = _given(environ, name)
    if not path:
        return None
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise OSError(errno.EINVAL, "no regular file")
        with open(path, "rb"):
            return path
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
        findings.append(kinds.CERTIFICATE_UNREADABLE.found(variable=variable, path=path, why=why))
        return None


def _proxy(parts: SplitResult, environ: Mapping[str, str]) -> str | None:
    """The variable that names a proxy for this host; None where requests go straight there."""
    lowered = {name.lower(): name for name in environ if environ[name].strip()}
    variable = lowered.get(f"{parts.scheme}_proxy")
    spared = {"no": environ[lowered["no_proxy"]] if "no_proxy" in lowered else ""}
    return None if variable is None or proxy_bypass_environment(parts.hostname or "", spared) else variable


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
