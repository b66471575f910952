"""GET over HTTP, every way in which a server can refuse told apart, in one line that says what to do.

Imports urllib at the first request, not with this module: sources are looked through for every path that is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from otel_mas.errors import SourceError
from otel_mas.sources.endpoint import Access, Endpoint, access_hint, tls_error

if TYPE_CHECKING:
    import ssl
    from http.client import HTTPResponse
    from urllib.request import OpenerDirector

MOST_BYTES = 2**28
"""Of one answer. JSON takes five times as much while it is read."""
_CHUNK = 2**18
_SHOWN = 200
"""How much of a server's own words goes into a message."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, of any status below 300 or 400 and above."""

    status: int
    content_type: str
    body: bytes

    @property
    def is_page(self) -> bool:
        """Whether it is a page for people, as user interfaces and proxies give for paths they do not know."""
        return "html" in self.content_type or self.body.lstrip()[:9].lower() in (b"<!doctype", b"<html")

    @property
    def says(self) -> str:
        """The server's own words, in one line: the message of its error object, or the beginning of its text."""
        if self.is_page:
            return "a web page"
        text = _message(self.body) or self.body[: 4 * _SHOWN].decode("utf-8", "replace")
        line = " ".join(text.split())
        return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


class TooLarge(SourceError):
    """The answer is larger than what we are ready to hold."""


class HttpClient:
    """One server, asked over HTTP.

    Args:
        what: what should be there, for messages: "Jaeger".
        hint: what to check where something else answers.
        most_bytes: a larger answer is refused.
    """

    def __init__(
        self, endpoint: Endpoint, access: Access, *, what: str, hint: str, most_bytes: int = MOST_BYTES
    ) -> None:
        self.location = endpoint.location
        self._endpoint = endpoint
        self._access = access
        self._what = what
        self._hint = hint
        self._most_bytes = most_bytes
        self._base = f"{'https' if endpoint.tls else 'http'}://{endpoint.authority}{endpoint.path}"

    def get(
        self, path: str, query: Sequence[tuple[str, str]] = (), *, accept: str, answers: Sequence[int] = (200,)
    ) -> Reply:
        """Ask for `path` below the base path.

        Args:
            answers: the statuses that mean something to the caller; every other one is an error.

        Raises:
            SourceError: no answer came, or none of these.
        """
        from urllib.parse import urlencode

        url = f"{self._base}{path}{'?' if query else ''}{urlencode(query)}"
        reply = self._answer(url, accept)
        if reply.status in answers:
            return reply
        raise self.refusal(reply)

    def refusal(self, reply: Reply) -> SourceError:
        """What a status that nobody expected means."""
        said = f": {reply.says}" if reply.body.strip() else ""
        if reply.status in (401, 403):
            return SourceError(f"{self.location} refuses access ({reply.status}){said}; {access_hint(said)}")
        if reply.status == 400 and not self._endpoint.tls:
            wants_tls = tls_error(self._endpoint, reply.says)
            if wants_tls is not None:
                return wants_tls
        if reply.status == 404:
            return self.stranger(f"404{said}")
        if reply.status == 429:
            return SourceError(f"{self.location} has had too many requests (429){said}; ask again later")
        if 300 <= reply.status < 400:
            return SourceError(
                f"{self.location} sends elsewhere ({reply.status}, {reply.content_type}): open that address, or set"
                " OTEL_MAS_SOURCE_HEADERS where it wants a login"
            )
        fault = "failed" if reply.status >= 500 else "did not take the request"
        return SourceError(f"{self._what} at {self.location} {fault} ({reply.status}){said}")

    def stranger(self, answer: str) -> SourceError:
        """Something answered, and not as it should."""
        return SourceError(f"{self.location} does not answer as {self._what} does ({answer}): {self._hint}")

    def broken(self, what: str) -> SourceError:
        """An answer that begins well and cannot be read to its end."""
        return SourceError(f"the answer of {self.location} cannot be read ({what}): ask again, or look into its log")

    def _answer(self, url: str, accept: str) -> Reply:
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
                return self._read(response)
        except URLError as error:
            raise self._unreached(error.reason) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unreached(error) from error

    def _read(self, response: HTTPResponse | Any) -> Reply:
        lengths = set(response.headers.get_all("Content-Length", ())) - {""}
        if len(lengths) > 1 or any(not (one.isascii() and one.isdigit() and len(one) < 20) for one in lengths):
            raise self.broken("its Content-Length is no number of bytes")
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > self._most_bytes:
                raise TooLarge(f"the answer of {self.location} is larger than {self._most_bytes >> 20} MiB")
        if missing := getattr(response, "length", None):
            raise self.broken(f"it ends after {len(body)} of {len(body) + missing} bytes")
        described = response.headers.get("Location" if 300 <= response.status < 400 else "Content-Type")
        return Reply(response.status, described or "", bytes(body))

    @cached_property
    def _opener(self) -> OpenerDirector:
        from urllib.request import ProxyHandler, build_opener

        from otel_mas.config.exchange import DeadlineHandler, NoRedirects, SecureDeadlineHandler

        handlers: list[Any] = [NoRedirects(), DeadlineHandler()]
        if self._endpoint.loopback:
            handlers.append(ProxyHandler({}))
        if self._endpoint.tls:
            handlers.append(SecureDeadlineHandler(context=self._trust()))
        return build_opener(*handlers)

    def _trust(self) -> ssl.SSLContext:
        import ssl

        try:
            return ssl.create_default_context(cafile=self._access.certificate)
        except (OSError, ssl.SSLError) as error:
            raise SourceError(
                f"OTEL_MAS_SOURCE_CERTIFICATE: {self._access.certificate} holds no certificates in PEM form ({error})"
            ) from error

    def _unreached(self, reason: object) -> SourceError:
        """The one line for a failure below HTTP."""
        import http.client
        import socket

        there = self.location
        if isinstance(reason, SourceError):
            return reason
        if isinstance(reason, TimeoutError):
            return SourceError(
                f"{there} did not answer within {self._access.timeout_s:g} s: is it overloaded, or behind a firewall?"
                " OTEL_MAS_SOURCE_TIMEOUT sets how long to wait"
            )
        if isinstance(reason, ConnectionRefusedError):
            return SourceError(f"nothing listens at {there} (connection refused): {self._hint}")
        if isinstance(reason, socket.gaierror):
            return SourceError(f"the host of {there} is not known ({reason.strerror}): check its name")
        of_tls = tls_error(self._endpoint, str(reason), getattr(reason, "verify_message", ""))
        if of_tls is not None:
            return of_tls
        if isinstance(reason, ValueError):
            return self.stranger("not HTTP")
        if isinstance(reason, http.client.IncompleteRead):
            return self.broken("it ends in the middle")
        if isinstance(reason, http.client.BadStatusLine) and not isinstance(reason, http.client.RemoteDisconnected):
            return self.stranger("not HTTP")
        return SourceError(f"{there} cannot be reached ({reason}): {self._hint}")


def _message(body: bytes) -> str | None:
    """What an error object says: `{"error": {"message": ...}}`, `{"error": ...}`, `{"message": ...}`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for name in ("error", "message"):
        if isinstance(found, Mapping) and name in found:
            found = found[name]
    return found if isinstance(found, str) else None
