"""Structured answers of models (`with_structured_output`): judgements, and reasons of routing decisions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from otel_mas.instrumentation.judgements import fields_of, is_judgement, judgement
from otel_mas.instrumentation.langgraph.current import current_task
from otel_mas.record import field_of, items_of, recorder, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.instrumentation.judgements import Judgement
    from otel_mas.instrumentation.langgraph.current import CurrentTask

# LangChain's key for the schema of `with_structured_output`, among a call's options.
_FORMAT = "ls_structured_output_format"


class Asked(NamedTuple):
    """The form of an answer that a model was asked for, and the task that asked."""

    name: str
    is_judgement: bool
    task: CurrentTask | None


def asked(options: Mapping[str, Any] | None) -> Asked | None:
    """Schema of the answer that a call asks for; None for most calls."""
    form = options.get(_FORMAT) if options else None
    if form is None:
        return None
    schema = field_of(form, "schema")
    if not issubclass(type(schema), dict):
        return None
    properties = field_of(schema, "properties")
    judging = type(properties) is dict and is_judgement(properties)
    return Asked(text_of(field_of(schema, "title")) or "answer", judging, current_task())


def answered(form: Asked, span: Span, message: Any) -> None:
    """A model gave its answer; `span` is its call."""
    if form.task is not None:
        form.task.routing_reasons().add_answer(partial(fields_in, message))
    if form.is_judgement:
        fields = fields_in(message)
        judged = None if fields is None else judgement(fields)
        if judged is not None:
            evaluation(span, form.name, judged, form.task)


def evaluation(span: Span, name: str, judged: Judgement, task: CurrentTask | None) -> None:
    """Record a model's judgement as a span under its call."""
    attributes: dict[str, Any] = {
        names.MAS_RECORD_KIND: RecordKind.EVALUATION.value,
        names.GEN_AI_EVALUATION_NAME: name,
    }
    if task is not None and task.run.conversation is not None:
        attributes[names.GEN_AI_CONVERSATION_ID] = task.run.conversation
    grade = recorder().start_span(f"evaluate {name}", attributes, parent=span)
    record_judgement(grade, judged)
    grade.end()


def record_judgement(span: Span, judged: Judgement) -> None:
    """Record a judgement on a span, and its reason as content."""
    attributes: dict[str, Any] = {}
    if judged.score is not None:
        attributes[names.GEN_AI_EVALUATION_SCORE_VALUE] = judged.score
    if judged.label is not None:
        attributes[names.GEN_AI_EVALUATION_SCORE_LABEL] = judged.label
    recorder().set_attributes(span, attributes)
    if judged.reason is not None:
        recorder().content(span, names.GEN_AI_EVALUATION_EXPLANATION, judged.reason)


def fields_in(message: Any) -> Mapping[str, Any] | None:
    """The fields of a structured answer: its only tool call's arguments, what the provider parsed, or its JSON text."""
    calls = items_of(field_of(message, "tool_calls"))
    if calls:
        return fields_of(field_of(calls[0], "args")) if len(calls) == 1 else None
    parsed = fields_of(field_of(field_of(message, "additional_kwargs"), "parsed"))
    if parsed is not None:
        return parsed
    text = text_of(field_of(message, "content"))
    try:
        found = orjson.loads(text) if text else None
    except ValueError:
        return None
    return found if type(found) is dict else None


__all__ = ["Asked", "answered", "asked", "evaluation", "fields_in", "record_judgement"]
