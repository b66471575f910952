"""Everything about one span as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from otel_mas.analyse.spans import Relation, SpanDetails
from otel_mas.model import STATE_EVENT, Message, Span
from otel_mas.model.message_text import written
from otel_mas.report.json import EventForm, LinkForm, event, link, values
from otel_mas.report.json.fields import PROBABILITY, PROBLEMS


class AroundForm(TypedDict):
    span_id: Annotated[str, "16 hex digits"]
    name: Annotated[str, "the span's name"]


class RelationForm(TypedDict):
    span_id: Annotated[str, "the other span"]
    label: Annotated[str, "its task, and its name where it is no task"]
    kind: Annotated[str, "`mas.link.kind`: trigger, send, handoff, message, ..."]
    provenance: Annotated[str, "recorded, metadata (joined by stable keys, exact) or inferred"]
    probability: Annotated[float | None, PROBABILITY]


class MessageForm(TypedDict):
    digest: Annotated[str, "the same for the same content"]
    role: Annotated[str, "user, assistant, tool, ..."]
    text: Annotated[str | None, "its parts as text; null where its content was not kept"]
    body: Annotated[dict[str, Any] | None, "role and parts"]


class SpanDetailsForm(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "16 hex digits"]
    name: Annotated[str, "the span's name"]
    kind: Annotated[str, "INTERNAL, CLIENT, SERVER, PRODUCER, CONSUMER or UNSPECIFIED"]
    record_kind: Annotated[str | None, "`mas.record.kind`"]
    service: Annotated[str, "`service.name`"]
    task: Annotated[str | None, "the task that it is or lies in, as `researcher#1/model#2`"]
    agent: Annotated[str | None, "the agent that it is, or works for"]
    start_ns: Annotated[int, "nanoseconds since the Unix epoch"]
    end_ns: Annotated[int | None, "nanoseconds since the Unix epoch; null where it never ended"]
    duration_ns: Annotated[int | None, "nanoseconds; null where it never ended"]
    status: Annotated[str, "UNSET, OK or ERROR"]
    status_message: Annotated[str, "words that came with the status"]
    error_message: Annotated[str | None, "of the error that it ended with; null where it is not kept"]
    error_stack: Annotated[str | None, "its stack; null where it is not kept"]
    inside: Annotated[list[AroundForm], "the spans around it, from the root inwards"]
    children: Annotated[list[AroundForm], "the spans directly inside it, in start order"]
    causes: Annotated[list[RelationForm], "but for the span around it"]
    effects: Annotated[list[RelationForm], "but for the spans inside it"]
    read: Annotated[list[MessageForm], "messages that it read, in order"]
    wrote: Annotated[list[MessageForm], "messages that it wrote, in order"]
    state: Annotated[str | None, "channels that it wrote, each with its value, in lines"]
    contents: Annotated[dict[str, Any], "other content by name: arguments, results, questions, reasons"]
    attributes: Annotated[dict[str, Any], "every attribute, by name; bytes as hex"]
    events: Annotated[list[EventForm], "what happened during the span"]
    links: Annotated[list[LinkForm], "as they were sent"]


class SpanDetailsDocument(TypedDict):
    spans: Annotated[list[SpanDetailsForm], "one; of a task that paused all that it ran in"]
    problems: Annotated[list[str], PROBLEMS]


def span_details(found: Sequence[SpanDetails], problems: Sequence[str]) -> SpanDetailsDocument:
    """`otel-mas show SPAN --json`."""
    return {"spans": [_details(one) for one in found], "problems": list(problems)}


def _details(one: SpanDetails) -> SpanDetailsForm:
    span = one.span
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "name": span.name,
        "kind": span.kind.name,
        "record_kind": span.record_kind,
        "service": span.service,
        "task": one.label,
        "agent": one.agent,
        "start_ns": span.start_ns,
        "end_ns": span.end_ns,
        "duration_ns": None if span.end_ns is None else span.duration_ns,
        "status": span.status.name,
        "status_message": span.status_message,
        "error_message": one.error_message,
        "error_stack": one.error_stack,
        "inside": [_around(above) for above in one.above],
        "children": [_around(child) for child in one.children],
        "causes": [_relation(cause, cause.edge.cause) for cause in one.causes],
        "effects": [_relation(effect, effect.edge.effect) for effect in one.effects],
        "read": [_message(message) for message in one.read],
        "wrote": [_message(message) for message in one.wrote],
        "state": one.state,
        "contents": values(one.contents),
        "attributes": values(span.attributes),
        "events": [event(found) for found in span.events if found.name != STATE_EVENT],  # they are in `state`
        "links": [link(found) for found in span.links],
    }


def _around(span: Span) -> AroundForm:
    return {"span_id": span.span_id, "name": span.name}


def _relation(one: Relation, span_id: str) -> RelationForm:
    return {
        "span_id": span_id,
        "label": one.label,
        "kind": one.edge.kind,
        "provenance": one.edge.provenance,
        "probability": one.edge.probability,
    }


def _message(message: Message) -> MessageForm:
    body = message.body
    return {
        "digest": message.digest,
        "role": message.role,
        "text": None if body is None else written(body),
        "body": None if body is None else values(body),
    }


__all__ = ["SpanDetailsDocument", "span_details"]
