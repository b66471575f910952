"""Beyond this machine the server asks for a token or a certificate; browsers of other sites never reach it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.errors import ConfigError
from otel_mas.server.access import COOKIE, Access, is_loopback, read_token
from tests.conformance.messages import span
from tests.serving.server import Server, span_names
from tests.serving.test_receiving import call, request

TOKEN = "0123456789abcdef0123"
Serve = Callable[..., Server]


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return str(path)


@pytest.mark.parametrize("option", ["--grpc", "--http", "--listen"])
def test_it_does_not_start_open_to_other_machines(serve: Serve, option: str) -> None:
    with pytest.raises(RuntimeError, match="--token-file"):
        serve(option, "0.0.0.0:0")


def test_a_port_in_use_is_named(serve: Serve) -> None:
    first = serve()
    for option, address in (("--grpc", first.grpc), ("--http", first.http), ("--listen", first.page)):
        with pytest.raises(RuntimeError, match=option):
            serve(option, address)


def test_a_token_is_asked_for_on_every_port(serve: Serve, token_file: str) -> None:
    server = serve("--token-file", token_file)
    body = request(span(1, 1, "one", 0, 1))
    bearer = {"Authorization": f"Bearer {TOKEN}"}

    assert server.post(body)[0] == 401
    assert server.post(body, Authorization="Bearer wrong")[0] == 401
    assert server.post(body, **bearer)[0] == 200
    for metadata in ((), (("authorization", "Bearer wrong"),), (("authorization-bin", TOKEN.encode()),)):
        with pytest.raises(grpc.RpcError) as refused:
            call(server, body, metadata=metadata)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert call(server, body, metadata=(("authorization", f"Bearer {TOKEN}"),)) == b""
    for at in (server.http, server.page):
        assert server.request("GET", "/metrics", at=at)[0] == 401
        assert server.request("GET", "/metrics", headers=bearer, at=at)[0] == 200
        assert server.request("GET", "/readyz", at=at)[0] == 200
    assert span_names(server.store) == ["one"]


def test_a_browser_gets_a_cookie_for_the_token(serve: Serve, token_file: str) -> None:
    page = serve("--token-file", token_file)
    status, headers, _ = page.request("GET", f"/traces/1?token={TOKEN}&view=log", at=page.page)
    cookie = headers["set-cookie"]

    assert (status, headers["location"]) == (303, "/traces/1?view=log")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    kept = {"Cookie": cookie.partition(";")[0]}
    assert page.request("GET", "/api/v1/info", headers=kept, at=page.page)[0] == 200
    assert page.request("GET", "/api/v1/info", at=page.page)[0] == 401
    assert page.request("GET", "/?token=wrong", at=page.page)[0] == 401
    assert page.post(b"", **kept)[0] == 401  # the receiver takes no cookies


@pytest.mark.parametrize("others", ['_xsrf=2|ab"c', "a b=c d", 'state={"open":[1]}', "[x]=1", "path=/"])
def test_cookies_of_other_servers_of_this_machine_do_not_hide_the_token(
    serve: Serve, token_file: str, others: str
) -> None:
    server = serve("--token-file", token_file)
    for cookie in (f"{others}; {COOKIE}={TOKEN}", f"{COOKIE}={TOKEN}; {others}"):
        assert server.request("GET", "/api/v1/info", headers={"Cookie": cookie}, at=server.page)[0] == 200


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/conversations/t%2F%C3%A9", "/conversations/t%2F%C3%A9"),
        ("//evil.example/", "/evil.example/"),
        ("/\\evil.example", "/evil.example"),
        ("/%0d%0aSet-Cookie:x", "/%0d%0aSet-Cookie:x"),
    ],
)
def test_after_the_token_the_same_page_follows(serve: Serve, token_file: str, path: str, place: str) -> None:
    server = serve("--token-file", token_file)
    status, headers, _ = server.request("GET", f"{path}?token={TOKEN}", at=server.page)

    assert (status, headers["location"]) == (303, place)


def test_files_of_tls_that_cannot_be_used_are_named(serve: Serve, tmp_path: Path, token_file: str) -> None:
    pair, other = _certificate(tmp_path, "ca"), _certificate(tmp_path, "other")
    for certificate, key, authority in (
        ("nowhere.pem", pair[1], pair[0]),
        (token_file, pair[1], pair[0]),
        (pair[0], other[1], pair[0]),
        (*pair, token_file),
    ):
        with pytest.raises(RuntimeError, match=r"TLS cannot be served with .*\.(pem|key)"):
            serve("--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", authority)


def test_another_host_or_origin_is_refused(serve: Serve) -> None:
    server = serve("--allowed-host", "otel.example")
    for at in (server.http, server.page):
        port = at.rpartition(":")[2]
        for host, origin, status in (
            ("localhost", None, 200),
            (f"[::1]:{port}", None, 200),
            ("otel.example", "http://otel.example", 200),
            ("evil.example", None, 403),
            ("localhost.evil.example", None, 403),
            ("", None, 403),
            (at, "http://evil.example", 403),
            (at, "null", 403),
            (at, "http://[", 403),
            (at, f"http://{at}", 200),
        ):
            headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
            assert server.request("GET", "/metrics", headers=headers, at=at)[0] == status, (host, origin)


def test_clients_need_a_certificate_where_an_authority_is_named(serve: Serve, tmp_path: Path) -> None:
    authority, server_pair, client_pair = (_certificate(tmp_path, name) for name in ("ca", "server", "client"))
    options = ("--tls-cert", server_pair[0], "--tls-key", server_pair[1], "--tls-client-ca", authority[0])
    server = serve(*options)

    def channel(*pair: str) -> grpc.Channel:
        files = [Path(path).read_bytes() for path in pair]
        return grpc.secure_channel(
            server.grpc, grpc.ssl_channel_credentials(Path(authority[0]).read_bytes(), *files[::-1])
        )

    body = request(span(1, 1, "secured", 0, 1))
    method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    with channel(*client_pair) as known:
        assert known.unary_unary(method)(body, timeout=30) == b""
    with channel() as unknown, pytest.raises(grpc.RpcError):
        unknown.unary_unary(method)(body, timeout=5)
    with pytest.raises(OSError):  # noqa: PT011
        server.post(body)  # in the clear
    assert span_names(server.store) == ["secured"]


def _certificate(folder: Path, name: str) -> tuple[str, str]:
    """A certificate for 127.0.0.1 and its key; all but the first one are signed by it."""
    certificate, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    if name != "ca":
        command += ["-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key")]
        command += ["-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.mark.parametrize("text", ["", "short", "with a space in the token", "é" * 20])
def test_a_token_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text)

    with pytest.raises(ConfigError, match="token"):
        read_token(path)


def test_a_token_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        read_token(tmp_path / "nowhere")


def test_loopback_is_known_in_all_its_forms() -> None:
    assert all(map(is_loopback, ("localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.9.9.9", "::1", "[::1]")))
    assert not any(map(is_loopback, ("", "0.0.0.0", "::", "10.0.0.1", "localhost.example", "127.0.0.1.example")))


@given(st.text(st.characters(max_codepoint=255)))
def test_no_host_is_allowed_that_only_looks_like_ours(ending: str) -> None:
    allowed = Access.of(None, [])

    assert not allowed.allows_host(f"evil.example{ending}")
    assert not allowed.allows_host(f"localhost@evil.example{ending}")


@given(st.text(), st.text())
def test_only_the_token_itself_is_the_token(token: str, other: str) -> None:
    assert Access(token).allows_token(token)
    assert Access(token).allows_token(other) is (token == other)
