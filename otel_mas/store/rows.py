"""What the recording and receiving rooms hand to the store: rows, and the batch that is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from otel_mas.model.dropped import Dropped


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

    `position` is that of the first; the others follow it. Direction 2: it wrote these values into a state. Its
    attributes say so, the row only keeps the values in the store.
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

    `incomplete` says, per trace, what is known to be missing from it. `drops` adds to what was dropped of each trace,
    `dropped_spans` are ids (trace, span) of the spans among it; `dropped` is what the process has dropped in all.
    `redacted` adds to how many secrets were taken out, by rule.
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

    def take_over(self, failed: Batch) -> None:
        """Add what a batch that could not be written has of content."""
        self.messages += failed.messages
        self.contents += failed.contents
        self.add_redacted(failed.redacted)

    def add_redacted(self, counts: dict[str, int]) -> None:
        """Add to how many secrets were taken out."""
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
