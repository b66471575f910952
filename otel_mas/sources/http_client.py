"""GET over HTTP; each way in which a server can fail becomes one line with advice.

Imports urllib at the first request, not with this module: sources are looked through for every path that is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from otel_mas.errors import SourceError
from otel_mas.errors.printable import one_line
from otel_mas.sources.endpoint import (
    Access,
    Endpoint,
    access_hint,
    not_this_server,
    nothing_listens,
    timed_out,
    tls_error,
    truncated,
)

if TYPE_CHECKING:
    import ssl
    from http.client import HTTPResponse
    from urllib.request import OpenerDirector

MAX_BYTES = 2**28
"""Size of one answer. JSON takes five times as much while it is read."""
_CHUNK = 2**18
_MAX_MESSAGE = 800
"""Bytes of an answer in which a message is looked for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, of any status below 300 or 400 and above."""

    status: int
    content_type: str
    body: bytes

    @property
    def is_page(self) -> bool:
        """Whether it is a web page, as user interfaces and proxies give for paths they do not know."""
        return "html" in self.content_type or self.body.lstrip()[:9].lower() in (b"<!doctype", b"<html")

    @property
    def message(self) -> str:
        """The server's message in one line: of its error object, or the beginning of its text."""
        if self.is_page:
            return "a web page"
        text = _error_message(self.body) or self.body[:_MAX_MESSAGE].decode("utf-8", "replace")
        return one_line(text)


class TooLarge(SourceError):
    """The reply is larger than what is read into memory."""


class HttpClient:
    """One server, asked over HTTP.

    Args:
        product: the server that is expected there, for messages: "Jaeger".
        hint: what to check where something else answers.
    """

    def __init__(self, endpoint: Endpoint, access: Access, *, product: str, hint: str) -> None:
        self.location = endpoint.location
        self._endpoint = endpoint
        self._access = access
        self._product = product
        self._hint = hint
        self._base = f"{'https' if endpoint.tls else 'http'}://{endpoint.authority}{endpoint.path}"

    def get(
        self,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        *,
        accept: str,
        statuses: Sequence[int] = (200,),
        beginning: bool = False,
    ) -> Reply:
        """Ask for `path` below the base path.

        Args:
            statuses: those that mean something to the caller; every other one is an error.
            beginning: read only the first bytes of the body, and hang up.

        Raises:
            SourceError: no reply came, or one of another status.
        """
        from urllib.parse import urlencode

        url = f"{self._base}{path}{'?' if query else ''}{urlencode(query)}"
        reply = self._reply(url, accept, beginning)
        if reply.status in statuses:
            return reply
        raise self.status_error(reply)

    def document(self, reply: Reply) -> dict[str, Any]:
        """The JSON object of a reply. Raises SourceError where it is none."""
        import orjson

        if reply.is_page:
            raise self.not_this_server(f"{reply.status}, a web page")
        try:
            document = orjson.loads(reply.body)
        except orjson.JSONDecodeError as error:
            if reply.status != 200:
                raise self.status_error(reply) from error
            if reply.body.lstrip().startswith(b"{"):
                ended = error.pos >= len(reply.body) - 1 or "end of data" in error.msg or "EOF" in error.msg
                raise self.truncated("it ends in the middle" if ended else str(error)) from error
            raise self.not_this_server(f"{reply.status}, no JSON") from error
        if not isinstance(document, dict):
            raise self.not_this_server("JSON, but no object")
        return document

    def status_error(self, reply: Reply) -> SourceError:
        """The error for a status that the caller did not expect."""
        message = f": {reply.message}" if reply.body.strip() else ""
        if reply.status in (401, 403):
            return SourceError(f"{self.location} refuses access ({reply.status}){message}; {access_hint(message)}")
        if reply.status == 400 and not self._endpoint.tls:
            wants_tls = tls_error(self._endpoint, reply.message)
            if wants_tls is not None:
                return wants_tls
        if reply.status == 404:
            return self.not_this_server(f"404{message}")
        if reply.status == 429:
            return SourceError(f"{self.location} has had too many requests (429){message}; ask again later")
        if 300 <= reply.status < 400:
            return SourceError(
                f"{self.location} sends elsewhere ({reply.status}, {reply.content_type}): open that address, or set"
                " OTEL_MAS_SOURCE_HEADERS where it wants a login"
            )
        fault = "failed" if reply.status >= 500 else "did not take the request"
        return SourceError(f"{self._product} at {self.location} {fault} ({reply.status}){message}")

    def not_this_server(self, answer: str) -> SourceError:
        """The error for a reply that the expected product would not give."""
        return not_this_server(self.location, self._product, answer, self._hint)

    def truncated(self, reason: str) -> SourceError:
        """The error for a reply that begins well and cannot be read to its end."""
        return truncated(self.location, reason)

    def _reply(self, url: str, accept: str, beginning: bool) -> Reply:
        import http.client
        from urllib.error import HTTPError, URLError
        from urllib.request import Request

        headers = {"Accept": accept, "User-Agent": "otel-mas", **dict(self._access.headers)}
        try:
            try:
                response = self._opener.open(Request(url, headers=headers), timeout=self._access.timeout_s)
            except HTTPError as error:
                response = error
            with response:
                return self._read(response, beginning)
        except URLError as error:
            raise self._unreached(error.reason) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unreached(error) from error

    def _read(self, response: HTTPResponse | Any, beginning: bool) -> Reply:
        lengths = set(response.headers.get_all("Content-Length", ())) - {""}
        if len(lengths) > 1 or any(not (one.isascii() and one.isdigit() and len(one) < 20) for one in lengths):
            raise self.truncated("its Content-Length is no number of bytes")
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > MAX_BYTES:
                raise TooLarge(f"the answer of {self.location} is larger than {MAX_BYTES >> 20} MiB")
            if beginning:
                break
        missing = getattr(response, "length", None)
        if missing and not beginning:
            raise self.truncated(f"it ends after {len(body)} of {len(body) + missing} bytes")
        described = response.headers.get("Location" if 300 <= response.status < 400 else "Content-Type")
        return Reply(response.status, described or "", bytes(body))

    @cached_property
    def _opener(self) -> OpenerDirector:
        from otel_mas.config.exchange import opener

        return opener(context=self._trust() if self._endpoint.tls else None, proxies=not self._endpoint.loopback)

    def _trust(self) -> ssl.SSLContext:
        import ssl

        try:
            return ssl.create_default_context(cafile=self._access.certificate)
        except (OSError, ssl.SSLError) as error:
            raise SourceError(
                f"OTEL_MAS_SOURCE_CERTIFICATE: {self._access.certificate} holds no certificates in PEM form ({error})"
            ) from error

    def _unreached(self, reason: object) -> SourceError:
        """The error for a failure below HTTP."""
        import http.client
        import socket

        there = self.location
        if isinstance(reason, SourceError):
            return reason
        if isinstance(reason, TimeoutError):
            return timed_out(there, self._access.timeout_s)
        if isinstance(reason, ConnectionRefusedError):
            return nothing_listens(there, self._hint)
        if isinstance(reason, socket.gaierror):
            return SourceError(f"the host of {there} is not known ({reason.strerror}): check its name")
        from_tls = tls_error(self._endpoint, str(reason), getattr(reason, "verify_message", ""))
        if from_tls is not None:
            return from_tls
        if isinstance(reason, ValueError):
            return self.not_this_server("not HTTP")
        if isinstance(reason, http.client.IncompleteRead):
            return self.truncated("it ends in the middle")
        if isinstance(reason, http.client.BadStatusLine) and not isinstance(reason, http.client.RemoteDisconnected):
            return self.not_this_server("not HTTP")
        return SourceError(f"{there} cannot be reached ({reason}): {self._hint}")


def _error_message(body: bytes) -> str | None:
    """The message of an error object: `{"error": {"message": ...}}`, `{"error": ...}`, `{"message": ...}`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for name in ("error", "message"):
        if isinstance(found, Mapping) and name in found:
            found = found[name]
    return found if isinstance(found, str) else None
