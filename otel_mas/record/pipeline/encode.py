"""Encode spans as rows: the OTLP Span message written by hand, with its columns and links."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanKind

from otel_mas.otlp.encode import key_value
from otel_mas.otlp.wire import delimited, number, text, utf8
from otel_mas.privacy.stored import STRIPPED, Privacy
from otel_mas.record.cause import cause_attributes
from otel_mas.record.pipeline.pairs import AttributePairs
from otel_mas.record.pipeline.span_data import SpanData
from otel_mas.semconv import attributes as names
from otel_mas.store.columns import COLUMNS, column_values
from otel_mas.store.rows import OpenRow, SpanRow

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Event
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext

    from otel_mas.record.cause import Cause

# Tags of the messages in opentelemetry/proto/trace/v1/trace.proto: field number << 3 | wire type.
_TRACE_ID, _SPAN_ID, _TRACE_STATE, _PARENT = b"\x0a\x10", b"\x12\x08", b"\x1a", b"\x22\x08"
_NAME, _KIND, _START, _END = b"\x2a", b"\x30", b"\x39", b"\x41"
_ATTRIBUTE, _DROPPED_ATTRIBUTES = b"\x4a", b"\x50"
_EVENT, _EVENT_TIME, _EVENT_NAME, _EVENT_ATTRIBUTE, _EVENT_DROPPED = b"\x5a", b"\x09", b"\x12", b"\x1a", b"\x20"
_DROPPED_EVENTS = b"\x60"
_LINK, _LINK_ATTRIBUTE, _LINK_DROPPED = b"\x6a", b"\x22", b"\x28"
_DROPPED_LINKS = b"\x70"
_STATUS, _STATUS_MESSAGE, _STATUS_CODE = b"\x7a", b"\x12", b"\x18"
_RESOURCE_ATTRIBUTE = b"\x0a"

_UNSET = _STATUS + b"\x00"

_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200
# The flags field by W3C's flags, and whether the context (a span's parent, a link's span) is of another process.
_SPAN_FLAGS = [struct.pack("<2sI", b"\x85\x01", _HAS_IS_REMOTE | flags) for flags in range(_IS_REMOTE + 0x100)]
_LINK_FLAGS = [struct.pack("<cI", b"\x35", _HAS_IS_REMOTE | flags) for flags in range(_IS_REMOTE + 0x100)]
_LOW = 2**64 - 1
_CAUSES = frozenset({names.MAS_CAUSE_SPANS, names.MAS_CAUSE_KINDS})
_MAX_NAMES = 4096
_NO_COLUMNS: list[object] = [None] * len(COLUMNS)
_NO_STATE = INVALID_SPAN_CONTEXT.trace_state  # of every context without one
_KINDS = [number(_KIND, kind) for kind in range(len(SpanKind) + 1)]

_ids = struct.Struct(">2sQQ2sQ").pack  # a trace id and a span id with their tags: the same in Span and Link
_IDS_BYTES = 28
_times = struct.Struct("<cQcQ").pack
_event_time = struct.Struct("<cQ").pack

_LinkRow = tuple[bytes, bytes, str | None]


class SpanEncoder:
    """Makes rows of spans, for one thread: it remembers what repeats.

    The message is the one that the SDK's OTLP exporters send, and has what they leave out: links' trace state, and the
    W3C flags of the span and of its links.

    Args:
        privacy: decides what is stored; what it fails on is withheld, and the span says so.
        withheld: how many values were withheld before.
    """

    def __init__(self, privacy: Privacy, withheld: int = 0) -> None:
        self._privacy = privacy
        self._attributes = AttributePairs(_ATTRIBUTE, privacy, COLUMNS)
        self._event_attributes = AttributePairs(_EVENT_ATTRIBUTE, privacy)
        self._link_attributes = AttributePairs(_LINK_ATTRIBUTE, privacy)
        self._resource_attributes = AttributePairs(_RESOURCE_ATTRIBUTE, privacy)
        self._link_kinds: dict[str, tuple[bytes, bytes]] = {}
        self._names: dict[str, tuple[str, bytes]] = {}
        self.withheld = withheld

    def row(self, span: SpanData, resource: int = 0, scope: int = 0) -> SpanRow:
        """The row of an ended span; `resource` and `scope` are the store's keys of these."""
        context = span.context
        trace_id, span_id, _, flags, state, _ = context
        parent = span.parent
        parent_id = parent[1].to_bytes(8, "big") if parent else None
        failed: list[str] = []
        columns: dict[int, object] = {}
        known = self._names.get(span.name) or self._name(span.name)
        ids = _ids(_TRACE_ID, trace_id >> 64, trace_id & _LOW, _SPAN_ID, span_id)
        kind = span.kind._value_ + 1
        start, end = span.start_time, span.end_time
        body = [
            ids,
            b"" if state is _NO_STATE else self._trace_state(context, failed),
            b"" if parent_id is None else _PARENT + parent_id,
            known[1],
            _KINDS[kind],
            _times(_START, start, _END, end),
        ]
        self._add_attributes(span, columns, body, failed)
        events = span.events
        dropped: int = getattr(events, "dropped", 0)
        if events or dropped:
            body += self._event_fields(events, dropped, failed)
        links = self._link_fields(span.links, span.causes, body, failed)
        status = span.status.status_code._value_
        body.append(self._status(status, span.status.description, failed))
        body.append(_SPAN_FLAGS[(_IS_REMOTE if parent is not None and parent[2] else 0) | flags & 0xFF])
        if failed:
            self.withheld += len(failed)
            body.append(delimited(_ATTRIBUTE, key_value(names.MAS_CONTENT_WITHHELD, sorted(set(failed)))))
        sampled = bool(flags & 1)
        return SpanRow(
            ids[2:18],
            ids[20:],
            parent_id,
            known[0],
            kind,
            start,
            end,
            status,
            columns,
            links,
            b"".join(body),
            resource,
            scope,
            sampled,
            sampled,
        )

    def open_row(self, span: SpanData, resource: int = 0, scope: int = 0) -> OpenRow:
        """The row of a span that is still open."""
        context, parent = span.context, span.parent
        columns: dict[int, object] = {}
        self._attributes.encode(span.attributes, [], columns)
        if span.causes:
            columns |= column_values({names.MAS_CAUSE_REFS: _references(span)})
        return OpenRow(
            context[0].to_bytes(16, "big"),
            context[1].to_bytes(8, "big"),
            parent[1].to_bytes(8, "big") if parent else None,
            self._name(span.name)[0],
            span.kind.value + 1,
            span.start_time,
            columns,
            resource,
            scope,
        )

    def resource(self, attributes: Any) -> tuple[dict[str, Any], bytes]:
        """A resource's attributes as they may be stored, and its OTLP Resource message."""
        stored = self.stored(attributes)
        return stored, b"".join(self._resource_attributes.encode(stored, [], {}))

    def scope_attributes(self, scope: InstrumentationScope | None) -> dict[str, Any]:
        """An instrumentation scope's attributes as they may be stored."""
        return self.stored(scope.attributes) if scope is not None else {}

    def text(self, text: str) -> str:
        """A text of a resource or scope, such as its schema URL, as it may be stored."""
        return self._name(text)[0] if text else ""

    def stored(self, attributes: Any) -> dict[str, Any]:
        """Attributes as they may be stored."""
        stored = {}
        for name, value in dict(attributes or {}).items():
            try:
                shown, kept = self._privacy.name(name), self._privacy.attribute(name, value)
            except Exception:
                self.withheld += 1
                continue
            if kept is not STRIPPED:
                stored[shown] = kept
        return stored

    def _name(self, name: str) -> tuple[str, bytes]:
        known = self._names.get(name)
        if known is None:
            try:
                stored = utf8(self._privacy.text(name)).decode()
            except Exception:
                self.withheld += 1
                stored = "(withheld)"
            known = stored, text(_NAME, stored) if stored else b""
            if len(self._names) >= _MAX_NAMES:
                self._names.clear()
            self._names[name] = known
        return known

    def _add_attributes(self, span: SpanData, columns: dict[int, object], body: list[bytes], failed: list[str]) -> None:
        attributes, causes, dropped = span.attributes, span.causes, span.dropped_attributes
        if causes:
            if dropped:  # those that the SDK dropped are back
                dropped = max(0, dropped - sum(name not in attributes for name in _CAUSES))
            for name in _CAUSES:
                attributes.pop(name, None)
        body += self._attributes.encode(attributes, failed, columns)
        if causes:
            body += self._attributes.encode(cause_attributes(causes), failed, columns)
        if dropped:
            body.append(number(_DROPPED_ATTRIBUTES, dropped))

    def _event_fields(self, events: Sequence[Event], dropped: int, failed: list[str]) -> list[bytes]:
        fields = [delimited(_EVENT, self._event(event, failed)) for event in events]
        fields.append(number(_DROPPED_EVENTS, dropped))
        return fields

    def _event(self, event: Event, failed: list[str]) -> bytes:
        name = self._redacted(event.name, "event name", failed)
        return b"".join(
            (
                _event_time(_EVENT_TIME, event.timestamp or 0),
                text(_EVENT_NAME, name) if name else b"",
                *self._event_attributes.encode(event.attributes, failed, {}),
                number(_EVENT_DROPPED, event.dropped_attributes),
            )
        )

    def _link_fields(
        self, links: Sequence[Link], causes: Sequence[Cause], body: list[bytes], failed: list[str]
    ) -> tuple[_LinkRow, ...]:
        """Add the links to `body`: all causes first, then what the app linked to."""
        dropped: int = getattr(links, "dropped", 0)
        rows = [self._cause_link(cause, body, failed) for cause in causes]
        if not (links or dropped):
            return tuple(rows)
        if links:
            # The causes were the first links, and the SDK drops the first ones.
            for link in list(links)[max(0, len(causes) - dropped) :]:
                attributes = link.attributes
                found = attributes.get(names.MAS_LINK_KIND) if attributes else None
                link_kind = found if isinstance(found, str) else None
                rows.append(self._link(link.context, attributes, link_kind, link.dropped_attributes, body, failed))
        body.append(number(_DROPPED_LINKS, dropped - min(dropped, len(causes))))
        return tuple(rows)

    def _cause_link(self, cause: Cause, body: list[bytes], failed: list[str]) -> _LinkRow:
        context, kind = cause
        value = kind._value_
        if context[4] is not _NO_STATE:
            return self._link(context, {names.MAS_LINK_KIND: value}, value, 0, body, failed)
        ids = _ids(_TRACE_ID, context[0] >> 64, context[0] & _LOW, _SPAN_ID, context[1])
        before, attribute = self._link_kinds.get(value) or self._link_kind(value)
        body += (before, ids, attribute, _LINK_FLAGS[(_IS_REMOTE if context[2] else 0) | context[3] & 0xFF])
        return ids[2:18], ids[20:], value

    def _link_kind(self, kind: str) -> tuple[bytes, bytes]:
        """The bytes before and after the ids in links of a kind, which otherwise differ only in their flags."""
        attribute = b"".join(self._link_attributes.encode({names.MAS_LINK_KIND: kind}, [], {}))
        size = _IDS_BYTES + len(attribute) + len(_LINK_FLAGS[0])
        known = self._link_kinds[kind] = delimited(_LINK, bytes(size))[:-size], attribute
        return known

    def _link(
        self,
        context: SpanContext,
        attributes: Any,
        kind: str | None,
        dropped: int,
        body: list[bytes],
        failed: list[str],
    ) -> _LinkRow:
        ids = _ids(_TRACE_ID, context[0] >> 64, context[0] & _LOW, _SPAN_ID, context[1])
        message = b"".join(
            (
                ids,
                b"" if context[4] is _NO_STATE else self._trace_state(context, failed),
                *self._link_attributes.encode(attributes, failed, {}),
                number(_LINK_DROPPED, dropped),
                _LINK_FLAGS[(_IS_REMOTE if context[2] else 0) | context[3] & 0xFF],
            )
        )
        body.append(delimited(_LINK, message))
        return ids[2:18], ids[20:], None if kind is None else self._redacted(str(kind), "link kind", failed)

    def _status(self, code: int, description: str | None, failed: list[str]) -> bytes:
        if not code and not description:
            return _UNSET
        message = b""
        if description:
            try:
                description = self._privacy.description(description)
            except Exception:
                failed.append("status description")
                description = ""
            message = text(_STATUS_MESSAGE, description) if description else b""
        return delimited(_STATUS, message + number(_STATUS_CODE, code))

    def _trace_state(self, context: SpanContext, failed: list[str]) -> bytes:
        state = context[4]
        if not state:
            return b""
        shown = self._redacted(",".join(f"{key}={value}" for key, value in state.items()), "trace state", failed)
        return text(_TRACE_STATE, shown) if shown else b""

    def _redacted(self, text: str, what: str, failed: list[str]) -> str:
        try:
            return self._privacy.text(text)
        except Exception:
            failed.append(what)
            return ""


def _references(span: SpanData) -> list[str]:
    """The causes of an open span, whose links are not stored, in the form of those that only a key is known of."""
    known = span.attributes.get(names.MAS_CAUSE_REFS) or ()
    links = [f"{kind._value_}|{context[0]:032x}-{context[1]:016x}" for context, kind in span.causes]
    return [*(known if isinstance(known, list | tuple) else ()), *links]


__all__ = ["SpanEncoder"]
