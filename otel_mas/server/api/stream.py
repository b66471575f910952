"""The live stream: one thread that follows the log for all clients, and what each of them still has to get."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from otel_mas.api.span_tail import SpanTail
from otel_mas.errors.log import logger
from otel_mas.model import Changes
from otel_mas.report import json
from otel_mas.report.json.findings import finding
from otel_mas.server.api.served import Served
from otel_mas.server.api.stream_events import Event, SpanEvents, frame

POLL_S = 0.02
_MOST_BYTES = 8 * 1024 * 1024
"""Bytes that may wait for one client; it has to begin anew after that."""
_SUMMARY_S = 0.25
"""Between two summaries of one trace."""
_MOST_SPANS = 20_000
"""Spans of a trace of which findings are worked out without being asked for: about two seconds of CPU."""
_QUIET_S = 1.0
"""A trace without running spans has ended after this time; then its findings are worked out."""


class Subscriber:
    """One client: events that wait for it. Used on the event loop only.

    Args:
        trace_id: the trace that it follows; None for all.
    """

    def __init__(self, trace_id: str | None) -> None:
        self.trace_id = trace_id
        self.ended = False
        """Whether nothing is to come after what waits."""
        self._events: deque[bytes] = deque()
        self._bytes = 0
        self._news = asyncio.Event()

    def put(self, event: Event, cursor: str) -> None:
        """Add an event, or where it is too slow for that, the request to begin anew as its last one."""
        if self.ended or not self.follows(event):
            return
        self._events.append(event.data)
        self._bytes += len(event.data)
        if self._bytes > _MOST_BYTES:
            self._events.clear()
            self._events.append(frame("reset", {"reason": "too slow"}, cursor))
            self.ended = True
        self._news.set()

    def follows(self, event: Event) -> bool:
        """Whether an event is for this client."""
        return event.trace_id is None or self.trace_id in (None, event.trace_id)

    def end(self) -> None:
        """Let it end once it has got what waits."""
        self.ended = True
        self._news.set()

    async def take(self, timeout_s: float) -> bytes:
        """Everything that waits, as soon as there is something; nothing after the timeout."""
        if not self._events and not self.ended:
            try:
                await asyncio.wait_for(self._news.wait(), timeout_s)
            except TimeoutError:
                return b""
        self._news.clear()
        found = b"".join(self._events)
        self._events.clear()
        self._bytes = 0
        return found


class Stream:
    """Follows the log on a thread of its own, from the first client on."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._subscribers: set[Subscriber] = set()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self.cursor = ""
        """Position up to which subscribers were given everything; on the event loop."""

    async def subscribe(self, trace_id: str | None) -> Subscriber:
        """A client that gets everything after `cursor`. Raises as `Source.tail`."""
        if self._thread is None or not self._thread.is_alive():
            tail = await asyncio.to_thread(self._served.source.tail)
            if self._thread is None or not self._thread.is_alive():
                self.cursor = tail.cursor
                publish = partial(_call_soon, asyncio.get_running_loop(), self._publish)
                following = _Following(self._served, tail, self._stopping, publish, self._wanted)
                self._thread = threading.Thread(target=following.run, name="otel-mas-stream", daemon=True)
                self._thread.start()
            else:
                tail.close()
        subscriber = Subscriber(trace_id)
        if self._stopping.is_set():
            subscriber.end()
        self._subscribers.add(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget a client."""
        self._subscribers.discard(subscriber)

    async def stop(self) -> None:
        """End the thread and all clients."""
        self._stopping.set()
        for subscriber in self._subscribers:
            subscriber.end()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _publish(self, events: Iterable[Event], cursor: str | None, failed: bool = False) -> None:
        """Hand events to the clients; on the event loop. `cursor` is the position after them, if they move it."""
        self.cursor = cursor or self.cursor
        for event in events:
            for subscriber in self._subscribers:
                subscriber.put(event, self.cursor)
        if failed:
            for subscriber in self._subscribers:
                subscriber.end()

    def _wanted(self, trace_id: str) -> bool:
        return any(one.trace_id in (None, trace_id) for one in list(self._subscribers))


def _call_soon(loop: asyncio.AbstractEventLoop, publish: Callable[..., None], *given: Any) -> None:
    try:
        loop.call_soon_threadsafe(publish, *given)
    except RuntimeError:  # the loop is closed: the server has ended
        pass


class _Following:
    """The thread: events of spans, of summaries, and of findings of what has ended."""

    def __init__(
        self,
        served: Served,
        tail: SpanTail,
        stopping: threading.Event,
        publish: Callable[[Iterable[Event], str | None, bool], None],
        wanted: Callable[[str], bool],
    ) -> None:
        self._served = served
        self._tail = tail
        self._stopping = stopping
        self._publish = publish
        self._wanted = wanted
        self._events = SpanEvents()
        self._running: frozenset[str] = frozenset()
        self._changed: set[str] = set()
        self._due_s = 0.0
        self._last: dict[str, float] = {}
        """When each trace whose findings are not worked out yet got its last span."""
        self._finders = ThreadPoolExecutor(1, "otel-mas-findings")

    def run(self) -> None:
        try:
            while not self._stopping.wait(POLL_S):
                self._look()
        except Exception:
            logger.exception("otel-mas: the live stream ended; clients connect again")
            self._publish([Event(None, frame("reset", {"reason": "the store could not be followed"}))], None, True)
        finally:
            self._finders.shutdown(wait=False, cancel_futures=True)
            self._tail.close()

    def _look(self) -> None:
        before = self._tail.cursor
        changes = self._tail.poll()
        now = time.monotonic()
        if changes is not None:
            self._note(changes, now)
            self._publish(list(self._events.of(changes, before)), changes.cursor, False)
        if self._changed and now >= self._due_s:
            self._due_s = now + _SUMMARY_S
            changed, self._changed = list(filter(self._wanted, self._changed)), set()
            self._publish(summary_events(self._served, changed), None, False)
        for trace_id in [one for one, since in self._last.items() if now - since >= _QUIET_S]:
            if trace_id not in self._running:
                del self._last[trace_id]
                if self._wanted(trace_id):
                    self._finders.submit(self._find, trace_id)

    def _note(self, changes: Changes, now: float) -> None:
        traces = {span.trace_id for span in (*changes.opened, *changes.ended)}
        self._changed |= traces | (self._running ^ changes.running)
        self._running = changes.running
        self._last.update((one, now) for one in traces if self._wanted(one))

    def _find(self, trace_id: str) -> None:
        if not self._stopping.is_set():
            self._publish(finding_events(self._served, trace_id), None, False)


def summary_events(served: Served, trace_ids: Sequence[str]) -> list[Event]:
    """The lines of these traces in the list of traces."""
    found = json.traces(served.summaries(trace_ids))["traces"]
    return [Event(one["trace_id"], frame("trace", one)) for one in found]


def finding_events(served: Served, trace_id: str) -> list[Event]:
    """Findings about a trace; none where it is gone, or too long for that to be worked out unasked."""
    try:
        sizes = [one.span_count for one in served.summaries([trace_id])]
        found = served.findings(trace_id) if sizes and sizes[0] <= _MOST_SPANS else []
    except Exception:
        logger.exception("otel-mas: findings of trace %s could not be worked out", trace_id)
        return []
    return [Event(trace_id, frame("finding", {"trace_id": trace_id, **finding(one)})) for one in found]


__all__ = ["Stream", "Subscriber", "finding_events", "summary_events"]
