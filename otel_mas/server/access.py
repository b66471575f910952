"""Access to a server: tokens, and the names by which it may be addressed (against DNS rebinding).

A page of another site can make a browser send requests to 127.0.0.1, and by a name of its own that resolves to it even
read the answers. Such a request has another `Host`, or an `Origin` that is not the server's.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import grpc  # type: ignore[import-untyped]
import orjson
from starlette.requests import cookie_parser

from otel_mas.errors import ConfigError

COOKIE: Final = "otel_mas_token"
_PROBES: Final = frozenset({"/healthz", "/readyz"})
_LOCAL_NAMES: Final = frozenset({"localhost"})
_LEAST_TOKEN_CHARS: Final = 16

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and nothing else: a name, or an address with or without brackets."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def read_token(path: str | Path) -> str:
    """The token in a file: its first line. Raises ConfigError where it is none."""
    try:
        token = Path(path).expanduser().read_text("utf-8").partition("\n")[0].strip()
    except (OSError, ValueError) as error:
        raise ConfigError(f"--token-file {path} cannot be read: {error}") from None
    if len(token) < _LEAST_TOKEN_CHARS or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"--token-file {path} must hold a token of at least {_LEAST_TOKEN_CHARS} printable ASCII characters: "
            "`openssl rand -hex 32` makes one"
        )
    return token


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server.

    `hosts` are names by which it may be addressed, beside those of loopback; `*` is any.
    """

    token: str | None = None
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, token: str | None, hosts: Iterable[str]) -> Access:
        """Rules with these names, however they are written."""
        return cls(token, frozenset(host.strip("[]").rstrip(".").lower() for host in hosts))

    def allows_token(self, given: str | None) -> bool:
        """Whether a token is the right one, or none is asked for."""
        return self.token is None or (given is not None and hmac.compare_digest(given.encode(), self.token.encode()))

    def allows_host(self, host: str) -> bool:
        """Whether a `Host` header, with or without a port, names this server."""
        name = _hostname(host)
        return bool(name) and ("*" in self.hosts or is_loopback(name) or name in self.hosts)


class Guard:
    """ASGI middleware: lets through what `Access` allows.

    Args:
        app: gets the requests that are allowed.
        access: the rules.
        cookies: whether the token may come in a cookie, which a visit of `/?token=…` sets. For pages.
    """

    def __init__(self, app: App, access: Access, *, cookies: bool = False) -> None:
        self._app = app
        self._access = access
        self._cookies = cookies

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] == "websocket":
            return  # there are none: the server closes it
        if scope["type"] != "http" or scope["path"] in _PROBES:
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if not self._access.allows_host(host):
            message = f"this server is not addressed as {host[:100]!r}: use 127.0.0.1, or name it with --allowed-host"
            await _refuse(send, 403, "forbidden_host", message)
        elif not _is_same_origin(headers.get(b"origin"), host):
            await _refuse(send, 403, "forbidden_origin", "pages of other origins may not send requests here")
        elif (asked := self._asked_token(scope)) is not None and self._access.allows_token(asked):
            await _set_cookie(send, scope, asked)
        elif not self._access.allows_token(self._token(headers)):
            message = "a token is needed: send `Authorization: Bearer TOKEN`"
            message += ", or visit /?token=TOKEN" if self._cookies else ""
            await _refuse(send, 401, "unauthorized", message, ((b"www-authenticate", b"Bearer"),))
        else:
            await self._app(scope, receive, send)

    def _token(self, headers: Mapping[bytes, str]) -> str | None:
        bearer = _bearer(headers.get(b"authorization", ""))
        if bearer is not None or not self._cookies:
            return bearer
        return cookie_parser(headers.get(b"cookie", "")).get(COOKIE)

    def _asked_token(self, scope: Mapping[str, Any]) -> str | None:
        """The token in the address of a page, where one is needed."""
        if not self._cookies or self._access.token is None or scope["method"] != "GET":
            return None
        given = parse_qs(str(scope["query_string"], "latin-1")).get("token")
        return given[0] if given else None


class TokenInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Refuses calls without the token. (Browsers cannot speak gRPC: there is no origin to check.)"""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        """The handler of a call, or one that refuses it."""
        given = next((value for name, value in details.invocation_metadata if name == "authorization"), "")
        token = _bearer(given) if isinstance(given, str) else None
        if self._access.allows_token(token):
            return await continuation(details)
        return grpc.stream_unary_rpc_method_handler(_unauthenticated)


async def _unauthenticated(_: Any, context: Any) -> None:
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "a token is needed: send `authorization: Bearer TOKEN`")


def _bearer(value: str) -> str | None:
    kind, _, token = value.partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _hostname(host: str) -> str:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    return "" if parts.username is not None or parts.path or parts.query else (parts.hostname or "").rstrip(".").lower()


def _is_same_origin(origin: str | None, host: str) -> bool:
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # no URL
        return False


async def _set_cookie(send: Send, scope: Mapping[str, Any], token: str) -> None:
    """Keep the token in a cookie, and go to the same page without it."""
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    query.pop("token")
    path = quote(scope["raw_path"].lstrip(b"/\\"), safe="/%:@!$&'()*+,;=")  # `//host` would be another server
    place = f"/{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    cookie = f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}"
    headers = [
        (b"location", place.encode("ascii")),
        (b"set-cookie", cookie.encode("latin-1")),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(
    send: Send, status: int, code: str, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    body = orjson.dumps({"error": {"code": code, "message": message}})
    common = ((b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": [*common, *headers]})
    await send({"type": "http.response.body", "body": body})


__all__ = ["COOKIE", "Access", "Guard", "TokenInterceptor", "is_loopback", "read_token"]
