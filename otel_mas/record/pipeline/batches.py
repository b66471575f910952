"""Build a batch for the store from what was drained: redacted, encoded, one bad item never costing another.

Spans go first, with what is stored in their rows. Content (`contents`) joins the batch as far as time allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import StatusCode

from otel_mas.dialects import MARKERS, OWN_SCOPE, ForeignSpan, is_control_flow, translated_beside_ours
from otel_mas.model.dropped import DropReason
from otel_mas.privacy.stored import Privacy
from otel_mas.record.content.rows import ContentEncoder
from otel_mas.record.content.state import StateDigests, Unread
from otel_mas.record.guard import caught
from otel_mas.record.pipeline.encode import SpanEncoder
from otel_mas.record.pipeline.environment import environment
from otel_mas.record.pipeline.losses import Losses
from otel_mas.record.pipeline.queue import Changes, Drained, Key, MessageRefs, RowPart, StateValue
from otel_mas.record.pipeline.span_data import Enricher, SpanData
from otel_mas.record.pipeline.store_port import Keys
from otel_mas.semconv import attributes as names
from otel_mas.store.columns import POSITION, column_values
from otel_mas.store.rows import Batch, MessageRefRow, OpenRow, SpanRow

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

_MAX_CHANGED = 10_000
_VALUE_BYTES = 4096  # what a state's value that is neither text nor bytes is taken to weigh: it has few nodes
_CHANGED = 2  # after consumed and produced
_MAX_ORIGINS = 1024
_SPANS_PER_YIELD = 32  # 0.3 ms; more often, yielding the interpreter costs as much as the work
_MANY = 256  # spans in one batch from which on it yields half as often
_BACKLOG = 512  # from which on catching up comes before yielding


_Origin = tuple[int, int]
"""The keys of a span's resource and of its scope."""


class BatchBuilder:
    """Makes batches, on the writer's thread.

    Args:
        privacy: the content mode.
        origin: attributes that every stored resource gets, such as `mas.instance.id`.
        values: the digests of state values.
        enrichers: complete each ended span; one that fails is left out.
        losses: of the process; each batch tells the store of those that are new.
        export_log: gets each log record as it is stored, with the ids of its span.
    """

    def __init__(
        self,
        privacy: Privacy,
        origin: Mapping[str, str],
        values: StateDigests,
        enrichers: Sequence[Enricher] = (),
        losses: Losses | None = None,
        export_log: Callable[[Key, Any], None] | None = None,
    ) -> None:
        self._privacy = privacy
        self._values = values
        self._enrichers = enrichers
        self._losses = losses if losses is not None else Losses()
        self._changed: dict[Key, tuple[str, ...]] = {}  # of spans that have not ended yet
        self._origin = dict(origin)
        self._encoder = SpanEncoder(privacy)
        self.contents = ContentEncoder(privacy, export_log)
        self.values: list[StateValue] = []
        """Values of states that are to be stored: content, which the caller takes from here."""
        # By identity: SDK objects live as long as their provider, and hashing a resource means hashing all it says.
        self._resources: dict[int, tuple[Resource, int]] = {}
        self._scopes: dict[int, tuple[InstrumentationScope | None, int]] = {}
        self._origins: dict[tuple[int, int], _Origin] = {}

    def restart(self, origin: Mapping[str, str]) -> None:
        """Write to another store from now on: none of the keys of the last one holds there."""
        self._origin = dict(origin)
        for known in (self._resources, self._scopes, self._origins):
            known.clear()
        if self._privacy.personal is not None:  # placeholders have digests by the store's key
            self._privacy.forget_names()
            self._encoder = SpanEncoder(self._privacy, self._encoder.withheld)

    @property
    def withheld(self) -> int:
        """How many values and contents could not be redacted."""
        return self._encoder.withheld + self.contents.withheld

    def redacted(self) -> dict[str, int]:
        """Return the number of values taken out since the last call, by rule or kind."""
        return self._privacy.drain_counts()

    def batch(self, drained: Drained, keys: Keys) -> Batch:
        """Build a batch.

        Raises:
            StoreError: from `keys`; the same drained items can be given again.
        """
        # May raise, and so before anything is remembered.
        ended_keys = [self._origin_keys(span, keys) for span in drained.ended]
        open_keys = [self._origin_keys(span, keys) for span in drained.started]
        batch = Batch()
        for part in drained.row_parts:
            self._add_part(part, batch)
        waiting = len(drained.ended)
        yields = waiting < _BACKLOG
        stride = _SPANS_PER_YIELD if waiting < _MANY else 2 * _SPANS_PER_YIELD
        for index, span in enumerate(drained.ended):
            if yields and not index % stride:
                # Lets the app's threads have the interpreter now, not after the 5 ms that they would wait.
                time.sleep(0)
            self._add_ended(span, ended_keys[index], batch)
        for span, origin in zip(drained.started, open_keys, strict=True):
            self._add_open(span, origin, batch)
        batch.drops, batch.dropped_spans = self._losses.take()
        if batch.drops:
            batch.dropped = self._losses.totals()
        return batch

    def _add_ended(self, span: SpanData, origin: _Origin, batch: Batch) -> None:
        key = span.context[:2]
        if span.changes is not None:
            self._add_part(Changes(key, *span.changes, 0), batch)
        try:
            for enrich in self._enrichers:
                _enriched(enrich, span)
            if self._changed and (digests := self._changed.pop(key, None)) is not None:
                span.attributes[names.MAS_STATE_DIGESTS] = digests
            row = self._encoder.row(span, *origin)
            self._translate(span, row)
            if span.columns:
                row.columns = {**row.columns, **column_values(span.columns)}
        except Exception as error:
            self._losses.span(key, DropReason.NOT_ENCODABLE)
            caught("writer: span", error)
            return
        batch.spans.append(row)
        _add_messages(span, row, batch)

    def _translate(self, span: SpanData, row: SpanRow) -> None:
        """Give a span of other instrumentation the columns that its dialect has by other names."""
        if span.scope is None or span.scope.name == OWN_SCOPE or MARKERS.isdisjoint(span.attributes):
            return
        failed, events = span.status.status_code is StatusCode.ERROR, span.events
        written = ForeignSpan(span.attributes, span.name, failed, events=lambda: _named(events))
        more = translated_beside_ours(written, span.scope.name)
        row.columns.update(column_values(self._encoder.stored(more)))
        for name in (name for name, value in more.items() if value is None and name in POSITION):
            row.columns.pop(POSITION[name], None)
        if is_control_flow(more):
            row.status = 0

    def _add_open(self, span: SpanData, origin: _Origin, batch: Batch) -> None:
        try:
            row = self._encoder.open_row(span, *origin)
            batch.opened.append(row)
            _add_messages(span, row, batch)
        except Exception as error:
            caught("writer: open span", error)

    def _add_part(self, part: RowPart, batch: Batch) -> None:
        try:
            if isinstance(part, MessageRefs):
                batch.message_refs.append(MessageRefRow(*_ids(part.key), part.direction, 0, _packed(part.digests)))
            else:
                self._changes(part, batch)
        except Exception as error:
            caught("writer: changes", error)

    def _changes(self, item: Changes, batch: Batch) -> None:
        digests = self._values.digests(item.values)
        if len(self._changed) < _MAX_CHANGED:
            self._changed[item.key] = tuple(digests)
        if self._privacy.content == "none":
            return
        written = b""
        for name, value, digest in zip(item.names, item.values, digests, strict=True):
            if type(value) is Unread:
                continue
            if self._values.is_new(digest):
                size = len(value) if isinstance(value, str | bytes) else _VALUE_BYTES
                self.values.append(StateValue(item.key, name, digest, value, size))
            written += bytes.fromhex(digest)
        if written:
            batch.message_refs.append(MessageRefRow(*_ids(item.key), _CHANGED, 0, written))

    def _origin_keys(self, span: SpanData, keys: Keys) -> _Origin:
        resource, scope = span.resource, span.scope
        known = self._origins.get((id(resource), id(scope)))
        if known is None:
            known = self._origins[id(resource), id(scope)] = self._new_origin(resource, scope, keys)
        return known

    def _new_origin(self, resource: Resource, scope: InstrumentationScope | None, keys: Keys) -> _Origin:
        if max(len(self._resources), len(self._scopes), len(self._origins)) >= _MAX_ORIGINS:
            for known in (self._resources, self._scopes, self._origins):
                known.clear()
        if id(resource) not in self._resources:
            attributes, body = self._encoder.resource({**environment(), **resource.attributes, **self._origin})
            self._resources[id(resource)] = (
                resource,
                keys.resource(attributes, self._encoder.text(resource.schema_url), body),
            )
        if id(scope) not in self._scopes:
            self._scopes[id(scope)] = scope, self._scope_key(scope, keys)
        return self._resources[id(resource)][1], self._scopes[id(scope)][1]

    def _scope_key(self, scope: InstrumentationScope | None, keys: Keys) -> int:
        if scope is None:
            return keys.scope("", "", {}, "")
        attributes = self._encoder.scope_attributes(scope)
        text = self._encoder.text
        return keys.scope(text(scope.name), text(scope.version or ""), attributes, text(scope.schema_url or ""))


def _enriched(enrich: Enricher, span: SpanData) -> None:
    try:
        enrich(span)
    except Exception as error:
        caught("writer: enricher", error)


def _add_messages(span: SpanData, row: SpanRow | OpenRow, batch: Batch) -> None:
    for direction, digests in span.messages:
        batch.message_refs.append(MessageRefRow(row.trace_id, row.span_id, direction, 0, _packed(digests)))


def _named(events: Sequence[Event]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(event.name, event.attributes or {}) for event in events]


def _packed(digests: Sequence[str]) -> bytes:
    return bytes.fromhex("".join(digests))


def _ids(key: Key) -> tuple[bytes, bytes]:
    return key[0].to_bytes(16, "big"), key[1].to_bytes(8, "big")


__all__ = ["BatchBuilder"]
