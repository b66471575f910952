"""Response of a model call: attributes, usage and cost, from LangChain's `LLMResult`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from otel_mas.instrumentation.langchain.messages import Plain
from otel_mas.instrumentation.langchain.requests import Target
from otel_mas.instrumentation.usage import cost_of, read_usage
from otel_mas.pricing import Cost
from otel_mas.record import field_of, interned, is_empty, text_of
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_MAX_NAME: Final = 1024  # characters; longer texts are no names
_FINISH: Final = ("finish_reason", "stop_reason", "done_reason", "stopReason", "finishReason")
_MODEL: Final = ("model_name", "model", "model_id", "modelId")
# Ids that LangChain makes up for a message that its provider gave none.
_MADE_UP: Final = ("run-", "lc_run-", "lc_")
_NOTHING: Final[dict[str, Any]] = {}
_FROM_CACHE: Final = Cost(0.0, "LangChain cache", None)


def outputs(generations: Sequence[Any]) -> list[Any]:
    """The messages that came back, one for each candidate."""
    return [_message(one) or Plain("assistant", text_of(field_of(one, "text")) or "") for one in generations]


def _message(generation: Any) -> Any:
    return field_of(generation, "message")


def end_attributes(
    target: Target,
    generations: Sequence[Any],
    output: Mapping[str, Any] | None,
    simulated: bool,
    streamed: bool = False,
    span: Span | None = None,
) -> dict[str, Any]:
    """Attributes of a call after its response, without the messages.

    Args:
        target: the model that was called.
        generations: LangChain's candidates, at least one.
        output: LangChain's `llm_output`, the place of metadata in older integrations and completion models.
        simulated: nobody was charged for it.
        streamed: the metadata are merged from chunks, some of which repeat names.
        span: of the call.
    """
    first = _message(generations[0])
    info = field_of(generations[0], "generation_info") if first is None else field_of(first, "response_metadata")
    response = info if type(info) is dict else _NOTHING
    overall = output if type(output) is dict else _NOTHING
    attributes: dict[str, Any] = {}
    once = _once if streamed else str
    reasons = tuple(map(once, filter(None, map(_finish_reason, generations))))
    if reasons:
        attributes[names.GEN_AI_RESPONSE_FINISH_REASONS] = interned(*reasons)
    model = _first(response, _MODEL) or _first(overall, _MODEL)
    if model:
        model = attributes[names.GEN_AI_RESPONSE_MODEL] = once(model)
    identity = (
        _first(response, ("id",)) or _first(overall, ("id",)) or (text_of(field_of(first, "id")) or "")[:_MAX_NAME]
    )
    if identity and not identity.startswith(_MADE_UP):
        attributes[names.GEN_AI_RESPONSE_ID] = once(identity)
    metadata = _usage_of(generations)
    if type(total := field_of(metadata, "total_cost")) in (int, float) and total == 0:
        # LangChain's mark of an answer from its own cache: no model worked, and its tokens were counted before.
        _FROM_CACHE.describe(attributes, simulated)
        return attributes
    usage = read_usage(metadata, response, overall)
    if usage is not None:
        attributes.update(usage.attributes)
    tier = text_of(response.get("service_tier"))
    cost = cost_of(usage, target.provider, (model, target.model), once(tier) if tier else None, span)
    cost.describe(attributes, simulated)
    return attributes


def _usage_of(generations: Sequence[Any]) -> Any:
    for one in generations:
        usage = field_of(_message(one), "usage_metadata")
        if not is_empty(usage):
            return usage
    return None


def _once(name: str) -> str:
    """A name without its repetitions: LangChain joins the texts of chunks, names included (langchain#38366)."""
    period = (name + name).find(name, 1)
    return name[:period] if 1 < period < len(name) else name


def _finish_reason(one: Any) -> str | None:
    reason = _first(field_of(_message(one), "response_metadata"), _FINISH)
    return reason or _first(field_of(one, "generation_info"), _FINISH)


def _first(fields: Any, keys: Sequence[str]) -> str | None:
    """The first text under one of these keys of a dict."""
    if type(fields) is dict and fields:
        for key in keys:
            text = text_of(fields[key]) if key in fields else None
            if text:
                return text[:_MAX_NAME]
    return None


__all__ = ["end_attributes", "outputs"]
