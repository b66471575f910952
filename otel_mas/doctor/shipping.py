"""Where spans are sent, by whom, and whether that works: each server is asked once, all of them at the same time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from otel_mas.config import Settings
from otel_mas.doctor import kinds
from otel_mas.doctor.endpoint import Configured, Destination, Sender, configured, endpoint_is_set
from otel_mas.doctor.findings import Finding, Level
from otel_mas.doctor.forms import DestinationForm, ExporterForm
from otel_mas.doctor.masking import masked
from otel_mas.doctor.reach import Reached
from otel_mas.errors import ConfigError
from otel_mas.shipping import open_destination

_OTLP = "otlp"
# Of Python's SDK, which has other defaults than the specification.
_STOCK = {
    _OTLP: Sender("the app (OTEL_TRACES_EXPORTER=otlp)", "grpc", "the SDK's default"),
    "otlp_proto_grpc": Sender("the app (OTEL_TRACES_EXPORTER=otlp_proto_grpc)", "grpc", "that exporter's", fixed=True),
    "otlp_proto_http": Sender(
        "the app (OTEL_TRACES_EXPORTER=otlp_proto_http)", "http/protobuf", "that exporter's", fixed=True
    ),
}
_APP = Sender("the app, if it has an exporter")


OURS = "otel-mas (OTEL_MAS_EXPORT)"
"""The sender of what otel-mas ships itself."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where is sent to, in the order of the settings, and what is wrong with how that is written."""

    destinations: list[Destination]
    findings: list[Finding]


def plan(environ: Mapping[str, str], settings: Settings, exporters: Sequence[ExporterForm], content: bool) -> Plan:
    """Read the settings of otel-mas and of the SDK; contacts nothing.

    Args:
        exporters: of the SDK's own, those that the app has.
        content: whether content leaves with spans: all of it with those that otel-mas ships, exceptions with others.
    """
    findings: list[Finding] = []
    ours = [one for wanted in settings.export for one in _ours(wanted, environ, settings, content, findings)]
    stock = [configured(environ, _STOCK[one["name"]], content=content) for one in exporters if one["name"] in _STOCK]
    variable = endpoint_is_set(environ)
    if variable is not None and not settings.export:
        findings.append(kinds.EXPORT_NOT_SET.found(variable=variable))
    if variable is not None and not settings.export and not stock:
        stock.append(configured(environ, _APP, content=content))
    findings += _doubles(ours, stock)
    for one in (*ours, *stock):
        findings += [finding for finding in one.findings if finding not in findings]
    return Plan([one.destination for one in (*ours, *stock)], findings)


def _ours(
    wanted: str, environ: Mapping[str, str], settings: Settings, content: bool, findings: list[Finding]
) -> Iterator[Configured]:
    """Where one entry of OTEL_MAS_EXPORT leads, where that is an OTLP endpoint."""
    try:
        open_destination(wanted, settings, environ).close()
    except ConfigError as error:
        findings += (
            kinds.EXPORT_INVALID.found(export=wanted.partition(":")[0], problem=masked(one)) for one in error.problems
        )
        return
    name, _, url = wanted.partition(":")
    if name == _OTLP:
        yield configured(environ, Sender(OURS, url=url, forgiving=True), content=content)


def _doubles(ours: Sequence[Configured], stock: Sequence[Configured]) -> Iterator[Finding]:
    servers = {one.destination.server for one in ours}
    for one in stock:
        if one.destination.usable and one.destination.server in servers:
            yield kinds.EXPORTS_TOO.found(exporter=one.destination.sender, server=one.destination.shown)


def same(one: Destination) -> tuple[object, ...]:
    """Equal for destinations of which one answer says everything about the other."""
    return one.host, one.port, one.path, one.protocol, one.tls, one.headers


def form(one: Destination, reached: Reached | None) -> DestinationForm:
    """As a JSON document; `reached` is None where it was not asked, or did not answer in time."""
    return {
        "sender": one.sender,
        "endpoint": one.shown,
        "origin": one.variable,
        "protocol": one.protocol,
        "tls": one.tls,
        "loopback": one.loopback,
        "headers": [name for name, _ in one.headers],
        "usable": one.usable,
        "reachable": None if reached is None else reached.finding.level is Level.OK,
        "took_ms": None if reached is None else reached.took_ms,
    }
