"""The standard variables mean what the specification says, and what is wrong is said all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_mas.errors import ConfigError
from otel_mas_exporters.endpoint import endpoint_of

P = "OTEL_EXPORTER_OTLP_"


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
    found = endpoint_of({P + name: value for name, value in environ.items()})

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
    assert endpoint_of({f"{P}TRACES_ENDPOINT": "http://no:1"}, given).url == url


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"ENDPOINT": "localhost:4318"}, "neither http:// nor https://"),
        ({"ENDPOINT": "ftp://h"}, "URL like"),
        ({"ENDPOINT": "http://"}, "URL like"),
        ({"ENDPOINT": "http://h:port"}, "URL like"),
        ({"ENDPOINT": "http://h:99999"}, "URL like"),
        ({"ENDPOINT": "http://h:4317/v1/traces", "PROTOCOL": "grpc"}, "without a path"),
        ({"PROTOCOL": "http/json"}, "one of grpc, http/protobuf"),
        ({"COMPRESSION": "zstd"}, "gzip or none"),
        ({"TIMEOUT": "soon"}, "milliseconds"),
        ({"TIMEOUT": "-1"}, "milliseconds"),
        ({"CERTIFICATE": "/no/such.pem"}, "there is none"),
        ({"HEADERS": "novalue"}, "not shown"),
    ],
)
def test_what_is_wrong_is_said_with_its_variable(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        endpoint_of({P + name: value for name, value in environ.items()})
    assert P + next(iter(environ)) in str(raised.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        endpoint_of({f"{P}ENDPOINT": "nowhere", f"{P}COMPRESSION": "zip", f"{P}TRACES_TIMEOUT": "x"})
    assert len(raised.value.problems) == 3


def test_passwords_and_tokens_are_never_shown() -> None:
    with pytest.raises(ConfigError) as raised:
        endpoint_of({f"{P}ENDPOINT": "http://me:s3cret@h:4318", f"{P}HEADERS": "t0ken"})
    assert "s3cret" not in str(raised.value)
    assert "t0ken" not in str(raised.value)
    assert "t0ken" not in repr(endpoint_of({f"{P}HEADERS": "authorization=Bearer%20t0ken"}))


def test_headers_are_decoded_and_those_for_traces_replace_the_others() -> None:
    environ = {f"{P}HEADERS": "a=1", f"{P}TRACES_HEADERS": "Authorization=Bearer%20x, tenant=t"}

    assert endpoint_of(environ).headers == (("authorization", "Bearer x"), ("tenant", "t"))


@pytest.mark.parametrize(("text", "seconds"), [("10000", 10.0), ("10", 10.0), ("1500", 1.5), ("101", 0.101)])
def test_milliseconds_but_for_what_the_python_sdk_would_call_seconds(text: str, seconds: float) -> None:
    assert endpoint_of({f"{P}TIMEOUT": text}).timeout_s == seconds


def test_certificates(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / name).touch()
    environ = {
        f"{P}CERTIFICATE": str(tmp_path / "ca"),
        f"{P}CLIENT_CERTIFICATE": str(tmp_path / "cert"),
        f"{P}CLIENT_KEY": str(tmp_path / "key"),
    }

    found = endpoint_of(environ)
    assert (found.certificate, found.client_certificate, found.client_key) == tuple(environ.values())
    with pytest.raises(ConfigError, match="CLIENT_CERTIFICATE"):
        endpoint_of({f"{P}CLIENT_KEY": str(tmp_path / "key")})


def test_a_secret_in_an_endpoint_is_neither_shown_nor_in_an_error() -> None:
    token = "sk-live-" + "SECRET" * 4
    assert token not in endpoint_of({P + "ENDPOINT": f"http://h:4318/{token}"}).shown
    for wrong in (f"http://h:99999999/{token}", f"h/{token}", f"http://h:x/;token={token}"):
        with pytest.raises(ConfigError) as caught:
            endpoint_of({P + "ENDPOINT": wrong})
        assert token not in str(caught.value)
