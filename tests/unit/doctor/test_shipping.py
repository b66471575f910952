"""How the variables of OTLP are read, by whom, and every way in which they are written wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from otel_mas.config import Settings
from otel_mas.doctor.forms import ExporterForm
from otel_mas.doctor.shipping import ShippingPlan, plan_shipping

ENDPOINT, TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
HTTP, GRPC = {PROTOCOL: "http/protobuf"}, {PROTOCOL: "grpc"}
STOCK: list[ExporterForm] = [{"name": "otlp", "origin": "environment"}]


def look(environ: dict[str, str], exporters: list[ExporterForm] | None = None, content: bool = False) -> ShippingPlan:
    return plan_shipping(environ, Settings.from_env(environ), exporters or [], content)


def codes(found: ShippingPlan) -> list[str]:
    return [finding.code for finding in found.findings if finding.code != "export-not-set"]


def test_without_settings_nothing_is_sent() -> None:
    assert look({}) == ShippingPlan([], [])


def test_an_endpoint_alone_is_the_apps_with_a_note_on_shipping() -> None:
    found = look({ENDPOINT: "http://localhost:4318"})
    (target,) = found.targets
    assert (target.sender, target.endpoint.protocol) == ("the app, if it has an exporter", "http/protobuf")
    assert [finding.code for finding in found.findings] == ["export-not-set"]


@pytest.mark.parametrize(
    ("environ", "exporters", "shown", "protocol", "tls"),
    [
        ({ENDPOINT: "http://c:4318"}, [], "http://c:4318/v1/traces", "http/protobuf", False),
        ({ENDPOINT: "http://c:4317"}, [], "http://c:4317", "grpc", False),
        ({ENDPOINT: "https://c/base/"}, [], "https://c:443/base/v1/traces", "http/protobuf", True),
        ({TRACES: "http://c/x", ENDPOINT: "http://d"}, [], "http://c:80/x", "http/protobuf", False),
        ({ENDPOINT: "https://c", **GRPC}, [], "https://c:4317", "grpc", True),
        ({ENDPOINT: "http://c", "OTEL_EXPORTER_OTLP_INSECURE": "false", **GRPC}, [], "http://c:4317", "grpc", True),
        ({ENDPOINT: "c:4317", "OTEL_EXPORTER_OTLP_INSECURE": "true", **GRPC}, [], "http://c:4317", "grpc", False),
        ({}, STOCK, "http://localhost:4317", "grpc", False),
        (HTTP, STOCK, "http://localhost:4318/v1/traces", "http/protobuf", False),
        ({"OTEL_MAS_EXPORT": "otlp"}, [], "http://localhost:4318/v1/traces", "http/protobuf", False),
        ({"OTEL_MAS_EXPORT": "otlp:http://c:4317"}, [], "http://c:4317", "grpc", False),
    ],
)
def test_endpoints_are_read_as_their_senders_read_them(
    environ: dict[str, str], exporters: list[ExporterForm], shown: str, protocol: str, tls: bool
) -> None:
    (one,) = look(environ, exporters).targets
    assert one.usable
    assert (one.endpoint.shown, one.endpoint.protocol, one.endpoint.tls) == (shown, protocol, tls)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({ENDPOINT: "localhost:4318", **HTTP}, ["endpoint-no-scheme"]),
        ({ENDPOINT: "localhost:4317", **GRPC}, ["endpoint-no-scheme"]),
        ({ENDPOINT: "grpc://localhost:4317"}, ["endpoint-scheme-unknown"]),
        ({ENDPOINT: "http://"}, ["endpoint-invalid"]),
        ({ENDPOINT: "http://localhost:port"}, ["endpoint-invalid"]),
        ({ENDPOINT: '"http://localhost:4318"'}, ["endpoint-invalid"]),
        ({ENDPOINT: "http://local host:4318"}, ["endpoint-invalid"]),
        ({ENDPOINT: "http://localhost:4318/v1/traces", **HTTP}, ["endpoint-path-twice"]),
        ({TRACES: "http://localhost:4318/v1/traces", **HTTP}, []),
        ({TRACES: "http://localhost:4318", **HTTP}, ["endpoint-path-missing"]),
        ({ENDPOINT: "http://localhost:4317/v1/traces", **GRPC}, ["endpoint-path-grpc"]),
        ({ENDPOINT: "http://localhost:4318", **GRPC}, ["endpoint-port"]),
        ({ENDPOINT: "http://localhost:4317", **HTTP}, ["endpoint-port"]),
        ({ENDPOINT: "http://me:secret@localhost:4318", **HTTP}, ["endpoint-password"]),
        ({ENDPOINT: "http://localhost:4318", PROTOCOL: "http/json"}, ["protocol-unknown"]),
        ({ENDPOINT: "http://far.example:4318", **HTTP}, ["endpoint-plaintext"]),
        ({ENDPOINT: "https://far.example:4318", **HTTP}, []),
        ({ENDPOINT: "http://localhost:4318", "OTEL_EXPORTER_OTLP_HEADERS": "token"}, ["headers-malformed"]),
        ({ENDPOINT: "http://localhost:4318", "OTEL_EXPORTER_OTLP_HEADERS": "a b=c"}, ["headers-malformed"]),
        ({ENDPOINT: "http://localhost:4318", "OTEL_EXPORTER_OTLP_HEADERS": "a=b%0Ac"}, ["headers-malformed"]),
        ({ENDPOINT: "http://localhost:4318", "OTEL_EXPORTER_OTLP_HEADERS": "a=b,c=d e"}, []),
        ({ENDPOINT: "https://localhost", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/ca.pem"}, ["certificate-unreadable"]),
        ({ENDPOINT: "https://localhost", "OTEL_EXPORTER_OTLP_CERTIFICATE": __file__}, ["certificate-unreadable"]),
        ({ENDPOINT: "http://localhost", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, ["otlp-variable-invalid"]),
        ({ENDPOINT: "https://far.example", "HTTPS_PROXY": "http://u:p@proxy:3128"}, ["behind-proxy"]),
        ({ENDPOINT: "https://far.example", "HTTPS_PROXY": "http://proxy:3128", "no_proxy": "far.example"}, []),
    ],
)
def test_mistakes_are_explained(environ: dict[str, str], expected: list[str]) -> None:
    found = look(environ)
    assert codes(found) == expected
    assert "secret" not in repr([(finding.message, finding.fix) for finding in found.findings])
    for finding in found.findings:
        assert finding.fix, finding


def test_an_endpoint_that_cannot_be_used_is_not_asked() -> None:
    (target,) = look({ENDPOINT: "localhost:4318", **HTTP}).targets
    assert not target.usable
    assert target.endpoint.shown == "localhost:4318"


def test_unencrypted_headers_and_content_are_named() -> None:
    environ = {ENDPOINT: "http://far.example:4318", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=x"}
    (finding,) = [one for one in look(environ, content=True).findings if one.code == "endpoint-plaintext"]
    assert finding.message == "spans, with headers and content, leave this machine unencrypted for far.example"


def test_exports_that_otel_mas_refuses_are_problems_with_its_own_message() -> None:
    found = look({"OTEL_MAS_EXPORT": "otlp", ENDPOINT: "localhost:4318"})
    assert codes(found) == ["export-invalid"]
    assert "it has neither http:// nor https://" in found.findings[0].message
    assert found.targets == []
    assert codes(look({"OTEL_MAS_EXPORT": "carrier-pigeon"})) == ["export-invalid"]


def test_a_file_is_no_server_to_ask(tmp_path: Path) -> None:
    assert look({"OTEL_MAS_EXPORT": f"file:{tmp_path / 'spans.jsonl'}"}) == ShippingPlan([], [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("http://localhost:4318", "http://127.0.0.1:4317", ["exports-too"]),
        ("http://localhost:4318", "http://other.example:4317", ["endpoint-plaintext"]),
    ],
)
def test_two_senders_to_one_server_are_noticed(ours: str, theirs: str, expected: list[str]) -> None:
    found = look({"OTEL_MAS_EXPORT": f"otlp:{ours}", TRACES: theirs}, STOCK)
    assert codes(found) == expected
    assert len(found.targets) == 2


def test_a_client_certificate_and_key_that_do_not_fit(certificate: Any) -> None:
    swapped = {"CLIENT_CERTIFICATE": certificate.key, "CLIENT_KEY": certificate.path}
    environ = {
        ENDPOINT: "https://localhost",
        **{f"OTEL_EXPORTER_OTLP_{name}": str(path) for name, path in swapped.items()},
    }
    (finding,) = [one for one in look(environ).findings if one.code == "certificate-unreadable"]
    assert "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" in finding.message
