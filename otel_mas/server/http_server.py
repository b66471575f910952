"""An HTTP server of ours: uvicorn on a socket that is bound already, with limits on how slow a client may be."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from otel_mas.errors import ConfigError

HEADERS_TIMEOUT_S: Final = 10.0
"""Seconds in which a connection has to have sent the headers of a request."""
_MAX_HEADERS = 32 * 1024
_KEEP_ALIVE_S = 75
_MAX_CONNECTIONS = 4096
_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM form. Without `client_ca` clients need no certificate."""

    certificate: str
    key: str
    client_ca: str | None = None

    def check(self) -> None:
        """Raise ConfigError where the files cannot be used: gRPC and uvicorn find that late, and say little."""
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate, self.key, password=lambda: b"")  # or it would ask on the terminal
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
        except (OSError, ValueError) as error:
            files = [one for one in (self.certificate, self.key, self.client_ca) if one is not None]
            raise ConfigError(
                f"TLS cannot be served with {', '.join(files)}: {error}; they have to be readable, in PEM form, and "
                "the key that of the certificate, without a passphrase"
            ) from None


class _Protocol(H11Protocol):
    """Ends connections whose request does not come: uvicorn waits for headers as long as a client likes."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._unwatch()
        elif self._deadline is None and self.timeout_keep_alive_task is None:
            self._deadline = self.loop.call_later(HEADERS_TIMEOUT_S, self._give_up)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.abort()


class HttpServer(uvicorn.Server):
    """One port. `stop()` lets requests under way be answered.

    Args:
        app: an ASGI application.
        sock: bound.
        tls: None for plain HTTP.
        grace_s: seconds that requests under way have when it stops.
        lifespan: whether the application wants to know when it begins and ends.
    """

    def __init__(
        self, app: Any, sock: socket.socket, tls: Tls | None, grace_s: float, *, lifespan: bool = False
    ) -> None:
        secured: dict[str, Any] = {}
        if tls is not None:
            secured = {"ssl_certfile": tls.certificate, "ssl_keyfile": tls.key}
            if tls.client_ca is not None:
                secured |= {"ssl_ca_certs": tls.client_ca, "ssl_cert_reqs": ssl.CERT_REQUIRED}
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            loop="none",
            lifespan="on" if lifespan else "off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=round(grace_s),
            limit_concurrency=_MAX_CONNECTIONS,
            h11_max_incomplete_event_size=_MAX_HEADERS,
            backlog=_BACKLOG,
            **secured,
        )
        super().__init__(config)
        self._socket = sock

    async def run_until_stopped(self) -> None:
        """Serve; ends after `stop`."""
        await self.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Accept nothing more, and end once requests under way are answered."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs several servers."""
        yield


def bound_socket(host: str, port: int, option: str) -> socket.socket:
    """A socket that listens there. Raises ConfigError, naming the option, where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise ConfigError(
            f"{option} {host}:{port} cannot be listened on: {error.strerror or error}. `otel-mas doctor` says what is "
            f"there; {option} {host}:0 takes a port that is free"
        ) from None
    sock.setblocking(False)
    return sock


__all__ = ["HEADERS_TIMEOUT_S", "HttpServer", "Tls", "bound_socket"]
