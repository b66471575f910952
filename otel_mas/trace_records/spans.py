"""Records → spans, so that all that is worked out from spans is worked out from records."""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, cast

from otel_mas.model import (
    EXCEPTION_EVENT,
    STATE_EVENT,
    Event,
    Link,
    Resource,
    Scope,
    Span,
    SpanBody,
    SpanKind,
    StatusCode,
    Trace,
)
from otel_mas.model.incomplete import missing_parents
from otel_mas.model.start_order import in_start_order
from otel_mas.semconv import LinkKind, Operation, RecordKind, RunOutcome, TaskOutcome
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.ids import otel_span_id, otel_trace_id
from otel_mas.trace_records.payload import attributes_of, json_text
from otel_mas.trace_records.record import OCCURRENCES, EventType, Modality, TraceRecord

_OPERATIONS: Final[Mapping[EventType, Operation]] = {
    EventType.LLM_CALL: Operation.CHAT,
    EventType.TOOL_CALL: Operation.EXECUTE_TOOL,
    EventType.RETRIEVAL: Operation.RETRIEVAL,
    EventType.WORKFLOW: Operation.INVOKE_WORKFLOW,
}
_KINDS: Final = frozenset(map(str, RecordKind))
_SPAN_KINDS: Final = {kind.name: kind for kind in SpanKind}
_STATUSES: Final = {status.name: status for status in StatusCode}
_TOKENS: Final = (
    ("prompt", names.GEN_AI_USAGE_INPUT_TOKENS),
    ("completion", names.GEN_AI_USAGE_OUTPUT_TOKENS),
    ("cached", names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("reasoning", names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("usd", names.MAS_COST_USD),
)
_MOST_ABOVE: Final = 1_000
"""Parents that are looked at, at most, to find the span around a record."""


def traces_of(records: Iterable[TraceRecord]) -> list[Trace]:
    """The traces that records tell of, in the order in which they first appear."""
    by_trace: dict[str, list[TraceRecord]] = defaultdict(list)
    for record in records:
        by_trace[otel_trace_id(record.trace_id)].append(record)
    return [_trace(trace_id, found) for trace_id, found in by_trace.items()]


def spans_of(
    trace_id: str, records: Iterable[TraceRecord], around: Mapping[str, TraceRecord] = MappingProxyType({})
) -> list[Span]:
    """The spans that the records of one trace tell of.

    A record of an ERROR or a STATE belongs to the span of its id that another record tells of; else it is a span. A
    record that comes twice counts once.

    Args:
        trace_id: of OpenTelemetry's form.
        records: of this trace.
        around: others of it by their span ids, in OpenTelemetry's form, which tell where these lie.
    """
    spans: dict[str, list[TraceRecord]] = {}
    occurrences: list[tuple[str, TraceRecord]] = []
    for record in records:
        span_id = otel_span_id(trace_id, record.span_id)
        if record.event_type in OCCURRENCES:
            occurrences.append((span_id, record))
        elif record not in spans.setdefault(span_id, []):
            spans[span_id].append(record)
    inside: dict[str, list[TraceRecord]] = defaultdict(list)
    for span_id, record in occurrences:
        if span_id in spans:
            inside[span_id].append(record)
        else:
            spans[span_id] = [record]
    own = {span_id: found[0] for span_id, found in spans.items()}
    nesting = _Nesting(trace_id, ChainMap(own, cast("dict[str, TraceRecord]", around)))
    return [
        _with_occurrences(_span(trace_id, span_id, record, nesting), inside.get(span_id, ()))
        for span_id, found in spans.items()
        for record in found
    ]


def _trace(trace_id: str, records: Iterable[TraceRecord]) -> Trace:
    spans = in_start_order(spans_of(trace_id, records))
    parents = {span.parent_span_id for span in spans}
    named = {parent for parent in parents if parent is not None}
    return Trace(trace_id, spans, missing_parents({span.span_id for span in spans}, named, None in parents))


class _Nesting:
    """Places of records: the span around one that names a causal parent only, the kind of that cause, its process."""

    def __init__(self, trace_id: str, records: Mapping[str, TraceRecord]) -> None:
        self.trace_id = trace_id
        self.records = records
        self._resources: dict[tuple[str, str], Resource] = {}

    def resource(self, record: TraceRecord) -> Resource:
        """The process that recorded it; one object for all records of it."""
        service = "" if record.complete else record.service
        key = repr(record.resource), service  # which tells 1 from True, and -0.0 from 0.0
        found = self._resources.get(key)
        if found is None:
            attributes = _tuples(record.resource)
            if service and names.SERVICE_NAME not in attributes:
                attributes[names.SERVICE_NAME] = service
            found = self._resources[key] = Resource(attributes)
        return found

    def enclosing(self, record: TraceRecord) -> str | None:
        """The nearest of its causal parent and that one's parents during which it began and ended."""
        if record.complete or record.parent_span_id is not None:
            return None if record.parent_span_id is None else otel_span_id(self.trace_id, record.parent_span_id)
        above, seen = record, 0
        while (named := parent_in_trace(above)) is not None and seen < _MOST_ABOVE:
            seen += 1
            span_id = otel_span_id(self.trace_id, named)
            parent = self.records.get(span_id)
            if parent is None or parent is record:
                return None
            if _holds(parent, record):
                return span_id
            if parent.parent_span_id is not None:
                return otel_span_id(self.trace_id, parent.parent_span_id)
            above = parent
        return None

    def links(self, record: TraceRecord, enclosing: str | None) -> tuple[Link, ...]:
        """The links to its causes. A causal parent that encloses it is none."""
        found = [
            self._link(record, parent.trace_id, parent.span_id, parent.kind, parent.attributes)
            for parent in record.parents
            if parent.provenance == "recorded" or not record.complete
        ]
        if record.parent_id is not None and not record.complete:
            cause = otel_span_id(self.trace_id, record.parent_id)
            if cause != enclosing and all(cause != link.span_id for link in found):
                parent = self.records.get(cause)
                sent = parent is not None and parent.event_type is EventType.SEND
                kind = LinkKind.SEND if sent else LinkKind.TRIGGER
                found.append(self._link(record, None, record.parent_id, kind.value, {}))
        return tuple(found)

    def _link(
        self, record: TraceRecord, trace: str | None, span: str, kind: str | None, attributes: Mapping[str, Any]
    ) -> Link:
        trace_id = self.trace_id if trace is None else otel_trace_id(trace)
        span_id = otel_span_id(trace_id, span)
        own: dict[str, Any] = {} if kind is None else {names.MAS_LINK_KIND: kind}
        if span_id != span and span_id not in self.records:
            own[names.MAS_RECORD_SPAN_ID] = span
        return Link(trace_id, span_id, kind, {**own, **_tuples(attributes)})


def parent_in_trace(record: TraceRecord) -> str | None:
    """The causal parent of another program's record, in the same trace: the one that it names, or the first of all."""
    if record.parent_id is not None:
        return record.parent_id
    return next((parent.span_id for parent in record.parents if parent.trace_id is None), None)


def _holds(outer: TraceRecord, inner: TraceRecord) -> bool:
    end = outer.timestamp + outer.duration_ns
    return outer.duration_ns > 0 and outer.timestamp <= inner.timestamp and inner.timestamp + inner.duration_ns <= end


def _span(trace_id: str, span_id: str, record: TraceRecord, nesting: _Nesting) -> Span:
    columns = _tuples(record.attributes)
    if not record.complete:
        columns = {**_from_fields(record, span_id), **columns}
    if record.trace_id != trace_id:
        columns[names.MAS_RECORD_TRACE_ID] = record.trace_id
    if record.span_id != span_id:
        columns[names.MAS_RECORD_SPAN_ID] = record.span_id
    enclosing = nesting.enclosing(record)
    links = nesting.links(record, enclosing)
    span = Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=enclosing,
        name=record.name if record.name or record.complete else _name(record),
        start_ns=record.timestamp,
        end_ns=None if record.is_open else record.timestamp + record.duration_ns,
        kind=_SPAN_KINDS[record.kind],
        status=StatusCode.ERROR if _stands_alone(record) else _STATUSES[record.status],
        service=record.service,
        links=links,
        columns=columns,
        resource=nesting.resource(record),
        scope=Scope(record.scope, record.scope_version),
        load=partial(_body, record, columns, links),
    ).in_our_names()
    _price(span, record)
    return _with_exception(span, record) if _stands_alone(record) else span


def _price(span: Span, record: TraceRecord) -> None:
    """Keep the cost that the record states of a call whose attributes, those of another program, do not."""
    usd = None if record.token_cost is None else record.token_cost.usd
    stated = names.MAS_COST_USD in span.columns
    if usd is not None and not stated and span.columns.get(names.MAS_RECORD_KIND) == RecordKind.LLM_CALL:
        span.columns = {**span.columns, names.MAS_COST_USD: usd}


def _body(record: TraceRecord, columns: Mapping[str, Any], links: tuple[Link, ...]) -> SpanBody:
    """The rest of a span: content as attributes, made when it is asked for."""
    content = attributes_of(record.event_type, record.payload)
    attributes = {**content, **columns}
    if record.payload_truncated and names.MAS_CONTENT_CUT not in attributes:
        attributes[names.MAS_CONTENT_CUT] = tuple(content)
    return SpanBody(
        attributes=attributes,
        events=tuple(Event(event.name, event.timestamp, _tuples(event.attributes)) for event in record.events),
        links=links,
        status_message=record.status_message,
    )


def _stands_alone(record: TraceRecord) -> bool:
    """An ERROR that is a span; those within a span of another record are added to it."""
    return record.event_type is EventType.ERROR and not record.complete


def _from_fields(record: TraceRecord, span_id: str) -> dict[str, Any]:
    """The attributes that the fields of another program's record stand for."""
    kind, agent = record.event_type, record.agent_name
    found: dict[str, Any] = {}
    if kind in _KINDS:
        found[names.MAS_RECORD_KIND] = kind.value
    operation = _OPERATIONS.get(kind)
    if kind is EventType.AGENT_TASK and agent:
        operation = Operation.INVOKE_AGENT
    if operation is not None:
        found[names.GEN_AI_OPERATION_NAME] = operation.value
    if agent:
        found[names.GEN_AI_AGENT_NAME] = agent
    if record.conversation_id is not None:
        found[names.GEN_AI_CONVERSATION_ID] = record.conversation_id
    if kind is EventType.AGENT_TASK:
        found[names.MAS_TASK_ID] = span_id
        found[names.MAS_TASK_NAME] = agent or record.name or kind.value.lower()
        found[names.MAS_TASK_OUTCOME] = (TaskOutcome.ERROR if record.status == "ERROR" else TaskOutcome.OK).value
    elif kind is EventType.WORKFLOW:
        found[names.MAS_RUN_OUTCOME] = (RunOutcome.ERROR if record.status == "ERROR" else RunOutcome.OK).value
    # OpenTelemetry's names of spans: "chat gpt-4o", "execute_tool search".
    of = record.name.removeprefix(f"{operation} ") if operation is not None else ""
    if kind is EventType.TOOL_CALL and of:
        found[names.GEN_AI_TOOL_NAME] = of
    elif kind is EventType.LLM_CALL and of != record.name:
        found[names.GEN_AI_REQUEST_MODEL] = of
    if record.token_cost is not None:
        amounts = ((attribute, getattr(record.token_cost, field)) for field, attribute in _TOKENS)
        found.update((attribute, amount) for attribute, amount in amounts if amount is not None)
    if record.modality is not Modality.TEXT:
        found[names.MAS_INPUT_MODALITIES] = (record.modality.value,)
    return found


def _name(record: TraceRecord) -> str:
    operation = _OPERATIONS.get(record.event_type)
    return " ".join(filter(None, (operation or record.event_type.value.lower(), record.agent_name)))


def _with_occurrences(span: Span, records: Iterable[TraceRecord]) -> Span:
    for record in records:
        add = _with_exception if record.event_type is EventType.ERROR else _with_state
        span = add(span, record)
    return span


def _with_exception(span: Span, record: TraceRecord) -> Span:
    """The span with the error as OpenTelemetry has it: a status, and an event unless it is there."""
    payload = record.payload if isinstance(record.payload, dict) else {"message": record.payload}
    pairs = {
        names.EXCEPTION_TYPE: payload.get("type"),
        names.EXCEPTION_MESSAGE: payload.get("message"),
        names.EXCEPTION_STACKTRACE: payload.get("stacktrace"),
    }
    known = {name: value for name, value in pairs.items() if isinstance(value, str)}
    events = list(span.events)
    at = next((place for place, event in enumerate(events) if event.name == EXCEPTION_EVENT), None)
    if at is None:
        events.append(Event(EXCEPTION_EVENT, record.timestamp, known))
    else:
        events[at] = replace(events[at], attributes={**known, **events[at].attributes})
    attributes = span.attributes
    if names.EXCEPTION_TYPE in known and names.ERROR_TYPE not in attributes and not record.complete:
        attributes = {**attributes, names.ERROR_TYPE: known[names.EXCEPTION_TYPE]}
    return _changed(span, replace(span.body, attributes=attributes, events=tuple(events)), StatusCode.ERROR)


def _with_state(span: Span, record: TraceRecord) -> Span:
    """The span with the names of what it changed, unless it says so itself, and the values as an event."""
    if not isinstance(record.payload, dict) or any(event.name == STATE_EVENT for event in span.events):
        return span
    values = {name: json_text(value) for name, value in record.payload.items()}
    attributes = {names.MAS_STATE_CHANGED: tuple(values), **span.attributes}
    events = (*span.events, Event(STATE_EVENT, record.timestamp, values))
    return _changed(span, replace(span.body, attributes=attributes, events=events), span.status)


def _changed(span: Span, body: SpanBody, status: StatusCode) -> Span:
    return Span.complete(
        body,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        name=span.name,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        kind=span.kind,
        service=span.service,
        status=status,
        links=body.links,
        resource=span.resource,
        scope=span.scope,
    )


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as spans have them: arrays are tuples."""
    if list not in map(type, values.values()):
        return dict(values)
    return {name: _tuple(value) if type(value) is list else value for name, value in values.items()}


def _tuple(value: Any) -> Any:
    if type(value) is not list:
        return value
    return tuple(map(_tuple, value)) if list in map(type, value) else tuple(value)


__all__ = ["parent_in_trace", "spans_of", "traces_of"]
