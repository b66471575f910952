"""OTLP over HTTP as an ASGI application: `/v1/traces` and `/v1/logs`, protobuf and JSON."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

import orjson

from otel_mas.config import Settings
from otel_mas.receiver.otlp.decode import Signal
from otel_mas.receiver.otlp.figures import Figures
from otel_mas.receiver.otlp.grpc_service import response, status
from otel_mas.receiver.otlp.ingest import Ingest
from otel_mas.receiver.otlp.outcome import Outcome, Reason, Refused

_MOST_THROWN_AWAY: Final = 4  # times the largest body that is accepted
_PATHS: Final = {"/v1/traces": Signal.TRACES, "/v1/logs": Signal.LOGS}
_LENGTHS: Final = frozenset({b"content-length", b"transfer-encoding"})
_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_STATUS: Final = {
    Reason.MALFORMED: 400,
    Reason.TOO_LARGE: 413,
    Reason.SLOW: 408,
    Reason.UNSUPPORTED: 415,
    Reason.BUSY: 429,
    Reason.UNAVAILABLE: 503,
}
_REJECTED: Final = {Signal.TRACES: "rejectedSpans", Signal.LOGS: "rejectedLogRecords"}

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class HttpApp:
    """The application. Other paths are not found.

    Args:
        ingest: stores the requests.
        figures: counts those that it never gets.
        settings: the size of a request, and how long it may take to arrive.
    """

    def __init__(self, ingest: Ingest, figures: Figures, settings: Settings) -> None:
        self._ingest = ingest
        self._figures = figures
        self._most = settings.receive_request_bytes
        self._timeout_s = settings.receive_timeout_s

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        signal = _PATHS.get(scope["path"])
        if signal is None:
            await answer(send, 404, b"there is /v1/traces and /v1/logs\n", "text/plain")
            return
        if scope["method"] != "POST":
            await answer(send, 405, b"send a POST request\n", "text/plain", ((b"allow", b"POST"),))
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if not headers.keys() & _LENGTHS:  # where a header was damaged, this would be taken for an empty request
            await answer(send, 411, b"send a Content-Length\n", "text/plain", ((b"connection", b"close"),))
            return
        content_type = headers.get(b"content-type", "").partition(";")[0].strip().lower()
        is_json = content_type == _JSON
        try:
            if content_type not in (_PROTOBUF, _JSON):
                raise Refused(Reason.UNSUPPORTED, f"the content type must be {_PROTOBUF} or {_JSON}")
            outcome = await self._stored(signal, headers, receive, is_json=is_json)
        except Refused as status_error:
            await _refuse(send, status_error, is_json=is_json)
            return
        body = _json_response(signal, outcome) if is_json else response(signal, outcome)
        await answer(send, 200, body, _JSON if is_json else _PROTOBUF)

    async def _stored(
        self, signal: Signal, headers: Mapping[bytes, str], receive: Receive, *, is_json: bool
    ) -> Outcome:
        encoding = headers.get(b"content-encoding", "").strip().lower()
        reserved = [0]
        try:
            body = await self._body(headers, receive, reserved)
            self._ingest.release(reserved[0])
            reserved[0] = 0
            future = self._ingest.submit(signal, body, encoding, is_json=is_json)
        except Refused as status_error:
            self._figures.refused(signal, status_error)
            raise
        finally:
            self._ingest.release(reserved[0])
        del body
        return await asyncio.wrap_future(future)

    async def _body(self, headers: Mapping[bytes, str], receive: Receive, reserved: list[int]) -> bytes:
        """The body of the request, whose bytes are reserved as they come. The rest of a refused one is thrown away."""
        length = headers.get(b"content-length", "")
        parts: list[bytes] = []
        arriving = _parts(receive)
        try:
            async with asyncio.timeout(self._timeout_s):
                try:
                    if length.isascii() and length.isdecimal() and int(length[:20]) > self._most:
                        raise self._too_large()
                    async for part in arriving:
                        self._ingest.reserve(len(part))
                        reserved[0] += len(part)
                        if reserved[0] > self._most:
                            raise self._too_large()
                        parts.append(part)
                except Refused:
                    parts.clear()
                    await self._throw_away(arriving)
                    raise
        except TimeoutError:
            raise Refused(Reason.SLOW, f"the request did not arrive within {self._timeout_s:g} s") from None
        return b"".join(parts)

    async def _throw_away(self, arriving: AsyncIterator[bytes]) -> None:
        """Read on, within bounds: many clients read the answer only once they have sent their request."""
        left = _MOST_THROWN_AWAY * self._most
        async for part in arriving:
            left -= len(part)
            if left < 0:
                return

    def _too_large(self) -> Refused:
        return Refused(
            Reason.TOO_LARGE,
            f"the request is larger than {self._most:,} bytes: send fewer spans at a time, or raise "
            "OTEL_MAS_RECEIVE_REQUEST_BYTES",
        )


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    """The parts of a body as they arrive. Raises Refused where the client goes away."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(Reason.MALFORMED, "the client has gone")
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _json_response(signal: Signal, outcome: Outcome) -> bytes:
    if not outcome.rejected:
        return b"{}"
    return orjson.dumps({"partialSuccess": {_REJECTED[signal]: str(outcome.rejected), "errorMessage": outcome.message}})


async def _refuse(send: Send, status_error: Refused, *, is_json: bool) -> None:
    found = status(status_error)
    body = orjson.dumps({"code": found.code, "message": found.message}) if is_json else found.SerializeToString()
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if status_error.retry_s is not None:
        headers += ((b"retry-after", str(math.ceil(status_error.retry_s)).encode()),)
    if status_error.reason in (Reason.SLOW, Reason.TOO_LARGE):
        headers += ((b"connection", b"close"),)  # the rest of the body is not read
    await answer(send, _STATUS[status_error.reason], body, _JSON if is_json else _PROTOBUF, headers)


async def answer(
    send: Send, code: int, body: bytes, content_type: str, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """Send a response."""
    common = ((b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": code, "headers": [*common, *headers]})
    await send({"type": "http.response.body", "body": body})


__all__ = ["HttpApp", "Message", "Receive", "Send", "answer"]
