"""The standard variables mean what the specification says, and problems are reported all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from otel_mas.config.otlp_endpoint import Fault, OtlpEndpoint, read_otlp_endpoint

P = "OTEL_EXPORTER_OTLP_"


def read(environ: dict[str, str], endpoint: str = "", **options: Any) -> OtlpEndpoint:
    return read_otlp_endpoint({P + name: value for name, value in environ.items()}, endpoint, **options)


@pytest.mark.parametrize(
    ("environ", "url", "protocol"),
    [
        ({}, "http://localhost:4318/v1/traces", "http/protobuf"),
        ({"PROTOCOL": "grpc"}, "http://localhost:4317", "grpc"),
        ({"TRACES_PROTOCOL": "grpc", "PROTOCOL": "http/protobuf"}, "http://localhost:4317", "grpc"),
        ({"ENDPOINT": "http://h:4318"}, "http://h:4318/v1/traces", "http/protobuf"),
        ({"ENDPOINT": "http://h:4318/"}, "http://h:4318/v1/traces", "http/protobuf"),
        ({"ENDPOINT": "https://h/base/"}, "https://h:443/base/v1/traces", "http/protobuf"),
        ({"ENDPOINT": "http://h:4318/v1/traces"}, "http://h:4318/v1/traces", "http/protobuf"),
        ({"TRACES_ENDPOINT": "http://h:4318"}, "http://h:4318/", "http/protobuf"),
        ({"TRACES_ENDPOINT": "http://h:4318/x", "ENDPOINT": "http://no:1"}, "http://h:4318/x", "http/protobuf"),
        ({"ENDPOINT": "http://h:4317"}, "http://h:4317", "grpc"),
        ({"ENDPOINT": "http://h:4317", "PROTOCOL": "http/protobuf"}, "http://h:4317/v1/traces", "http/protobuf"),
        ({"ENDPOINT": "http://h", "PROTOCOL": "grpc"}, "http://h:4317", "grpc"),
        ({"ENDPOINT": "h:4317", "PROTOCOL": "grpc"}, "https://h:4317", "grpc"),
        ({"ENDPOINT": "h:4317", "INSECURE": "true"}, "http://h:4317", "grpc"),
        ({"ENDPOINT": "https://h:4317", "INSECURE": "true"}, "https://h:4317", "grpc"),
        ({"ENDPOINT": "http://[::1]:4318"}, "http://[::1]:4318/v1/traces", "http/protobuf"),
        ({"ENDPOINT": "  "}, "http://localhost:4318/v1/traces", "http/protobuf"),
    ],
)
def test_where_and_how(environ: dict[str, str], url: str, protocol: str) -> None:
    found = read(environ)

    assert (found.url, found.protocol, found.tls) == (url, protocol, url.startswith("https"))


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://h:9", "http://h:9/v1/traces"),
        ("http://h:9/v1/traces", "http://h:9/v1/traces"),
        ("http://h:4317", "http://h:4317"),
    ],
)
def test_an_endpoint_that_is_given_goes_before_the_variables(given: str, url: str) -> None:
    assert read({"TRACES_ENDPOINT": "http://no:1"}, given).url == url


@pytest.mark.parametrize(
    ("environ", "fault", "message"),
    [
        ({"ENDPOINT": "localhost:4318"}, Fault.ENDPOINT_NO_SCHEME, "neither http:// nor https://"),
        ({"ENDPOINT": "ftp://h"}, Fault.ENDPOINT_SCHEME_UNKNOWN, "URL like"),
        ({"ENDPOINT": "http://"}, Fault.ENDPOINT_INVALID, "URL like"),
        ({"ENDPOINT": "http://h:port"}, Fault.ENDPOINT_INVALID, "URL like"),
        ({"ENDPOINT": "http://h:99999"}, Fault.ENDPOINT_INVALID, "URL like"),
        ({"ENDPOINT": "'http://h'"}, Fault.ENDPOINT_INVALID, "without quotes"),
        ({"ENDPOINT": "http://me:s3cret@h"}, Fault.ENDPOINT_PASSWORD, "without a password"),
        ({"ENDPOINT": "http://h:4317/v1/traces", "PROTOCOL": "grpc"}, Fault.ENDPOINT_PATH_GRPC, "without a path"),
        ({"PROTOCOL": "http/json"}, Fault.PROTOCOL_UNKNOWN, "one of grpc, http/protobuf"),
        ({"COMPRESSION": "zstd"}, Fault.COMPRESSION_UNKNOWN, "gzip or none"),
        ({"TIMEOUT": "soon"}, Fault.TIMEOUT_INVALID, "milliseconds"),
        ({"TIMEOUT": "-1"}, Fault.TIMEOUT_INVALID, "milliseconds"),
        ({"CERTIFICATE": "/no/such.pem"}, Fault.FILE_MISSING, "there is none"),
        ({"HEADERS": "novalue"}, Fault.HEADERS_MALFORMED, "not shown"),
    ],
)
def test_a_problem_names_its_variable(environ: dict[str, str], fault: Fault, message: str) -> None:
    (problem,) = read(environ).problems

    assert (problem.variable, problem.fault) == (P + next(iter(environ)), fault)
    assert problem.variable in str(problem)
    assert message in str(problem)


def test_all_problems_are_reported_at_once() -> None:
    assert len(read({"ENDPOINT": "nowhere", "COMPRESSION": "zip", "TRACES_TIMEOUT": "x"}).problems) == 3


def test_passwords_and_tokens_are_never_shown() -> None:
    found = read({"ENDPOINT": "http://me:s3cret@h:4318?key=s3cret", "HEADERS": "t0ken"})

    assert "s3cret" not in repr(found)
    assert "t0ken" not in repr(found)
    assert not any("s3cret" in str(problem) or "t0ken" in str(problem) for problem in found.problems)
    assert "t0ken" not in repr(read({"HEADERS": "authorization=Bearer%20t0ken"}))


@pytest.mark.parametrize(
    ("environ", "options", "url", "protocol", "tls"),
    [
        ({"ENDPOINT": "http://h:4318/v1/traces"}, {}, "http://h:4318/v1/traces/v1/traces", "http/protobuf", False),
        ({"ENDPOINT": "http://h:4318"}, {"default_protocol": "grpc"}, "http://h:4318", "grpc", False),
        ({"PROTOCOL": "http/protobuf"}, {"protocol": "grpc"}, "http://localhost:4317", "grpc", False),
        ({"ENDPOINT": "http://h:4317", "INSECURE": "false"}, {}, "http://h:4317", "grpc", True),
        ({"ENDPOINT": "https://h:4317", "INSECURE": "true"}, {}, "https://h:4317", "grpc", True),
    ],
)
def test_the_sdk_reads_the_same_variables_differently(
    environ: dict[str, str], options: dict[str, Any], url: str, protocol: str, tls: bool
) -> None:
    found = read(environ, **options, as_sdk=True)

    assert (found.url, found.protocol, found.tls, found.problems) == (url, protocol, tls, ())


def test_where_address_and_protocol_come_from_is_known() -> None:
    found = read({"TRACES_ENDPOINT": "http://h:1", "PROTOCOL": "grpc"})
    assert (found.variable, found.protocol_variable) == (f"{P}TRACES_ENDPOINT", f"{P}PROTOCOL")
    assert read({}).protocol_variable is None
    assert read({}, "nowhere", endpoint_name="OTEL_MAS_EXPORT").problems[0].variable == "OTEL_MAS_EXPORT"


def test_headers_are_decoded_and_those_for_traces_replace_the_others() -> None:
    environ = {"HEADERS": "a=1", "TRACES_HEADERS": "Authorization=Bearer%20x, tenant=t"}

    assert read(environ).headers == (("authorization", "Bearer x"), ("tenant", "t"))


@pytest.mark.parametrize(("text", "seconds"), [("10000", 10.0), ("10", 10.0), ("1500", 1.5), ("101", 0.101)])
def test_milliseconds_but_for_what_the_python_sdk_would_call_seconds(text: str, seconds: float) -> None:
    assert read({"TIMEOUT": text}).timeout_s == seconds


def test_certificates(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / name).touch()
    environ = {
        "CERTIFICATE": str(tmp_path / "ca"),
        "CLIENT_CERTIFICATE": str(tmp_path / "cert"),
        "CLIENT_KEY": str(tmp_path / "key"),
    }

    found = read(environ)
    assert (found.certificate, found.client_certificate, found.client_key) == tuple(environ.values())
    (problem,) = read({"CLIENT_KEY": str(tmp_path / "key")}).problems
    assert problem.fault is Fault.CLIENT_CERTIFICATE_MISSING
    assert f"{P}CLIENT_CERTIFICATE" in str(problem)
