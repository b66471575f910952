"""HTTP exchanges that end in time: connecting, headers and body share one deadline.

The time-out of a socket begins again with every byte that arrives, so one that drips could hold a request for ever.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.request
from functools import partial
from typing import IO, Any


class DeadlineResponse(http.client.HTTPResponse):
    """A response that is read until `ends` (of the monotonic clock), and then times out."""

    def __init__(self, sock: socket.socket, *args: Any, ends: float, **options: Any) -> None:
        super().__init__(_Reading(sock, ends), *args, **options)  # type: ignore[arg-type]  # only makefile is called


def bound(connection: http.client.HTTPConnection, seconds: float) -> None:
    """Let the responses of a connection end so many seconds from now."""
    ends = time.monotonic() + seconds
    connection.response_class = partial(DeadlineResponse, ends=ends)  # type: ignore[assignment]


class _Connection(http.client.HTTPConnection):
    def __init__(self, host: str, **options: Any) -> None:
        super().__init__(host, **options)
        bound(self, options["timeout"])


class _SecureConnection(http.client.HTTPSConnection):
    def __init__(self, host: str, **options: Any) -> None:
        super().__init__(host, **options)
        bound(self, options["timeout"])


class DeadlineHandler(urllib.request.HTTPHandler):
    """`http://` for an opener whose requests name a time-out."""

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req)


class SecureDeadlineHandler(urllib.request.HTTPSHandler):
    """`https://` for an opener whose requests name a time-out."""

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, req, context=self._context)  # type: ignore[attr-defined]


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry spans, and headers with tokens, to whatever host it names."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _Reading:
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
