"""The response that is the live stream: what was missed since the client's position, then what comes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Generator
from typing import Final

from anyio import create_task_group, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from otel_mas.errors import OtelMasError, UnsupportedQuery
from otel_mas.server.api.errors import BadRequest
from otel_mas.server.api.served import Served
from otel_mas.server.api.stream import Stream, Subscriber, finding_events, summary_events
from otel_mas.server.api.stream_events import SpanEvents, frame
from otel_mas.store.log_cursor import LogCursor

HEARTBEAT_S: Final = 15.0
_STUCK_S = 30.0
"""A client that takes nothing for so long is disconnected."""
_MOST_MISSED_BYTES = 8 * 1024 * 1024
"""A client that missed more begins anew."""
_MOST_ENDED = 20
"""Traces that ended meanwhile of which the findings are sent."""
_FULL_ID = re.compile(r"[0-9a-f]{32}")
_PARAMETERS = ("trace", "cursor")
_RETRY_MS = 1_000


async def open_stream(request: Request, served: Served, stream: Stream) -> Response:
    """The response to a request for the stream.

    Raises:
        BadRequest: There is no such parameter.
        UnsupportedQuery: The source has no log.
        TraceNotFound: The beginning of an id is that of no trace.
    """
    unknown = [name for name in request.query_params if name not in _PARAMETERS]
    if unknown:
        raise BadRequest(f"no parameter is called {unknown[0][:80]!r}: there are {', '.join(_PARAMETERS)}")
    if not served.live:
        raise UnsupportedQuery(f"{served.source.location} has no live stream, only a local store has one")
    wanted = request.query_params.get("trace", "all").strip().lower()
    if wanted != "all" and not _FULL_ID.fullmatch(wanted):
        (trace,) = (await to_thread.run_sync(served.trace, wanted)).run._parts()
        wanted = trace.trace_id
    after = request.headers.get("last-event-id") or request.query_params.get("cursor") or None
    subscriber = await stream.subscribe(None if wanted == "all" else wanted)
    return StreamResponse(served, stream, subscriber, after)


class StreamResponse(Response):
    """Server-sent events, until the client goes or the server ends."""

    media_type = "text/event-stream"

    def __init__(self, served: Served, stream: Stream, subscriber: Subscriber, after: str | None) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._served = served
        self._stream = stream
        self._subscriber = subscriber
        self._after = after
        self._until = stream.cursor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with create_task_group() as group:

                async def watch() -> None:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    group.cancel_scope.cancel()

                group.start_soon(watch)
                await self._send(send)
                group.cancel_scope.cancel()
        finally:
            self._stream.unsubscribe(self._subscriber)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async for part in self._parts():
                async with asyncio.timeout(_STUCK_S):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # it takes nothing: the server closes the connection

    async def _parts(self) -> AsyncIterator[bytes]:
        yield f"retry: {_RETRY_MS}\n\n".encode()
        missed = self._missed()
        try:
            while (part := await to_thread.run_sync(next, missed, None)) is not None:
                yield part
        finally:
            missed.close()
        while True:
            part = await self._subscriber.take(HEARTBEAT_S)
            if part:
                yield part  # more may come while this waits for the client
            elif self._subscriber.ended:
                return
            else:
                yield frame("heartbeat", {}, self._stream.cursor)

    def _missed(self) -> Generator[bytes, None, None]:
        """Everything between the client's position and that from which it is subscribed, and all that is open."""
        try:
            tail = self._served.source.tail(self._after or self._until)
        except OtelMasError as error:
            yield frame("reset", {"reason": str(error)}, self._until)
            return
        events, until, size = SpanEvents(), LogCursor.parse(self._until).key, 0
        traces: dict[str, bool] = {}
        with tail:
            while True:
                before, changes = tail.cursor, tail.poll()
                if changes is not None:
                    mine = [one for one in events.of(changes, before) if self._subscriber.follows(one)]
                    size += sum(len(one.data) for one in mine)
                    if changes.lost or size > _MOST_MISSED_BYTES:
                        yield frame("reset", {"reason": "too much was missed"}, self._until)
                        return
                    traces.update((one.trace_id or "", (one.trace_id or "") in changes.running) for one in mine)
                    yield b"".join(one.data for one in mine)
                if changes is None or (not changes.more and LogCursor.parse(tail.cursor).key >= until):
                    break
        yield b"".join(one.data for one in summary_events(self._served, list(traces)))
        if self._after is not None:
            for trace_id in [one for one, running in traces.items() if not running][:_MOST_ENDED]:
                yield b"".join(one.data for one in finding_events(self._served, trace_id))


__all__ = ["HEARTBEAT_S", "StreamResponse", "open_stream"]
