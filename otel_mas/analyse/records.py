"""Trace records of a run: its spans, with their causes, errors, changes of state and content, for other programs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from orjson import dumps

from otel_mas.analyse.content import NO_CONTENT, RunContent
from otel_mas.analyse.failures import failures
from otel_mas.analyse.places import places
from otel_mas.analyse.state.values import StateValues
from otel_mas.causal import CausalGraph, Edge
from otel_mas.causal.references import texts
from otel_mas.model import EXCEPTION_EVENT, STATE_EVENT, Event, Message, Resource, Span
from otel_mas.privacy.policy import Rule, holds_text, rule
from otel_mas.semconv import LinkKind, record_kind
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.payload import CONTENT, cut_to, payload_of, plain_payload
from otel_mas.trace_records.record import (
    MAX_PAYLOAD_BYTES,
    EventType,
    Modality,
    Parent,
    RecordEvent,
    TokenCost,
    TraceRecord,
    parent_of,
    record_of,
)
from otel_mas.trace_records.values import SCALARS, plain

_CHILD: Final = "child"
_NO_COST: Final = TokenCost()
_RECORDED: Final = "recorded"
_TYPES: Final = frozenset(EventType)
_MODALITIES: Final = frozenset(Modality)
_OURS: Final = CONTENT | {
    names.MAS_RECORD_TRACE_ID,
    names.MAS_RECORD_SPAN_ID,
    names.MAS_STATE_VALUES,
}
_EXCEPTION: Final = (
    ("type", names.EXCEPTION_TYPE),
    ("message", names.EXCEPTION_MESSAGE),
    ("stacktrace", names.EXCEPTION_STACKTRACE),
)
_SIDES: Final = (("input", names.GEN_AI_INPUT_MESSAGES), ("output", names.GEN_AI_OUTPUT_MESSAGES))


def records(
    causal: CausalGraph,
    content: RunContent = NO_CONTENT,
    *,
    payload: bool = True,
    max_payload_bytes: int = MAX_PAYLOAD_BYTES,
) -> list[TraceRecord]:
    """A record for each span, for each error that happened, and for each change of state, in the order of time.

    Errors and changes of state have the ids of the spans in which they happened.

    Args:
        causal: of one trace, or of a conversation.
        content: beside the spans.
        payload: whether content is in them. Without, only structure: no messages, arguments, results, reasons.
        max_payload_bytes: size of the JSON of one payload; what is longer is shortened, and marked.
    """
    found = list(_Records(causal, content, payload, max_payload_bytes).all())
    found.sort(key=lambda record: record.timestamp)
    return found


class _Records:
    def __init__(self, causal: CausalGraph, content: RunContent, payload: bool, max_payload_bytes: int) -> None:
        self._causal = causal
        self._content = content
        self._payload = payload
        self._max = max_payload_bytes
        self._values = StateValues(content)
        self._spans = {span.span_id: span for span in causal.spans}
        self._places = places(causal)
        self._resources: dict[int, dict[str, Any]] = {}
        self._failed = {id(span) for span in failures(causal.spans)}
        self._given = {span.span_id: given for span in causal.spans if (given := span.get(names.MAS_RECORD_SPAN_ID))}
        self._messages: dict[tuple[str, str], dict[str, list[Message | None]]] = defaultdict(lambda: defaultdict(list))
        if content.kept and payload:
            for ref in sorted(content.refs, key=lambda ref: ref.position):
                message = content.messages.get(ref.digest)
                self._messages[ref.trace_id, ref.span_id][ref.direction].append(message)

    def all(self) -> Iterator[TraceRecord]:
        for span in self._causal.spans:
            record = self._span(span)
            yield record
            if id(span) in self._failed and record.event_type is not EventType.ERROR:
                yield self._error(span, record)
            if span.get(names.MAS_STATE_CHANGED):
                yield self._state(span, record)

    def _span(self, span: Span) -> TraceRecord:
        place, attributes = self._places[span.span_id], span.attributes
        event_type = _event_type(span)
        causes = [edge for edge in self._causal.causes_of(span.span_id) if edge.kind != _CHILD]
        parents = tuple(self._parents(span, causes))
        kept = self._kept(attributes)
        payload, truncated = self._payload_of(span, event_type, kept)
        return record_of(
            trace_id=self._trace_id(span),
            span_id=self._id(span.span_id),
            event_type=event_type,
            timestamp=span.start_ns,
            duration_ns=0 if span.end_ns is None else span.end_ns - span.start_ns,
            agent_name=place.agent or _name(place.task),
            parent_id=self._causal_parent(span, event_type, causes),
            parents=parents,
            parent_span_id=None if span.parent_span_id is None else self._id(span.parent_span_id),
            name=span.name,
            task=place.label,
            status=span.status.name,
            status_message=span.status_message if self._payload else "",
            payload=payload,
            payload_truncated=truncated,
            token_cost=_token_cost(span.columns) if event_type is EventType.LLM_CALL else None,
            modality=_modality(attributes),
            conversation_id=place.conversation,
            service=span.service,
            kind=span.kind.name,
            is_open=span.end_ns is None,
            events=tuple(self._events(span)),
            attributes=kept,
            resource=self._resource(span.resource),
            scope=span.scope.name,
            scope_version=span.scope.version,
            complete=True,
        )

    def _error(self, span: Span, record: TraceRecord) -> TraceRecord:
        """The error that happened in a span."""
        event = next((event for event in reversed(record.events) if event.name == EXCEPTION_EVENT), None)
        known = {names.EXCEPTION_TYPE: span.get(names.ERROR_TYPE), names.EXCEPTION_MESSAGE: record.status_message}
        known.update({} if event is None else event.attributes)
        payload = {key: known[name] for key, name in _EXCEPTION if known.get(name)}
        at = event.timestamp if event is not None else span.last_ns
        return self._occurrence(EventType.ERROR, record, at, payload, {}, "ERROR")

    def _state(self, span: Span, record: TraceRecord) -> TraceRecord:
        """The changes of state that a span made: by channel the value, where it was kept."""
        changed, digests = span.get(names.MAS_STATE_CHANGED), texts(span.get(names.MAS_STATE_DIGESTS))
        attributes = {names.MAS_STATE_CHANGED: changed, names.MAS_STATE_DIGESTS: digests}
        values = list(self._values.kept(span)) if self._payload else []
        payload = {one.channel: one.value for one in values if one.missing is None}
        cut = any(one.is_too_large for one in values)
        return self._occurrence(EventType.STATE, record, span.last_ns, payload, attributes, "UNSET", cut=cut)

    def _occurrence(
        self,
        event_type: EventType,
        record: TraceRecord,
        at: int,
        payload: Mapping[str, Any],
        attributes: Mapping[str, Any],
        status: str,
        *,
        cut: bool = False,
    ) -> TraceRecord:
        found, truncated = cut_to(dict(payload), self._max)
        return record_of(
            trace_id=record.trace_id,
            span_id=record.span_id,
            event_type=event_type,
            timestamp=at,
            agent_name=record.agent_name,
            parent_id=record.parent_id,
            parent_span_id=record.parent_span_id,
            name=record.name,
            task=record.task,
            status=status,
            payload=plain(found) if found else None,
            payload_truncated=truncated or cut,
            conversation_id=record.conversation_id,
            service=record.service,
            attributes=plain(attributes),
            scope=record.scope,
            scope_version=record.scope_version,
            complete=True,
        )

    def _payload_of(self, span: Span, event_type: EventType, kept: Mapping[str, Any]) -> tuple[Any, bool]:
        if not self._payload:
            return plain(payload_of(event_type, {}, kept)), False
        content = dict(self._content.of(span))
        sides = self._messages.get((span.trace_id, span.span_id), {})
        for side, name in _SIDES:
            if any(message is not None and message.body is not None for message in sides.get(side, ())):
                content[name] = [_body(message) for message in sides[side]]
        found, truncated = plain_payload(event_type, content, span.attributes, self._max)
        return found, truncated or not CONTENT.isdisjoint(texts(span.get(names.MAS_CONTENT_CUT)))

    def _parents(self, span: Span, causes: Sequence[Edge]) -> Iterator[Parent]:
        """Links as they are on the span, then the causes that were worked out."""
        known = set()
        for link in span.links:
            known.add((link.span_id, link.kind))
            own = dict(link.attributes)
            own.pop(names.MAS_LINK_KIND, None)
            given = own.pop(names.MAS_RECORD_SPAN_ID, None)
            other = link.trace_id != span.trace_id
            yield parent_of(
                span_id=given or self._id(link.span_id),
                kind=link.kind,
                trace_id=self._other_trace(link.span_id, link.trace_id) if other else None,
                attributes=self._kept(own),
            )
        for edge in causes:
            if (edge.cause, edge.kind) not in known:
                cause = self._spans.get(edge.cause)
                apart = cause is not None and cause.trace_id != span.trace_id
                yield parent_of(
                    span_id=self._id(edge.cause),
                    kind=edge.kind,
                    trace_id=self._trace_id(cause) if cause is not None and apart else None,
                    provenance=edge.provenance,
                    probability=edge.probability,
                )

    def _causal_parent(self, span: Span, event_type: EventType, causes: list[Edge]) -> str | None:
        """The cause that this one waited for: the last to end; what encloses it, where it has no other."""
        control = [edge for edge in causes if edge.kind != LinkKind.MESSAGE]
        if not control and event_type is EventType.RECEIVE:
            control = causes
        if not control:
            return None if span.parent_span_id is None else self._id(span.parent_span_id)
        return self._id(max(control, key=self._end).cause)

    def _end(self, edge: Edge) -> int:
        cause = self._spans.get(edge.cause)
        return -1 if cause is None else cause.last_ns

    def _events(self, span: Span) -> Iterator[RecordEvent]:
        """The events of a span; what is kept of its exception beside it is on the last one of that name."""
        kept = self._content.of(span) if id(span) in self._failed else {}
        more = {name: kept[name] for _, name in _EXCEPTION if kept.get(name)}
        if kept.get(names.MAS_ERROR_SOURCE):
            more[names.MAS_ERROR_SOURCE] = dumps(kept[names.MAS_ERROR_SOURCE]).decode()
        events = [event for event in span.events if event.name != STATE_EVENT]  # of a record, which tells it
        if more:
            last = max((at for at, event in enumerate(events) if event.name == EXCEPTION_EVENT), default=None)
            if last is None:
                events.append(Event(EXCEPTION_EVENT, span.last_ns, more))
            else:
                events[last] = replace(events[last], attributes={**events[last].attributes, **more})
        for event in events:
            yield RecordEvent(name=event.name, timestamp=event.time_ns, attributes=self._kept(event.attributes))

    def _kept(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Attributes without those that the payload holds, and without any content where that is not asked for."""
        return {
            name: value if type(value) in SCALARS else plain(value, 1)
            for name, value in attributes.items()
            if name not in _OURS and (self._payload or _may_leave(name, value))
        }

    def _resource(self, resource: Resource) -> dict[str, Any]:
        found = self._resources.get(id(resource))
        if found is None:
            found = self._resources[id(resource)] = self._kept(resource.attributes)
        return found

    def _id(self, span_id: str) -> str:
        """The id as another program gave it, or OpenTelemetry's."""
        return str(self._given.get(span_id, span_id))

    def _trace_id(self, span: Span) -> str:
        return str(span.get(names.MAS_RECORD_TRACE_ID) or span.trace_id)

    def _other_trace(self, span_id: str, trace_id: str) -> str:
        cause = self._spans.get(span_id)
        return trace_id if cause is None else self._trace_id(cause)


def _name(task: Span | None) -> str | None:
    return None if task is None else task.task_name or task.name


_rule: Final = lru_cache(4096)(rule)


def _may_leave(name: str, value: Any) -> bool:
    """Whether an attribute is no content, by the policy for what leaves the machine."""
    known = _rule(name)
    return known is Rule.KEEP or (known is Rule.WITHHOLD_TEXT and not holds_text(value))


def _event_type(span: Span) -> EventType:
    kind = span.record_kind
    if kind is None:
        operation = span.columns.get(names.GEN_AI_OPERATION_NAME)
        kind = record_kind(operation) if isinstance(operation, str) else None
    return EventType(kind) if kind in _TYPES else EventType.SPAN


def _body(message: Message | None) -> dict[str, Any]:
    if message is None or message.body is None:
        return {"role": "" if message is None else message.role, "parts": [{"type": "missing"}]}
    return {"role": message.role, **message.body}


def _token_cost(attributes: Mapping[str, Any]) -> TokenCost | None:
    usd = attributes.get(names.MAS_COST_USD)
    priced = isinstance(usd, int | float) and not isinstance(usd, bool) and math.isfinite(usd) and usd >= 0
    found = TokenCost(
        prompt=_count(attributes.get(names.GEN_AI_USAGE_INPUT_TOKENS)),
        completion=_count(attributes.get(names.GEN_AI_USAGE_OUTPUT_TOKENS)),
        cached=_count(attributes.get(names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS)),
        reasoning=_count(attributes.get(names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS)),
        usd=usd if priced else None,
    )
    return None if found == _NO_COST else found


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _modality(attributes: Mapping[str, Any]) -> Modality:
    sides = (names.MAS_INPUT_MODALITIES, names.MAS_OUTPUT_MODALITIES)
    found = {kind for name in sides for kind in attributes.get(name) or () if isinstance(kind, str)}
    if len(found) > 1:
        return Modality.MULTIMODAL
    kind = next(iter(found), Modality.TEXT)
    return Modality(kind) if kind in _MODALITIES else Modality.MULTIMODAL


__all__ = ["records"]
