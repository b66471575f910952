"""Destinations of spans, their senders, and whether they work: each server gets one request without spans."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # public, not in its stubs

from otel_mas.config import Settings
from otel_mas.config.otlp_endpoint import (
    PORTS,
    PREFIX,
    TRACES_PATH,
    TRACES_PREFIX,
    Fault,
    OtlpEndpoint,
    otlp_variable,
    read_otlp_endpoint,
)
from otel_mas.config.server import HIDDEN, masked_url, server_key
from otel_mas.doctor.findings import Finding, Level, finding
from otel_mas.doctor.forms import DestinationForm, ExporterForm
from otel_mas.doctor.settings import mask
from otel_mas.errors import ConfigError
from otel_mas.errors.printable import shortened
from otel_mas.privacy.redact import redact_text
from otel_mas.report.text import duration, plain
from otel_mas.shipping import Accepted, FailureKind, open_destination

OURS = "otel-mas (OTEL_MAS_EXPORT)"
"""The sender of what otel-mas ships itself."""

REQUEST_TIMEOUT_S = 3.0
_MAX_DETAIL = 120
_OPENSSL = re.compile(r"^.*OPENSSL_internal:")  # gRPC's way of quoting it
_SHORT = 3  # characters: no secret, and part of many words
# Python's SDK has other defaults than the specification.
_SDK_EXPORTERS: dict[str, dict[str, Any]] = {
    "otlp": {"default_protocol": "grpc"},
    "otlp_proto_grpc": {"protocol": "grpc"},
    "otlp_proto_http": {"protocol": "http/protobuf"},
}
_FAULTS = {
    Fault.ENDPOINT_INVALID: "endpoint-invalid",
    Fault.ENDPOINT_NO_SCHEME: "endpoint-no-scheme",
    Fault.ENDPOINT_SCHEME_UNKNOWN: "endpoint-scheme-unknown",
    Fault.ENDPOINT_PASSWORD: "endpoint-password",
    Fault.ENDPOINT_PATH_GRPC: "endpoint-path-grpc",
    Fault.PROTOCOL_UNKNOWN: "protocol-unknown",
    Fault.HEADERS_MALFORMED: "headers-malformed",
    Fault.FILE_MISSING: "certificate-unreadable",
    Fault.CLIENT_CERTIFICATE_MISSING: "certificate-unreadable",
    Fault.COMPRESSION_UNKNOWN: "otlp-variable-invalid",
    Fault.TIMEOUT_INVALID: "otlp-variable-invalid",
}
_FAILURES = {
    FailureKind.UNKNOWN_HOST: "destination-unknown-host",
    FailureKind.UNREACHABLE: "destination-refused",
    FailureKind.TIMEOUT: "destination-silent",
    FailureKind.UNTRUSTED: "destination-untrusted",
    FailureKind.OTHER_HOST: "destination-untrusted",
    FailureKind.PLAIN_SERVER: "destination-no-tls",
    FailureKind.TLS_SERVER: "destination-wants-tls",
    FailureKind.CLIENT_CERTIFICATE: "destination-wants-certificate",
    FailureKind.ACCESS: "destination-refuses-access",
    FailureKind.NOT_OTLP: "destination-not-otlp",
    FailureKind.HEADERS: "headers-malformed",
    FailureKind.SERVER_ERROR: "destination-fails",
}


@dataclass(frozen=True, slots=True)
class OtlpTarget:
    """An OTLP endpoint with its sender; `proxy` is the variable that names one for it."""

    sender: str
    endpoint: OtlpEndpoint
    proxy: str | None = None

    @property
    def usable(self) -> bool:
        """Whether it is an address that requests can be sent to."""
        return bool(self.endpoint.url)

    @property
    def loopback(self) -> bool:
        return self.usable and server_key(self.endpoint.url).startswith("localhost:")

    @property
    def request(self) -> tuple[object, ...]:
        """Equal for targets that one request answers for."""
        endpoint = self.endpoint
        return endpoint.url, endpoint.protocol, endpoint.tls, endpoint.headers


@dataclass(frozen=True, slots=True)
class ShippingPlan:
    """The targets of spans, in the order of the settings, and mistakes in how they are written."""

    targets: list[OtlpTarget]
    findings: list[Finding]


def plan_shipping(
    environ: Mapping[str, str], settings: Settings, exporters: Sequence[ExporterForm], content: bool
) -> ShippingPlan:
    """Read the settings of otel-mas and of the SDK; contacts nothing.

    Args:
        exporters: of the SDK's own, those that the app has.
        content: whether content leaves with spans.
    """
    findings: list[Finding] = []
    ours = []
    for wanted in settings.export:
        name, _, url = wanted.partition(":")
        try:
            open_destination(wanted, settings, environ).close()
            if name == "otlp":
                endpoint = read_otlp_endpoint(environ, url, endpoint_name="OTEL_MAS_EXPORT")
                ours.append(_target(OURS, endpoint, environ))
        except ConfigError as error:
            findings += (finding("export-invalid", export=name, problem=mask(one)) for one in error.problems)
    apps = [
        _target(
            f"the app (OTEL_TRACES_EXPORTER={one['name']})",
            read_otlp_endpoint(environ, as_sdk=True, **_SDK_EXPORTERS[one["name"]]),
            environ,
        )
        for one in exporters
        if one["name"] in _SDK_EXPORTERS
    ]
    variable, given = otlp_variable(environ, "ENDPOINT")
    if given and not settings.export:
        findings.append(finding("export-not-set", variable=variable))
        if not apps:
            apps.append(_target("the app, if it has an exporter", read_otlp_endpoint(environ, as_sdk=True), environ))
    servers = {server_key(target.endpoint.url) for target in ours}
    for target in apps:
        if target.usable and server_key(target.endpoint.url) in servers:
            findings.append(finding("exports-too", exporter=target.sender, server=target.endpoint.shown))
    targets = [*ours, *apps]
    found = [one for target in targets for one in (*_mistakes(target.endpoint), *_route(target, content))]
    return ShippingPlan(targets, [*findings, *dict.fromkeys(found)])


def _target(sender: str, endpoint: OtlpEndpoint, environ: Mapping[str, str]) -> OtlpTarget:
    scheme = urlsplit(endpoint.url).scheme
    variables = {name.lower(): name for name in environ if environ[name].strip()}
    proxy = variables.get(f"{scheme}_proxy") if scheme else None
    exempt = {"no": environ[variables["no_proxy"]] if "no_proxy" in variables else ""}
    return OtlpTarget(sender, endpoint, None if proxy_bypass_environment(endpoint.host, exempt) else proxy)


def _mistakes(endpoint: OtlpEndpoint) -> Iterator[Finding]:
    """Mistakes, certain or likely, in how an endpoint is written."""
    variable, given = endpoint.variable, masked_url(endpoint.given)
    for problem in endpoint.problems:
        values = {"variable": problem.variable, "value": problem.value, "expected": problem.expected}
        effect = "no request can be made of it"
        yield finding(_FAULTS[problem.fault], detail=f"it must be {problem.expected}", effect=effect, **values)
    if not endpoint.url:
        return
    if given and "://" not in given and endpoint.tls:
        yield finding("endpoint-no-scheme", variable=variable, value=given, effect="gRPC then expects TLS there")
    path = urlsplit(endpoint.url).path
    if endpoint.protocol == "http/protobuf" and variable.startswith(TRACES_PREFIX) and not path.strip("/"):
        yield finding("endpoint-path-missing", variable=variable, value=given, url=endpoint.shown)
    if path.endswith(TRACES_PATH * 2):
        yield finding("endpoint-path-twice", variable=variable, value=given, url=endpoint.shown)
    for protocol, port in PORTS.items():
        if endpoint.port == port and endpoint.protocol != protocol:
            origin = endpoint.protocol_variable or "by default"
            ports = {"port": port, "usual": protocol, "other": PORTS[endpoint.protocol]}
            yield finding("endpoint-port", endpoint=endpoint.shown, protocol=endpoint.protocol, origin=origin, **ports)
    yield from _certificates(endpoint)


def _certificates(endpoint: OtlpEndpoint) -> Iterator[Finding]:
    name, path = "CERTIFICATE", endpoint.certificate
    try:
        context = ssl.create_default_context(cafile=path)
        if endpoint.client_certificate:
            name, path = "CLIENT_CERTIFICATE", endpoint.client_certificate
            context.load_cert_chain(path, endpoint.client_key)
    except FileNotFoundError:
        return  # one of the endpoint's problems
    except OSError as error:
        yield finding("certificate-unreadable", variable=f"{PREFIX}{name}", value=path, detail=error)


def _route(target: OtlpTarget, content: bool) -> Iterator[Finding]:
    endpoint = target.endpoint
    if target.usable and not endpoint.tls and not target.loopback:
        also = [*(["headers"] if endpoint.headers else []), *(["content"] if content else [])]
        parts = f", with {' and '.join(also)}," if also else ""
        yield finding("endpoint-plaintext", host=endpoint.host, variable=endpoint.variable, also=parts)
    if target.proxy is not None:
        yield finding("behind-proxy", variable=target.proxy, host=endpoint.host)


def ask_target(
    target: OtlpTarget, settings: Settings, environ: Mapping[str, str], timeout_s: float = REQUEST_TIMEOUT_S
) -> tuple[Finding | None, float | None]:
    """Send a request without spans by the client that ships; how long its answer took (ms), where it took that.

    Nothing is sent, and None returned, where variables or certificates cannot be used: `plan_shipping` reports those.
    """
    endpoint = target.endpoint
    if any(_certificates(endpoint)):
        return None, None
    url = urlsplit(endpoint.url)._replace(scheme="https" if endpoint.tls else "http").geturl()
    resolved = {"ENDPOINT": url, "PROTOCOL": endpoint.protocol, "TIMEOUT": f"{timeout_s:g}", "COMPRESSION": "none"}
    variables = {**environ, **{f"{TRACES_PREFIX}{name}": value for name, value in resolved.items()}}
    try:
        destination = open_destination("otlp", settings, variables)
    except ConfigError:
        return None, None
    start = time.monotonic()
    try:
        outcome = destination.send(())
    finally:
        destination.close()
    took_s = time.monotonic() - start
    values: dict[str, object] = {
        "endpoint": endpoint.shown,
        "host": endpoint.host,
        "variable": endpoint.variable,
        "protocol": endpoint.protocol,
    }
    if isinstance(outcome, Accepted):
        return finding("destination-answers", took=duration(round(took_s * 1e9)), **values), took_s * 1e3
    failure = outcome.failure
    code = "destination-fails" if failure is None else _FAILURES.get(failure.kind, "destination-fails")
    if code == "headers-malformed":
        values["variable"] = otlp_variable(environ, "HEADERS")[0]
    other = "grpc" if endpoint.protocol == "http/protobuf" else "http/protobuf"
    detail = _brief(outcome.reason if failure is None else failure.detail, endpoint)
    advice = {"detail": detail, "seconds": f"{timeout_s:g}", "other": other, "usual_port": PORTS[endpoint.protocol]}
    return finding(code, **values, **advice), None


def _brief(message: str, endpoint: OtlpEndpoint) -> str:
    """A server's message, which may repeat the headers that it was sent."""
    for _, value in endpoint.headers:
        for word in value.split():
            message = message.replace(word, HIDDEN) if len(word) > _SHORT else message
    return shortened(redact_text(_OPENSSL.sub("", plain(message))), _MAX_DETAIL)


def destination_form(target: OtlpTarget, answer: tuple[Finding | None, float | None] | None) -> DestinationForm:
    """A target as a JSON document; `answer` is None where it was not asked, or did not answer in time."""
    endpoint = target.endpoint
    reply, took_ms = answer or (None, None)
    return {
        "sender": target.sender,
        "endpoint": endpoint.shown,
        "origin": endpoint.variable,
        "protocol": endpoint.protocol,
        "tls": endpoint.tls,
        "loopback": target.loopback,
        "headers": [name for name, _ in endpoint.headers],
        "usable": target.usable,
        "reachable": None if reply is None else reply.level is Level.OK,
        "took_ms": took_ms,
    }
