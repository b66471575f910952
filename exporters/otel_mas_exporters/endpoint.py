"""Where OTLP goes and how, by the standard variables `OTEL_EXPORTER_OTLP_*`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, urlsplit, urlunsplit

from otel_mas.config import parse
from otel_mas.config.server import masked_url
from otel_mas.errors import ConfigError
from otel_mas.privacy.redact import redact_text

Protocol = Literal["grpc", "http/protobuf"]
PROTOCOLS: tuple[Protocol, ...] = ("grpc", "http/protobuf")
PATH = "/v1/traces"

_PREFIX = "OTEL_EXPORTER_OTLP_"
_GRPC_PORT, _HTTP_PORT = 4317, 4318
_DEFAULT_TIMEOUT_S = 10.0
_LAST_SECONDS = 100.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to send, and what to send with every request. Headers are not shown: they hold tokens."""

    url: str = field(repr=False)
    """The URL; over HTTP with its path, over gRPC without. Its query may hold a key: people see `shown`."""
    protocol: Protocol
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    tls: bool = False
    gzip: bool = False
    timeout_s: float = _DEFAULT_TIMEOUT_S
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None

    @property
    def shown(self) -> str:
        """The URL as it may be kept and shown."""
        return redact_text(masked_url(self.url))

    @property
    def authority(self) -> str:
        return urlsplit(self.url).netloc


def endpoint_of(environ: Mapping[str, str], given: str = "") -> Endpoint:
    """Read the variables for traces, and those for all signals where these are not set.

    Args:
        given: an endpoint that goes before the variables; like OTEL_EXPORTER_OTLP_ENDPOINT it gets `/v1/traces` over
            HTTP, unless that is there already.

    Raises:
        ConfigError: naming every variable that is wrong.
    """
    return _Reading(environ, given).endpoint()


class _Reading:
    """One look at the variables, which gathers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str], given: str) -> None:
        self._environ = environ
        self._given = given.strip()
        self._problems: list[str] = []

    def endpoint(self) -> Endpoint:
        where, text, is_base = self._address()
        protocol = self._protocol(text)
        parts = self._url(where, text, protocol)
        path, query = parts.path, parts.query
        if protocol == "grpc":
            if path.strip("/"):
                self._problem(where, text, "an address without a path, like http://localhost:4317: gRPC knows none")
            path = query = ""
        elif is_base and not path.endswith(PATH):
            path = path.rstrip("/") + PATH
        certificate, client_certificate, client_key = map(
            self._file, ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")
        )
        if client_key and not client_certificate:
            self._problems.append(f"{_PREFIX}CLIENT_KEY needs {_PREFIX}CLIENT_CERTIFICATE too")
        made = Endpoint(
            url=urlunsplit((parts.scheme, parts.netloc, path or ("" if protocol == "grpc" else "/"), query, "")),
            protocol=protocol,
            headers=self._headers(),
            tls=parts.scheme == "https",
            gzip=self._gzip(),
            timeout_s=self._timeout(),
            certificate=certificate,
            client_certificate=client_certificate,
            client_key=client_key,
        )
        if self._problems:
            raise ConfigError(*self._problems)
        return made

    def _address(self) -> tuple[str, str, bool]:
        """What says where, what it says, and whether a path is to be added to it."""
        if self._given:
            return "the endpoint", self._given, True
        where, text = self._variable("ENDPOINT")
        return where, text, not where.startswith(f"{_PREFIX}TRACES_")

    def _protocol(self, address: str) -> Protocol:
        where, text = self._variable("PROTOCOL")
        if text in PROTOCOLS:
            return text
        if text:
            self._problem(where, text, f"one of {', '.join(PROTOCOLS)}")
        # The specification's default is HTTP; whoever names the port of gRPC and nothing else means gRPC.
        return "grpc" if address.rstrip("/").endswith(f":{_GRPC_PORT}") else "http/protobuf"

    def _url(self, where: str, text: str, protocol: Protocol) -> SplitResult:
        default = urlsplit(f"http://localhost:{_GRPC_PORT if protocol == 'grpc' else _HTTP_PORT}")
        if not text:
            return default
        example = f"a URL like {default.geturl()}"
        if "@" in text.rpartition("://")[2].partition("/")[0]:
            self._problems.append(f"{where} holds a password: leave it out, and put it into {_PREFIX}HEADERS")
            return default
        url = text
        if "://" not in text:
            if protocol == "http/protobuf":
                self._problem(where, text, f"{example}: it has neither http:// nor https://")
                return default
            url = f"{'http' if self._variable('INSECURE')[1].lower() == 'true' else 'https'}://{text}"
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname
        except ValueError:
            parts, port, host = default, None, None
        if parts.scheme not in ("http", "https") or not host or port == 0 or any(mark.isspace() for mark in url):
            self._problem(where, text, example)
            return default
        if port is None:
            port = _GRPC_PORT if protocol == "grpc" else 443 if parts.scheme == "https" else 80
        return parts._replace(netloc=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")

    def _headers(self) -> tuple[tuple[str, str], ...]:
        where, text = self._variable("HEADERS")
        try:
            return parse.headers(text)
        except ValueError as error:
            self._problems.append(f"{where} is (not shown); it must be {error}")
            return ()

    def _gzip(self) -> bool:
        where, text = self._variable("COMPRESSION")
        if text.lower() not in ("", "none", "gzip"):
            self._problem(where, text, "gzip or none")
        return text.lower() == "gzip"

    def _timeout(self) -> float:
        where, text = self._variable("TIMEOUT")
        if not text:
            return _DEFAULT_TIMEOUT_S
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not 0 < number < 1e9:
            self._problem(where, text, "milliseconds, like 10000")
            return _DEFAULT_TIMEOUT_S
        # Milliseconds by the specification; Python's SDK reads seconds, and people have set it to 10.
        return number if number <= _LAST_SECONDS else number / 1000

    def _file(self, name: str) -> str | None:
        where, text = self._variable(name)
        if not text:
            return None
        path = os.path.abspath(os.path.expanduser(text))
        if not os.path.isfile(path):
            self._problem(where, text, "the path of a PEM file, and there is none")
        return path

    def _variable(self, name: str) -> tuple[str, str]:
        for variable in (f"{_PREFIX}TRACES_{name}", f"{_PREFIX}{name}"):
            text = self._environ.get(variable, "").strip()
            if text:
                return variable, text
        return f"{_PREFIX}{name}", ""

    def _problem(self, where: str, text: str, wanted: str) -> None:
        self._problems.append(f"{where} is {redact_text(masked_url(text))!r}; it must be {wanted}")
