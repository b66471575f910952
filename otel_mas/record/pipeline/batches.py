"""Build a batch for the store from what was drained: redacted, encoded, one bad item never costing another.

Spans go first, with what is stored in their rows. Content (`contents`) joins the batch as far as time allows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from otel_mas.model.dropped import DropReason
from otel_mas.record.content.privacy import Privacy
from otel_mas.record.content.rows import ContentEncoder
from otel_mas.record.content.state import StateDigests, Unread
from otel_mas.record.guard import caught
from otel_mas.record.pipeline.encode import SpanEncoder
from otel_mas.record.pipeline.late import add, settle
from otel_mas.record.pipeline.losses import Losses
from otel_mas.record.pipeline.queue import Beside, Changes, Drained, Key, MessageRefs, StateValue
from otel_mas.record.sdk.trusted import MESSAGE_ATTRIBUTES, Trusted
from otel_mas.semconv import attributes as names
from otel_mas.store.columns import column_values
from otel_mas.store.rows import Batch, MessageRefRow, OpenRow, SpanRow

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from otel_mas.record.cause import Cause
    from otel_mas.record.sdk.foreign_spans import Others

_MAX_CHANGED = 10_000
_VALUE_BYTES = 4096  # what a state's value that is neither text nor bytes is taken to weigh: it has few nodes
_CHANGED = 2  # after consumed and produced
_MAX_ORIGINS = 1024
_SPANS_PER_BREATH = 32  # 0.3 ms; more often, the breaths cost as much as the work
_MANY = 256  # spans in one batch from which on the breaths are half as many
_BACKLOG = 1024  # from which on catching up comes before giving way


_Origin = tuple[int, int]
"""The keys of a span's resource and of its scope."""


class Keys(Protocol):
    """The part of `StoreWriter` that knows resources and scopes."""

    def resource(self, attributes: Mapping[str, Any], schema_url: str, body: bytes) -> int: ...
    def scope(self, name: str, version: str, attributes: Mapping[str, Any], schema_url: str) -> int: ...


class BatchBuilder:
    """Makes batches, on the writer's thread.

    Args:
        privacy: the content mode.
        origin: attributes that every stored resource gets, such as `mas.instance.id`.
        values: the digests of state values.
        others: knows the spans of other instrumentation that tell of model calls.
        losses: of the process; each batch tells the store of those that are new.
    """

    def __init__(
        self,
        privacy: Privacy,
        origin: Mapping[str, str],
        values: StateDigests,
        others: Others | None = None,
        losses: Losses | None = None,
    ) -> None:
        self._privacy = privacy
        self._values = values
        self._others = others
        self._losses = losses if losses is not None else Losses()
        self._changed: dict[Key, tuple[str, ...]] = {}  # of spans that have not ended yet
        self._origin = dict(origin)
        self._encoder = SpanEncoder(privacy)
        self.contents = ContentEncoder(privacy)
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

    @property
    def withheld(self) -> int:
        """How many values and contents could not be redacted."""
        return self._encoder.withheld + self.contents.withheld

    def redacted(self) -> dict[str, int]:
        """Return the number of secrets taken out since the last call, by rule."""
        return self._privacy.redactor.taken()

    def batch(self, drained: Drained, keys: Keys) -> Batch:
        """Build a batch.

        Raises:
            StoreError: from `keys`; the same drained items can be given again.
        """
        # May raise, and so before anything is remembered.
        origins = [self._origin_keys(span, keys) for span, _, _ in drained.ended]
        opened = [self._origin_keys(span, keys) for _, span in drained.started]
        batch = Batch()
        for item in drained.beside:
            self._beside_guarded(item, batch)
        waiting = len(drained.ended)
        breathes = waiting < _BACKLOG
        stretch = _SPANS_PER_BREATH if waiting < _MANY else 2 * _SPANS_PER_BREATH
        for index, (span, causes, _) in enumerate(drained.ended):
            if breathes and not index % stretch:
                # Lets the app's threads have the interpreter now, not after the 5 ms that they would wait.
                time.sleep(0)
            self._ended(span, causes, origins[index], batch)
        for (_, span), origin in zip(drained.started, opened, strict=True):
            self._started(span, origin, batch)
        batch.drops, batch.dropped_spans = self._losses.take()
        if batch.drops:
            batch.dropped = self._losses.totals()
        return batch

    def _ended(self, span: ReadableSpan, causes: tuple[Cause, ...], origin: _Origin, batch: Batch) -> None:
        resource, scope = origin
        if isinstance(span, Trusted) and span.changes is not None:
            self._beside_guarded(Changes(span.context[:2], *span.changes, 0), batch)
        changed = self._changed.pop(span.context[:2], None) if self._changed else None
        try:
            settle(span, names.MAS_COST_MISSING)
            if changed is not None:
                add(span, {names.MAS_STATE_DIGESTS: changed})
            row = self._encoder.row(span, causes, resource=resource, scope=scope)
            if self._others is not None:
                self._complete(row, self._others.columns(span))
        except Exception as error:
            self._losses.span(span.context[:2], DropReason.NOT_ENCODABLE)
            caught("writer: span", error)
            return
        batch.spans.append(row)
        if isinstance(span, Trusted):
            _refer(row, span.said, batch)

    @staticmethod
    def _complete(row: SpanRow, said: Mapping[str, Any]) -> None:
        """What a span says in other words than ours."""
        if said:
            row.columns = {**row.columns, **column_values(said)}

    def _started(self, span: ReadableSpan, origin: _Origin, batch: Batch) -> None:
        resource, scope = origin
        try:
            row = self._encoder.open_row(span, resource=resource, scope=scope)
            batch.opened.append(row)
            if isinstance(span, Trusted):
                _refer(row, span.said, batch)
        except Exception as error:
            caught("writer: open span", error)

    def _beside_guarded(self, item: Beside, batch: Batch) -> None:
        try:
            if isinstance(item, MessageRefs):
                batch.message_refs.append(MessageRefRow(*_ids(item.key), item.direction, 0, _packed(item.digests)))
            else:
                self._changes(item, batch)
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

    def _origin_keys(self, span: ReadableSpan, keys: Keys) -> _Origin:
        resource, scope = span.origin if isinstance(span, Trusted) else (span._resource, span._instrumentation_scope)
        known = self._origins.get((id(resource), id(scope)))
        if known is None:
            known = self._origins[id(resource), id(scope)] = self._new_origin(resource, scope, keys)
        return known

    def _new_origin(self, resource: Resource, scope: InstrumentationScope | None, keys: Keys) -> _Origin:
        if max(len(self._resources), len(self._scopes), len(self._origins)) >= _MAX_ORIGINS:
            for known in (self._resources, self._scopes, self._origins):
                known.clear()
        if id(resource) not in self._resources:
            attributes, body = self._encoder.resource({**resource.attributes, **self._origin})
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


def _refer(row: SpanRow | OpenRow, said: Mapping[str, Any], batch: Batch) -> None:
    """The messages of a span of ours, which its attributes name: nothing lies beside it for them."""
    for direction, attribute in MESSAGE_ATTRIBUTES:
        digests = said.get(attribute)
        if digests:
            batch.message_refs.append(MessageRefRow(row.trace_id, row.span_id, direction, 0, _packed(digests)))


def _packed(digests: Sequence[str]) -> bytes:
    return bytes.fromhex("".join(digests))


def _ids(key: Key) -> tuple[bytes, bytes]:
    return key[0].to_bytes(16, "big"), key[1].to_bytes(8, "big")


__all__ = ["BatchBuilder", "Keys"]
