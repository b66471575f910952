"""Rows that the recorder hands to the store, and the batch of them that is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from otel_mas.model.dropped import Dropped
from otel_mas.store.columns import COLUMNS, json_text, storable


@dataclass(slots=True)
class SpanRow:
    """An ended span.

    `columns` are values by their place in `otel_mas.store.columns.COLUMNS`; an attribute that is absent is left out.
    `links` are `(trace_id, span_id, mas.link.kind or None)`. `body` is the OTLP `Span` message. `resource` and
    `scope` are the keys that `StoreWriter.resource` and `StoreWriter.scope` returned. `may_ship` is the consent at
    the time of writing.
    """

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes | None
    name: str
    kind: int
    start_ns: int
    end_ns: int
    status: int
    columns: dict[int, object]
    links: tuple[tuple[bytes, bytes, str | None], ...]
    body: bytes
    resource: int
    scope: int
    sampled: bool = True
    may_ship: bool = False


@dataclass(slots=True)
class OpenRow:
    """A span that was still open when a batch was flushed."""

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes | None
    name: str
    kind: int
    start_ns: int
    columns: dict[int, object]
    resource: int
    scope: int


@dataclass(slots=True)
class MessageRow:
    """A message by its digest; `body` is redacted JSON, None where the content is not kept."""

    digest: bytes
    role: str
    body: bytes | None


@dataclass(slots=True)
class MessageRefRow:
    """A span consumed (`direction` 0) or produced (1) the messages with these digests, of 16 bytes each.

    `position` is that of the first; the others follow it. Direction 2: it wrote these values into a state,
    as its attributes tell; the row only keeps the values in the store.
    """

    trace_id: bytes
    span_id: bytes
    direction: int
    position: int
    digests: bytes


@dataclass(slots=True)
class ContentRow:
    """Redacted JSON that belongs to one span: tool arguments and results, exception text, interrupt questions."""

    trace_id: bytes
    span_id: bytes
    name: str
    value: bytes


@dataclass(slots=True)
class DropRow:
    """Spans and contents of one trace that were dropped for one reason (a `DropReason`)."""

    trace_id: bytes
    reason: str
    spans: int
    contents: int


@dataclass(slots=True)
class Batch:
    """Rows that are committed together.

    `incomplete` has, by trace, the reason why it is. `drops` adds to the drops of each trace, `dropped_spans` are the
    ids (trace, span) of the spans among them, `dropped` are all drops of the process so far. `redacted` adds to the
    numbers of secrets that were taken out, by rule. `contents_recorded` are all that the process has recorded so far,
    `contents_done` those of them, the first ones, that wait no more once this batch is stored. `contents_may_repeat`:
    contents that the store has already, byte for byte, are left out.
    """

    spans: list[SpanRow] = field(default_factory=list)
    opened: list[OpenRow] = field(default_factory=list)
    messages: list[MessageRow] = field(default_factory=list)
    message_refs: list[MessageRefRow] = field(default_factory=list)
    contents: list[ContentRow] = field(default_factory=list)
    incomplete: dict[bytes, str] = field(default_factory=dict)
    drops: list[DropRow] = field(default_factory=list)
    dropped_spans: list[tuple[bytes, bytes]] = field(default_factory=list)
    dropped: Sequence[Dropped] = ()
    redacted: dict[str, int] = field(default_factory=dict)
    contents_recorded: int = 0
    contents_done: int = 0
    contents_may_repeat: bool = False

    def take_over(self, failed: Batch) -> None:
        """Add the content of a batch that could not be written."""
        self.messages += failed.messages
        self.contents += failed.contents
        self.add_redacted(failed.redacted)

    def add_redacted(self, counts: dict[str, int]) -> None:
        """Add to the numbers of secrets that were taken out."""
        for rule, count in counts.items():
            self.redacted[rule] = self.redacted.get(rule, 0) + count

    def __bool__(self) -> bool:
        return bool(
            self.spans
            or self.opened
            or self.messages
            or self.message_refs
            or self.contents
            or self.incomplete
            or self.drops
            or self.redacted
        )


_LAST_NS = 2**63 - 1


def sanitised(batch: Batch) -> Batch:
    """A batch that SQLite can hold, slowly made: other values leave their columns, text its lone surrogates."""
    return Batch(
        spans=[_span(row) for row in batch.spans],
        opened=[_opened(row) for row in batch.opened],
        messages=[MessageRow(row.digest, _text(row.role), row.body) for row in batch.messages],
        message_refs=batch.message_refs,
        contents=[ContentRow(row.trace_id, row.span_id, _text(row.name), row.value) for row in batch.contents],
        incomplete={trace_id: _text(reason) for trace_id, reason in batch.incomplete.items()},
        drops=batch.drops,
        dropped_spans=batch.dropped_spans,
        dropped=batch.dropped,
        redacted=batch.redacted,
        contents_recorded=batch.contents_recorded,
        contents_done=batch.contents_done,
        contents_may_repeat=batch.contents_may_repeat,
    )


def _span(row: SpanRow) -> SpanRow:
    return replace(
        row,
        name=_text(row.name),
        start_ns=_time(row.start_ns),
        end_ns=_time(row.end_ns),
        columns=_columns(row.columns),
        links=tuple((trace, span, None if kind is None else _text(kind)) for trace, span, kind in row.links),
    )


def _opened(row: OpenRow) -> OpenRow:
    return replace(row, name=_text(row.name), start_ns=_time(row.start_ns), columns=_columns(row.columns))


def _columns(values: dict[int, Any]) -> dict[int, object]:
    stored = {place: storable(json_text(value) if COLUMNS[place].json else value) for place, value in values.items()}
    return {place: value for place, value in stored.items() if value is not None}


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()


def _time(value: int) -> int:
    return min(max(0, int(value)), _LAST_NS)
