"""The queue between the app's threads and the writer: bounded in spans and bytes, without a lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_mas.model.dropped import DropReason
from otel_mas.record.pipeline.losses import Losses
from otel_mas.record.sdk.trusted import MESSAGE_ATTRIBUTES, MESSAGE_REF_BYTES
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

    from otel_mas.record.cause import Cause
    from otel_mas.record.sdk.span import LightSpan

Key = tuple[int, int]
"""A span's trace id and span id."""

SPAN_BYTES = 600  # what a queued span weighs beyond its texts
LINK_BYTES = 300
SAID_BYTES = 100  # what we say in an attribute: ids and names, most of which the app keeps alive as well
CHANGE_BYTES = 100
_CONTENT_SHARE = 0.75  # of the bytes that may wait: content leaves the rest to spans

_new = tuple.__new__


class Content(NamedTuple):
    """Something said or passed, beside its span."""

    key: Key
    name: str
    value: Any
    size: int


class MessageRefs(NamedTuple):
    """Which messages a span consumed (direction 0) or produced (1)."""

    key: Key
    direction: int
    digests: Sequence[str]
    size: int


class Message(NamedTuple):
    """A message's content, handed over once per digest, with the span that was the first to have it."""

    key: Key
    digest: str
    snapshot: dict[str, Any]
    size: int


class Changes(NamedTuple):
    """What a span changed in a state: copies of the values, or why there is none."""

    key: Key
    names: tuple[str, ...]
    values: tuple[Any, ...]
    size: int


class StateValue(NamedTuple):
    """A value of a state that the store does not have yet, with the span that wrote it."""

    key: Key
    name: str
    digest: str
    value: Any
    size: int


Beside = MessageRefs | Changes
"""Parts of a span's own row, or of one beside it: a few digests."""

AnyContent = Content | Message | StateValue
"""Content to be redacted, which takes a second and more a megabyte: spans do not wait for it."""

Ended = tuple["ReadableSpan", tuple["Cause", ...], int]
"""An ended span, all of its causes whatever the SDK's limits left on it, and what it weighs in bytes. A bare tuple: it
is made on the app's thread, and a named one costs 0.3 µs."""


Open = tuple["ReadableSpan", tuple["Cause", ...]] | None
"""What is kept of an open span: the span and the causes that the SDK may cut. Nothing of a light one, its own key."""


class Drained(NamedTuple):
    """What one batch is made from."""

    ended: list[Ended]
    beside: list[Beside]
    started: list[tuple[Key, ReadableSpan]]


class SpanQueue:
    """What recording hands to the writer thread.

    Every operation is an append to a deque or an item of a dict, atomic in CPython: a garbage collection or a signal in
    the middle may end a span and come in again. The byte count is exact while no two threads add at the same
    instant; it may then be off by one item until the queue next runs empty.

    Args:
        max_spans: spans that may wait; as many may be open.
        max_bytes: bytes that may wait, of spans and content together; content alone takes three quarters at most.
        batch_spans: at this many the writer is woken before its interval is over.
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
        self.full_because = DropReason.QUEUE_FULL  # or of what the writer waits for
        self.refusal: DropReason | None = None  # why nothing can be recorded any more
        self.losses = Losses()
        self._max_spans = max_spans
        self._max_bytes = max_bytes
        self._max_content_bytes = int(_CONTENT_SHARE * max_bytes)
        self._batch_spans = batch_spans
        self._wake = wake
        self._bytes = 0
        self._ended: deque[Ended | LightSpan] = deque()
        self._beside: deque[Beside] = deque()
        self._contents: deque[AnyContent] = deque()
        self._begun = False  # whether a span has started since the last batch was taken
        self._live: dict[Key | LightSpan, Open] = {}
        self._told: dict[Key | LightSpan, Open] = {}  # the spans that were open when it was

    # -- on the app's threads --------------------------------------------------------------------------------------

    def start(self, context: SpanContext, span: ReadableSpan) -> None:
        """A span has started."""
        self.track(context[:2], (span, ()))

    def track(self, key: Key | LightSpan, kept: Open) -> None:
        """The same for any kind of span. A light one is its own key: no copy of it comes to its end."""
        live = self._live
        if len(live) >= self._max_spans:  # spans that never end must not be kept for ever
            live.pop(next(iter(live), key), None)
        live[key] = kept
        self._begun = True
        if self.idle:
            self._wake()

    def keep_causes(self, context: SpanContext, causes: tuple[Cause, ...]) -> None:
        """All causes of an open span, which the SDK may cut."""
        key = context[:2]
        kept = self._live.get(key)
        if kept is not None:
            self._live[key] = kept[0], causes

    def causes(self, context: SpanContext) -> tuple[Cause, ...]:
        """Those that were kept of an open span."""
        kept = self._live.get(context[:2])
        return () if kept is None else kept[1]

    def end(self, context: SpanContext, span: ReadableSpan, size: int) -> None:
        """A span has ended; `size` is about what its attributes and events weigh."""
        key = context[:2]
        causes = self.causes(context)
        size += SPAN_BYTES + LINK_BYTES * len(causes)
        self.admit(key, (span, causes, size), size)

    def admit(self, key: Key | LightSpan, item: Ended | LightSpan, size: int) -> None:
        """The end of any kind of span. A light one waits as it is: a tuple around it is one more for the collector."""
        if self.closed:
            if self.refusal is not None:
                self._drop_span(key, self.refusal)
            return
        self._live.pop(key, None)
        waiting = len(self._ended)
        if waiting >= self._max_spans or self._bytes + size > self._max_bytes:
            self._drop_span(key, self.full_because)
            return
        self._bytes += size
        self._ended.append(item)
        if self.idle or waiting == self._batch_spans:
            self._wake()

    def copied(self, span: LightSpan) -> None:
        """What will come to the end of this light span is a copy, as of any other span."""
        key = span._context[:2]
        if span in self._live:
            del self._live[span]
            self._live[key] = span, span.causes
        for direction, attribute in MESSAGE_ATTRIBUTES:
            digests = span.said.get(attribute)
            if digests:
                self.add_messages(key, direction, digests)
        if span.changes is not None:
            self.add_changes(key, *span.changes, 0)

    def known(self, span: SpanContext | LightSpan) -> bool:
        """Whether the span started here and has not ended."""
        return (span[:2] if isinstance(span, tuple) else span) in self._live

    def add_content(self, context: SpanContext, name: str, value: Any, size: int) -> None:
        """Content of an open span: a snapshot and its size in bytes."""
        self._add_content(Content(context[:2], name, value, size))

    def add_messages(self, key: Key, direction: int, digests: Sequence[str]) -> None:
        """The messages that an open span consumed or produced."""
        # Not by its own constructor, which is a function in Python.
        self._add(_new(MessageRefs, (key, direction, digests, MESSAGE_REF_BYTES * len(digests))))

    def add_message(self, key: Key, digest: str, snapshot: dict[str, Any], size: int) -> bool:
        """A message's content. False where there was no room: offer it again with the next span that has it."""
        return self._add_content(Message(key, digest, snapshot, size))

    def add_changes(self, key: Key, names: tuple[str, ...], values: tuple[Any, ...], size: int) -> None:
        """What an open span changed in a state."""
        self._add(_new(Changes, (key, names, values, size + CHANGE_BYTES * len(names))))

    def _add(self, item: Beside) -> None:
        self._append(self._beside, item, self._max_bytes)

    def _add_content(self, item: AnyContent) -> bool:
        return self._append(self._contents, item, self._max_content_bytes)

    def _append(self, waiting: deque[Any], item: Any, max_bytes: int) -> bool:
        if self.closed:
            return False
        if self._bytes + item.size > max_bytes or len(waiting) >= 4 * self._max_spans:
            self.losses.content(item.key, self.full_because)
            return False
        self._bytes += item.size
        waiting.append(item)
        if self.idle:
            self._wake()
        return True

    def _drop_span(self, key: Key | LightSpan, reason: DropReason) -> None:
        self.losses.span(key if isinstance(key, tuple) else key._context[:2], reason)

    # -- on the writer's thread ------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._ended) + len(self._beside) + len(self._contents) + bool(self.losses) + self._begun

    @property
    def waiting_spans(self) -> int:
        """How many ended spans wait."""
        return len(self._ended)

    @property
    def waiting_contents(self) -> int:
        """Number of contents that wait."""
        return len(self._contents)

    def service(self) -> str | None:
        """The service name of a span that waits."""
        started = [_started(key, kept) for key, kept in self._live.copy().items()]
        for span in (*(span for _, span in started), *(_ended(item)[0] for item in list(self._ended)[:1])):
            return str(span.resource.attributes.get(names.SERVICE_NAME) or "") or None
        return None

    @property
    def open(self) -> int:
        """How many spans are open."""
        return len(self._live)

    def drain(self, limit: int) -> Drained:
        """Take a batch of at most `limit` ended spans, what belongs to their rows, and the spans still open."""
        self._begun = False
        live = self._live.copy()  # in one step of C: spans start and end meanwhile
        started = [_started(key, kept) for key, kept in live.items() if key not in self._told]
        self._told = live
        ended = [_ended(item) for item in _take(self._ended, limit)]
        # After the spans: what lies beside a span is added before the span ends, and so is in this batch or was in
        # an earlier one.
        beside = _take(self._beside, len(self._beside))
        self._taken(sum(item[2] for item in ended) + sum(item.size for item in beside))
        return Drained(ended, beside, started)

    def announce_again(self) -> None:
        """The spans that are open are told once more, to another store."""
        self._told = {}
        self._begun = bool(self._live)

    def next_content(self, max_size: int | None = None) -> AnyContent | None:
        """Take the content that has waited longest; None where there is none, or it is larger than `max_size`."""
        waiting = self._contents
        if not waiting or (max_size is not None and waiting[0].size > max_size):
            return None
        item = waiting.popleft()
        self._taken(item.size)
        return item

    def keep_value(self, value: StateValue) -> None:
        """A state's value that is to be stored; its size has been counted where it was written."""
        self._bytes += value.size
        self._contents.append(value)

    def _taken(self, size: int) -> None:
        self._bytes = max(0, self._bytes - size) if self._ended or self._beside or self._contents else 0

    def clear(self) -> None:
        """Forget everything: it belongs to the process that this one was forked from, or nobody can store it."""
        for waiting in (self._ended, self._beside, self._contents, self._live, self._told):
            waiting.clear()
        self._begun = False
        self._bytes = 0


def _started(key: Any, kept: Open) -> tuple[Key, ReadableSpan]:
    return (key._context[:2], key) if kept is None else (key, kept[0])


def _ended(item: Any) -> Ended:
    return item if type(item) is tuple else (item, item.causes, item.size)


def _take(items: deque[Any], limit: int) -> list[Any]:
    return [items.popleft() for _ in range(min(limit, len(items)))]


__all__ = [
    "AnyContent",
    "Beside",
    "Changes",
    "Content",
    "Drained",
    "Ended",
    "Key",
    "Message",
    "MessageRefs",
    "SpanQueue",
    "StateValue",
]
