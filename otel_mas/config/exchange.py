"""HTTP exchanges that end in time: connecting, headers and body share one deadline.

The timeout of a socket begins again with every byte, so a server that drips could hold a request for ever.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
import urllib.request
from functools import partial
from typing import IO, Any


def opener(*, context: ssl.SSLContext | None = None, proxies: bool = True) -> urllib.request.OpenerDirector:
    """An opener whose requests name a timeout, which holds for the whole exchange. It follows no redirect.

    Args:
        context: for `https://`.
        proxies: whether to use those that the environment names.
    """
    handlers: list[Any] = [_NoRedirects(), _HTTPHandler()]
    if context is not None:
        handlers.append(_HTTPSHandler(context=context))
    if not proxies:
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry spans, and headers with tokens, to any host that it names."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _connection(kind: type[http.client.HTTPConnection], host: str, **options: Any) -> http.client.HTTPConnection:
    connection = kind(host, **options)
    ends = time.monotonic() + options["timeout"]
    connection.response_class = partial(_Response, ends=ends)  # type: ignore[assignment]
    return connection


class _HTTPHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_connection, http.client.HTTPConnection), req)


class _HTTPSHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        connect = partial(_connection, http.client.HTTPSConnection)
        return self.do_open(connect, req, context=self._context)  # type: ignore[attr-defined]


class _Response(http.client.HTTPResponse):
    """A response that times out at `ends` of the monotonic clock."""

    def __init__(self, sock: socket.socket, *args: Any, ends: float, **options: Any) -> None:
        super().__init__(_Socket(sock, ends), *args, **options)  # type: ignore[arg-type]  # only makefile is called


class _Socket:
    """The part of a socket that a response needs."""

    def __init__(self, sock: socket.socket, ends: float) -> None:
        self._sock = sock
        self._ends = ends

    def makefile(self, mode: str) -> IO[bytes]:
        return io.BufferedReader(_Bytes(self._sock, self._ends))


class _Bytes(io.RawIOBase):
    def __init__(self, sock: socket.socket, ends: float) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
