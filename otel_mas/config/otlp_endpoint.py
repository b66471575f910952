"""The standard variables `OTEL_EXPORTER_OTLP_*`, read as one endpoint for spans; what is wrong with them is data.

Destinations raise on the problems, `otel-mas doctor` lists them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal
from urllib.parse import SplitResult, urlsplit, urlunsplit

from otel_mas.config import parse
from otel_mas.config.server import masked_url

Protocol = Literal["grpc", "http/protobuf"]
PORTS: Mapping[Protocol, int] = {"grpc": 4317, "http/protobuf": 4318}
TRACES_PATH = "/v1/traces"
PREFIX = "OTEL_EXPORTER_OTLP_"
TRACES_PREFIX = f"{PREFIX}TRACES_"

_DEFAULT_TIMEOUT_S = 10.0
_LAST_SECONDS = 100.0


class Fault(Enum):
    """A kind of problem with a variable."""

    ENDPOINT_INVALID = auto()
    ENDPOINT_NO_SCHEME = auto()
    ENDPOINT_SCHEME_UNKNOWN = auto()
    ENDPOINT_PASSWORD = auto()
    ENDPOINT_PATH_GRPC = auto()
    PROTOCOL_UNKNOWN = auto()
    HEADERS_MALFORMED = auto()
    COMPRESSION_UNKNOWN = auto()
    TIMEOUT_INVALID = auto()
    FILE_MISSING = auto()
    CLIENT_CERTIFICATE_MISSING = auto()


@dataclass(frozen=True, slots=True)
class OtlpProblem:
    """One thing that is wrong: `str()` gives the line for people.

    Args:
        value: without user, password and query; None where it may not be shown at all.
        expected: the values that the variable takes.
    """

    variable: str
    fault: Fault
    value: str | None
    expected: str

    def __str__(self) -> str:
        shown = "(not shown)" if self.value is None else repr(self.value)
        return f"{self.variable} is {shown}; it must be {self.expected}"


@dataclass(frozen=True, slots=True)
class OtlpEndpoint:
    """The endpoint that spans are sent to. Headers are not in its `repr`: they hold tokens."""

    url: str = field(repr=False)
    """Over HTTP with its path, over gRPC without; its query may hold a key. "" where `problems` leave none."""
    shown: str
    """The URL without user, password and query; as it was written where `url` is ""."""
    variable: str
    """The variable that the address comes from, or would come from."""
    given: str = field(repr=False)
    """The address as it was written; "" where nothing is set."""
    protocol: Protocol
    protocol_variable: str | None
    """The variable that sets the protocol; None where it is a default."""
    tls: bool = False
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    gzip: bool = False
    timeout_s: float = _DEFAULT_TIMEOUT_S
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    problems: tuple[OtlpProblem, ...] = ()

    @property
    def authority(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return urlsplit(self.url).netloc

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int | None:
        return urlsplit(self.url).port


def otlp_variable(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """The variable for traces or else the one for all signals, and its value: "" where neither is set."""
    for variable in (TRACES_PREFIX + name, PREFIX + name):
        text = environ.get(variable, "").strip()
        if text:
            return variable, text
    return PREFIX + name, ""


def read_otlp_endpoint(
    environ: Mapping[str, str],
    endpoint: str = "",
    *,
    endpoint_name: str = "the endpoint",
    protocol: Protocol | None = None,
    default_protocol: Protocol | None = None,
    as_sdk: bool = False,
) -> OtlpEndpoint:
    """Read the variables for traces, and those for all signals where these are not set.

    Args:
        endpoint: an address that goes before the variables; like OTEL_EXPORTER_OTLP_ENDPOINT it gets `/v1/traces` over
            HTTP.
        endpoint_name: how problems name it.
        protocol: of an exporter that speaks only this one, whatever the variables say.
        default_protocol: where no variable sets one; by default gRPC on port 4317, else HTTP.
        as_sdk: read as OpenTelemetry's Python SDK does: `/v1/traces` is appended even where it is there already, and
            OTEL_EXPORTER_OTLP_INSECURE goes before `http://` over gRPC.
    """
    return _Reader(environ, endpoint.strip(), endpoint_name, as_sdk).read(protocol, default_protocol)


class _Reader:
    """One pass over the variables, which gathers the problems."""

    def __init__(self, environ: Mapping[str, str], endpoint: str, endpoint_name: str, as_sdk: bool) -> None:
        self._environ = environ
        self._as_sdk = as_sdk
        self._problems: list[OtlpProblem] = []
        self._variable, self._given = (endpoint_name, endpoint) if endpoint else otlp_variable(environ, "ENDPOINT")

    def read(self, fixed: Protocol | None, default: Protocol | None) -> OtlpEndpoint:
        protocol, protocol_variable = self._protocol(fixed, default)
        parts = self._parts(protocol)
        url = "" if parts is None else self._url(parts, protocol)
        return OtlpEndpoint(
            url=url,
            shown=masked_url(url or self._given),
            variable=self._variable,
            given=self._given,
            protocol=protocol,
            protocol_variable=protocol_variable,
            tls=parts is not None and self._tls(parts, protocol),
            headers=self._headers(),
            gzip=self._gzip(),
            timeout_s=self._timeout(),
            certificate=self._file("CERTIFICATE"),
            client_certificate=self._file("CLIENT_CERTIFICATE"),
            client_key=self._client_key(),
            problems=tuple(self._problems),
        )

    def _protocol(self, fixed: Protocol | None, default: Protocol | None) -> tuple[Protocol, str | None]:
        variable, text = otlp_variable(self._environ, "PROTOCOL")
        if fixed is not None:
            return fixed, None
        for known in PORTS:
            if text == known:
                return known, variable
        if text:
            self._problem(variable, Fault.PROTOCOL_UNKNOWN, text, f"one of {', '.join(PORTS)}")
        if default is not None:
            return default, None
        # The specification's default is HTTP; an address with the port of gRPC and nothing else means gRPC.
        return "grpc" if self._given.rstrip("/").endswith(f":{PORTS['grpc']}") else "http/protobuf", None

    def _parts(self, protocol: Protocol) -> SplitResult | None:
        """The parts of the address, its port filled in; None where it is none."""
        default = f"http://localhost:{PORTS[protocol]}"
        given = self._given or default
        if given.strip("\"'") != given:
            self._endpoint_problem(Fault.ENDPOINT_INVALID, f"a URL like {default}, without quotes")
            return None
        if "@" in given.rpartition("://")[2].partition("/")[0]:
            self._endpoint_problem(
                Fault.ENDPOINT_PASSWORD, f"an address without a password, which belongs into {PREFIX}HEADERS"
            )
        if "://" not in given:
            if protocol == "http/protobuf":
                self._endpoint_problem(
                    Fault.ENDPOINT_NO_SCHEME, f"a URL like {default}: it has neither http:// nor https://"
                )
                return None
            given = f"{'http' if self._insecure == 'true' else 'https'}://{given}"
        try:
            parts = urlsplit(given)
            port, host = parts.port, parts.hostname
        except ValueError:
            host = port = None
        else:
            if parts.scheme not in ("http", "https"):
                self._endpoint_problem(Fault.ENDPOINT_SCHEME_UNKNOWN, f"a URL like {default}")
                return None
        if not host or port == 0 or any(map(str.isspace, given)):
            self._endpoint_problem(Fault.ENDPOINT_INVALID, f"a URL like {default}")
            return None
        if port is None:
            port = PORTS["grpc"] if protocol == "grpc" else 443 if parts.scheme == "https" else 80
        return parts._replace(netloc=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")

    def _url(self, parts: SplitResult, protocol: Protocol) -> str:
        path, query = parts.path, parts.query
        if protocol == "grpc":
            if path.strip("/"):
                self._endpoint_problem(
                    Fault.ENDPOINT_PATH_GRPC, "an address without a path, like http://localhost:4317: gRPC knows none"
                )
            path = query = ""
        elif self._variable.startswith(TRACES_PREFIX):
            path = path or "/"
        elif self._as_sdk or not path.endswith(TRACES_PATH):
            path = path.rstrip("/") + TRACES_PATH
        return urlunsplit((parts.scheme, parts.netloc, path, query, ""))

    def _tls(self, parts: SplitResult, protocol: Protocol) -> bool:
        if self._as_sdk and protocol == "grpc" and parts.scheme == "http" and self._insecure:
            return self._insecure != "true"
        return parts.scheme == "https"

    @property
    def _insecure(self) -> str:
        return otlp_variable(self._environ, "INSECURE")[1].lower()

    def _headers(self) -> tuple[tuple[str, str], ...]:
        variable, text = otlp_variable(self._environ, "HEADERS")
        try:
            return parse.headers(text)
        except ValueError as error:
            self._problems.append(OtlpProblem(variable, Fault.HEADERS_MALFORMED, None, str(error)))
            return ()

    def _gzip(self) -> bool:
        variable, text = otlp_variable(self._environ, "COMPRESSION")
        if text.lower() not in ("", "none", "gzip"):
            self._problem(variable, Fault.COMPRESSION_UNKNOWN, text, "gzip or none")
        return text.lower() == "gzip"

    def _timeout(self) -> float:
        variable, text = otlp_variable(self._environ, "TIMEOUT")
        if not text:
            return _DEFAULT_TIMEOUT_S
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not 0 < number < 1e9:
            self._problem(variable, Fault.TIMEOUT_INVALID, text, "milliseconds, like 10000")
            return _DEFAULT_TIMEOUT_S
        # Milliseconds by the specification; Python's SDK reads seconds, and people have set it to 10.
        return number if number <= _LAST_SECONDS else number / 1000

    def _file(self, name: str) -> str | None:
        variable, text = otlp_variable(self._environ, name)
        if not text:
            return None
        path = os.path.abspath(os.path.expanduser(text))
        if not os.path.isfile(path):
            self._problem(variable, Fault.FILE_MISSING, text, "the path of a PEM file, and there is none")
        return path

    def _client_key(self) -> str | None:
        key = self._file("CLIENT_KEY")
        if key and not otlp_variable(self._environ, "CLIENT_CERTIFICATE")[1]:
            variable, needed = f"{PREFIX}CLIENT_KEY", f"set along with {PREFIX}CLIENT_CERTIFICATE"
            self._problem(variable, Fault.CLIENT_CERTIFICATE_MISSING, key, needed)
        return key

    def _endpoint_problem(self, fault: Fault, expected: str) -> None:
        self._problem(self._variable, fault, self._given, expected)

    def _problem(self, variable: str, fault: Fault, text: str, expected: str) -> None:
        self._problems.append(OtlpProblem(variable, fault, masked_url(text), expected))
