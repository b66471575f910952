"""Spans of decision models (`langchain_core.decisions`, from LangChain Core 1.8): model calls whose answers are typed.

LangChain runs them as runnables, not as chat models, so no callback manager announces them. A `Choice` answer explains
the routing decision that follows it in the same task, if its label is where that went: what was offered, and how sure
the model was. A `Noul` (a probability of yes) and a `Score` are judgements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry.trace import SpanKind, set_span_in_context

from otel_mas.config import OWN
from otel_mas.instrumentation.endings import cancelled
from otel_mas.instrumentation.interop import missing_scope
from otel_mas.instrumentation.judgements import Judgement
from otel_mas.instrumentation.langchain.requests import Target, start_attributes, target
from otel_mas.instrumentation.langchain.structured import evaluation
from otel_mas.instrumentation.langgraph.current import CurrentTask, current_task
from otel_mas.instrumentation.marks.mark_messages import consumed, produced
from otel_mas.instrumentation.replacements import around
from otel_mas.instrumentation.usage import cost_of, read_usage
from otel_mas.pricing import PRICES
from otel_mas.record import ACTOR_KEY, field_of, recorded_attributes, recorder, restore_context, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import Operation, ReplayOutcome

if TYPE_CHECKING:
    from opentelemetry.trace import Span


class _Call(NamedTuple):
    """A request that has not been answered yet."""

    target: Target
    span: Span
    actor: Any
    task: CurrentTask | None
    token: Any
    """Token of the context in which its span is the current one."""


def _begin(_: Any, request: Any) -> _Call | None:
    rec = recorder()
    if not rec.active:
        return None
    if rec.settings.model_spans != OWN:
        missing_scope.unrecorded_call()
        return None
    PRICES.prepare()
    metadata = _run_metadata()
    called = target(Operation.CHAT, None, metadata, {})
    context = otel_context.get_current()
    attributes = start_attributes(called, metadata, {}, None, ())
    span = rec.start_span(called.name, attributes, kind=SpanKind.CLIENT, parent=context)
    if not span.is_recording():
        return None
    token = otel_context.attach(set_span_in_context(span, context))
    call = _Call(called, span, context.get(ACTOR_KEY), current_task(), token)
    rec.content(span, names.GEN_AI_SYSTEM_INSTRUCTIONS, field_of(request, "questions"))
    consumed(span, [field_of(request, "state")], call.actor)
    return call


def _end(call: _Call, error: BaseException | None, response: Any) -> None:
    restore_context(call.token)
    try:
        if error is None:
            _record(call, response)
        elif not cancelled(call.span, error):
            recorder().record_exception(call.span, error)
    finally:
        call.span.end()


# Inside these methods a decision model answers one request.
classify, aclassify = around(_begin, _end, "langchain: decision model")


def _record(call: _Call, response: Any) -> None:
    rec, span = recorder(), call.span
    attributes: dict[str, Any] = {}
    model = text_of(field_of(response, "model")) or None
    if model is not None:
        attributes[names.GEN_AI_RESPONSE_MODEL] = model
    if (identity := text_of(field_of(response, "request_id"))) is not None:
        attributes[names.GEN_AI_RESPONSE_ID] = identity
    usage = read_usage(field_of(response, "usage"))
    if usage is not None:
        attributes.update(usage.attributes)
    cost = cost_of(usage, call.target.provider, (model, call.target.model), span=span)
    cost.describe(attributes, rec.settings.simulated_cost or _is_answered(span))
    rec.set_attributes(span, attributes)
    answers = field_of(response, "answers")
    produced(span, [answers], call.actor)
    if type(answers) is dict:
        for name, answer in answers.items():
            _explain(call, str(name), answer)


def _is_answered(span: Span) -> bool:
    """Whether a replay has answered the call, so that nobody is charged for it."""
    return recorded_attributes(span).get(names.MAS_REPLAY_OUTCOME) not in (None, ReplayOutcome.LIVE)


def _run_metadata() -> Mapping[str, Any]:
    """The metadata of the run around this code, where LangChain names provider and model."""
    from langchain_core.runnables.config import var_child_runnable_config

    config = var_child_runnable_config.get()
    return (config.get("metadata") if config else None) or {}


def _explain(call: _Call, question: str, answer: Any) -> None:
    """Keep a choice for the routing decision that it may lead to; record a judgement at once."""
    choice, confidence = field_of(answer, "choice"), field_of(answer, "confidence")
    if isinstance(choice, str):
        offered = field_of(answer, "probabilities")
        candidates = tuple(map(str, offered)) if type(offered) is dict else ()
        if call.task is not None:
            call.task.routing_reasons().add_choice(
                choice, candidates, confidence if isinstance(confidence, float) else None
            )
        return
    for kind in ("noul", "score"):
        value = field_of(answer, kind)
        if isinstance(value, float):
            evaluation(call.span, question, Judgement(value, None, None), call.task)


__all__ = ["aclassify", "classify"]
