"""The queue between the app's threads and the writer: bounded in spans and bytes, without a lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from otel_mas.model.dropped import DropReason
from otel_mas.record.guard import caught
from otel_mas.record.pipeline.losses import Losses
from otel_mas.record.pipeline.span_data import SpanData
from otel_mas.record.sdk.lazy_span import MESSAGE_REF_BYTES, LazySpan
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

    from otel_mas.record.cause import Cause

Key = tuple[int, int]
"""A span's trace id and span id."""

SPAN_BYTES = 600  # what a queued span weighs beyond its texts
LINK_BYTES = 300
ATTRIBUTE_BYTES = 100  # of ours: ids and names, most of which the app keeps alive as well
CHANGE_BYTES = 100
_CONTENT_SHARE = 0.75  # of the bytes that may wait: content leaves the rest to spans

_new = tuple.__new__


class Content(NamedTuple):
    """Content of a span, such as a tool's arguments."""

    key: Key
    name: str
    value: Any
    size: int
    tool: str = ""
    """The tool whose arguments it is."""


class Message(NamedTuple):
    """A message's content, queued once per digest, with the first span that had it."""

    key: Key
    digest: str
    snapshot: dict[str, Any]
    size: int


class StateValue(NamedTuple):
    """A value of a state that the store does not have yet, with the span that wrote it."""

    key: Key
    name: str
    digest: str
    value: Any
    size: int


class MessageRefs(NamedTuple):
    """Digests of the messages that a span consumed (direction 0) or produced (1)."""

    key: Key
    direction: int
    digests: Sequence[str]
    size: int


class Changes(NamedTuple):
    """Names of what a span changed in a state, and copies of the values or why there are none."""

    key: Key
    names: tuple[str, ...]
    values: tuple[Any, ...]
    size: int


RowPart = MessageRefs | Changes
"""Parts of a span's rows, a few digests each: stored in the batch of their span."""

AnyContent = Content | Message | StateValue
"""Content to be redacted, which takes a second and more a megabyte: spans do not wait for it."""

_Ended = tuple["ReadableSpan", tuple["Cause", ...], int]
"""Arguments of `SpanData.of_sdk`. A bare tuple, since it is made on the app's thread: a named one costs 0.3 µs more."""

_Open = tuple["ReadableSpan", tuple["Cause", ...]] | None
"""An open span and those of its causes that the SDK may cut; None where a lazy span is its own key."""


class Drained(NamedTuple):
    """The items for one batch."""

    ended: list[SpanData]
    row_parts: list[RowPart]
    started: list[SpanData]


class SpanQueue:
    """Spans and contents on their way to the writer's thread.

    Every operation is an append to a deque or an item of a dict, atomic in CPython: a garbage collection or a signal in
    the middle may end a span and come in again. If two threads add at the same instant, the byte count is off by
    one item until the queue next runs empty.

    Args:
        max_spans: spans that may wait; as many may be open.
        max_bytes: bytes that may wait, of spans and content together; content alone takes three quarters at most.
        batch_spans: number of waiting spans at which the writer is woken before its interval is over.
        wake: called when the writer sleeps and something arrives, or a batch is full.
    """

    def __init__(
        self,
        max_spans: int,
        max_bytes: int,
        *,
        batch_spans: int = 2048,
        wake: Callable[[], None],
    ) -> None:
        self.idle = True  # the writer sleeps: whoever adds something wakes it
        self.closed = False
        self.full_reason = DropReason.QUEUE_FULL  # or what the writer waits for
        self.drop_reason: DropReason | None = None  # the reason that nothing can be recorded any more
        self.losses = Losses()
        self._max_spans = max_spans
        self._max_bytes = max_bytes
        self._max_content_bytes = int(_CONTENT_SHARE * max_bytes)
        self._batch_spans = batch_spans
        self._wake = wake
        self._bytes = 0
        self._ended: deque[_Ended | LazySpan] = deque()
        self._row_parts: deque[RowPart] = deque()
        self._contents: deque[AnyContent] = deque()
        self.contents_taken = 0  # by the writer, since the process records
        self._span_started = False  # whether a span has started since the last batch was taken
        self._live: dict[Key | LazySpan, _Open] = {}
        self._announced: dict[Key | LazySpan, _Open] = {}  # spans that were open at the last batch

    # -- on the app's threads --------------------------------------------------------------------------------------

    def start(self, context: SpanContext, span: ReadableSpan) -> None:
        """Track an SDK span from its start on."""
        self.track(context[:2], (span, ()))

    def track(self, key: Key | LazySpan, kept: _Open) -> None:
        """Track an open span; a lazy one is its own key."""
        live = self._live
        if len(live) >= self._max_spans:  # spans that never end must not be kept for ever
            live.pop(next(iter(live), key), None)
        live[key] = kept
        self._span_started = True
        if self.idle:
            self._wake()

    def keep_causes(self, context: SpanContext, causes: tuple[Cause, ...]) -> None:
        """Keep all causes of an open span, of which the SDK's limits may drop some."""
        key = context[:2]
        kept = self._live.get(key)
        if kept is not None:
            self._live[key] = kept[0], causes

    def causes(self, context: SpanContext) -> tuple[Cause, ...]:
        """Return the causes kept of an open span."""
        kept = self._live.get(context[:2])
        return () if kept is None else kept[1]

    def end(self, context: SpanContext, span: ReadableSpan, size: int) -> None:
        """Queue an ended SDK span, whose attributes and events weigh about `size` bytes."""
        key = context[:2]
        causes = self.causes(context)
        size += SPAN_BYTES + LINK_BYTES * len(causes)
        self.admit(key, (span, causes, size), size)

    def admit(self, key: Key | LazySpan, item: _Ended | LazySpan, size: int) -> None:
        """Queue an ended span; a lazy one waits as it is, with no tuple around it for the garbage collector to walk."""
        if self.closed:
            if self.drop_reason is not None:
                self._drop_span(key, self.drop_reason)
            return
        self._live.pop(key, None)
        waiting = len(self._ended)
        if waiting >= self._max_spans or self._bytes + size > self._max_bytes:
            self._drop_span(key, self.full_reason)
            return
        self._bytes += size
        self._ended.append(item)
        if self.idle or waiting == self._batch_spans:
            self._wake()

    def expect_copy(self, span: LazySpan) -> None:
        """Expect the end of this lazy span as a copy, like an SDK span's."""
        if span in self._live:
            del self._live[span]
            self._live[span.key()] = cast("ReadableSpan", span), span.causes

    def is_open(self, span: SpanContext | LazySpan) -> bool:
        """Whether the span started in this process and has not ended."""
        return (span[:2] if isinstance(span, tuple) else span) in self._live

    def add_content(self, context: SpanContext, name: str, value: Any, size: int, tool: str = "") -> None:
        """Queue content of an open span: a snapshot and its size in bytes; of a tool's arguments also its name."""
        self._add_content(Content(context[:2], name, value, size, tool))

    def add_messages(self, key: Key, direction: int, digests: Sequence[str]) -> None:
        """Queue the digests of messages that an open span consumed (0) or produced (1)."""
        # Not by its own constructor, which is a function in Python.
        self._add(_new(MessageRefs, (key, direction, digests, MESSAGE_REF_BYTES * len(digests))))

    def add_message(self, key: Key, digest: str, snapshot: dict[str, Any], size: int) -> bool:
        """Queue a message's content. False where there is no room: offer it again with the next span that has it."""
        return self._add_content(Message(key, digest, snapshot, size))

    def add_changes(self, key: Key, names: tuple[str, ...], values: tuple[Any, ...], size: int) -> None:
        """Queue what an open span changed in a state."""
        self._add(_new(Changes, (key, names, values, size + CHANGE_BYTES * len(names))))

    def _add(self, item: RowPart) -> None:
        self._append(self._row_parts, item, self._max_bytes)

    def _add_content(self, item: AnyContent) -> bool:
        return self._append(self._contents, item, self._max_content_bytes)

    def _append(self, waiting: deque[Any], item: Any, max_bytes: int) -> bool:
        if self.closed:
            return False
        if self._bytes + item.size > max_bytes or len(waiting) >= 4 * self._max_spans:
            self.losses.content(item.key, self.full_reason)
            return False
        self._bytes += item.size
        waiting.append(item)
        if self.idle:
            self._wake()
        return True

    def _drop_span(self, key: Key | LazySpan, reason: DropReason) -> None:
        self.losses.span(key if isinstance(key, tuple) else key.key(), reason)

    # -- on the writer's thread ------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._ended) + len(self._row_parts) + len(self._contents) + bool(self.losses) + self._span_started

    @property
    def waiting_spans(self) -> int:
        """Number of ended spans that wait."""
        return len(self._ended)

    @property
    def waiting_contents(self) -> int:
        """Number of contents that wait."""
        return len(self._contents)

    def service(self) -> str | None:
        """The service name of a span that waits or is open."""
        spans: list[Any] = [kept[0] if kept else key for key, kept in self._live.copy().items()]
        spans += [item[0] if isinstance(item, tuple) else item for item in list(self._ended)[:1]]
        return str(spans[0].resource.attributes.get(names.SERVICE_NAME) or "") or None if spans else None

    @property
    def open_spans(self) -> int:
        """Number of open spans."""
        return len(self._live)

    def drain(self, limit: int) -> Drained:
        """Take a batch: at most `limit` ended spans, the parts of their rows, and the spans that are newly open."""
        self._span_started = False
        live = self._live.copy()  # in one step of C: spans start and end meanwhile
        started = []
        if len(self._ended) <= limit:  # a span is announced with all that had ended before it
            started = self._data([kept or key for key, kept in live.items() if key not in self._announced])
            self._announced = live
        else:
            self._span_started = True
        ended = self._data(_take(self._ended, limit), DropReason.NOT_ENCODABLE)
        # After the spans: parts are queued before their span ends, and so are in this batch or were in an earlier one.
        parts = _take(self._row_parts, len(self._row_parts))
        self._taken(sum(item.size for item in ended) + sum(item.size for item in parts))
        return Drained(ended, parts, started)

    def _data(self, spans: list[Any], reason: DropReason | None = None) -> list[SpanData]:
        found = []
        for span in spans:
            try:
                found.append(SpanData.of_sdk(*span) if type(span) is tuple else span.data())
            except Exception as error:  # of an SDK that we do not know
                if reason is not None:
                    self._drop_span(span[0].context[:2] if type(span) is tuple else span, reason)
                caught("queue: span", error)
        return found

    def announce_again(self) -> None:
        """Announce all open spans once more, to another store."""
        self._announced = {}
        self._span_started = bool(self._live)

    def next_content(self, max_size: int | None = None) -> AnyContent | None:
        """Take the oldest content; None where there is none, or it is larger than `max_size` bytes."""
        waiting = self._contents
        if not waiting or (max_size is not None and waiting[0].size > max_size):
            return None
        item = waiting.popleft()
        self.contents_taken += 1
        self._taken(item.size)
        return item

    def keep_value(self, value: StateValue) -> None:
        """Queue a state's value for storage, whatever its size: that has been counted where it was written."""
        self._bytes += value.size
        self._contents.append(value)

    def _taken(self, size: int) -> None:
        self._bytes = max(0, self._bytes - size) if self._ended or self._row_parts or self._contents else 0

    def clear(self) -> None:
        """Forget everything."""
        for waiting in (self._ended, self._row_parts, self._contents, self._live, self._announced):
            waiting.clear()
        self._span_started = False
        self._bytes = 0
        self.contents_taken = 0


def _take(items: deque[Any], limit: int) -> list[Any]:
    return [items.popleft() for _ in range(min(limit, len(items)))]


__all__ = [
    "AnyContent",
    "Changes",
    "Content",
    "Drained",
    "Key",
    "Message",
    "MessageRefs",
    "RowPart",
    "SpanQueue",
    "StateValue",
]
