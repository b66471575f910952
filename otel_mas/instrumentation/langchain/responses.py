"""What a model call brought back: attributes, usage and cost, read from LangChain's `LLMResult`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_mas.instrumentation.langchain.messages import Plain
from otel_mas.instrumentation.langchain.requests import Target
from otel_mas.instrumentation.pricing import PRICES, Cost, Tokens, plain_tokens
from otel_mas.record import one_of
from otel_mas.semconv import attributes as names

_FINISH: Final = ("finish_reason", "stop_reason", "done_reason", "stopReason", "finishReason")
_MODEL: Final = ("model_name", "model", "model_id", "modelId")
# Ids that LangChain makes up for a message that its provider gave none.
_MADE_UP: Final = ("run-", "lc_run-", "lc_")
# Providers whose tier is part of the names of langchain-openai's counts.
_TIERS: Final = ("priority", "flex")
_NOTHING: Final[dict[str, Any]] = {}
_FROM_CACHE: Final = Cost(0.0, "LangChain cache", None)


def outputs(generations: Sequence[Any]) -> list[Any]:
    """The messages that came back, one for each candidate."""
    return [getattr(one, "message", None) or Plain("assistant", one.text) for one in generations]


def end_attributes(
    target: Target, generations: Sequence[Any], output: Mapping[str, Any] | None, simulated: bool
) -> dict[str, Any]:
    """What is known about a call once it has been answered, besides what it said.

    Args:
        target: the model that was called.
        generations: LangChain's candidates, at least one.
        output: LangChain's `llm_output`, where older integrations and completion models say what they know.
        simulated: nobody was charged for it.
    """
    first = getattr(generations[0], "message", None)
    said = (first.response_metadata if first is not None else generations[0].generation_info) or _NOTHING
    overall = output or _NOTHING
    attributes: dict[str, Any] = {}
    reasons = tuple(filter(None, map(_finish_reason, generations)))
    if reasons:
        attributes[names.GEN_AI_RESPONSE_FINISH_REASONS] = one_of(*reasons)
    model = _first(said, _MODEL) or _first(overall, _MODEL)
    if model:
        attributes[names.GEN_AI_RESPONSE_MODEL] = model
    identity = said.get("id") or overall.get("id") or getattr(first, "id", None)
    if isinstance(identity, str) and not identity.startswith(_MADE_UP):
        attributes[names.GEN_AI_RESPONSE_ID] = identity
    usage = getattr(first, "usage_metadata", None) or _usage_of(generations[1:]) or _older(said, overall)
    if usage is not None and usage.get("total_cost") == 0:
        # LangChain marks an answer from its own cache so: no model worked, and its tokens were counted before.
        _FROM_CACHE.describe(attributes, simulated)
        return attributes
    tokens = counted(usage, attributes) if usage else None
    if tokens is None:
        cost = Cost(None, None, "the model did not say what it used")
    elif target.provider is None:
        cost = Cost(None, None, "the provider is not known")
    else:
        tier = said.get("service_tier")
        models = (model, target.model)
        cost = PRICES.cost(target.provider, models, tokens, tier if isinstance(tier, str) else None)
    cost.describe(attributes, simulated)
    return attributes


def _usage_of(generations: Sequence[Any]) -> Any:
    usages = (getattr(getattr(one, "message", None), "usage_metadata", None) for one in generations)
    return next(filter(None, usages), None)


def _older(said: Mapping[str, Any], overall: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Usage as OpenAI's completions and older integrations report it, in LangChain's newer words."""
    usage = said.get("token_usage") or overall.get("token_usage") or overall.get("usage") or said.get("usage")
    if not isinstance(usage, Mapping):
        return None
    given = usage.get("prompt_tokens", usage.get("input_tokens"))
    produced = usage.get("completion_tokens", usage.get("output_tokens"))
    if given is None and produced is None:
        return None
    cached = (usage.get("prompt_tokens_details") or _NOTHING).get("cached_tokens")
    reasoning = (usage.get("completion_tokens_details") or _NOTHING).get("reasoning_tokens")
    return {
        "input_tokens": given or 0,
        "output_tokens": produced or 0,
        "input_token_details": {"cache_read": cached} if cached is not None else _NOTHING,
        "output_token_details": {"reasoning": reasoning} if reasoning is not None else _NOTHING,
    }


def counted(usage: Mapping[str, Any], attributes: dict[str, Any]) -> Tokens:
    """LangChain's `usage_metadata` as counts, and added to `attributes`: those that the model reported."""
    given, produced = usage.get("input_tokens") or 0, usage.get("output_tokens") or 0
    inputs = usage.get("input_token_details") or _NOTHING
    outputs = usage.get("output_token_details") or _NOTHING
    attributes[names.GEN_AI_USAGE_INPUT_TOKENS] = given
    attributes[names.GEN_AI_USAGE_OUTPUT_TOKENS] = produced
    if not inputs and not outputs:
        return plain_tokens(given, produced)
    read, written = _count(inputs, "cache_read"), _count(inputs, "cache_creation")
    hour, minutes = inputs.get("ephemeral_1h_input_tokens"), inputs.get("ephemeral_5m_input_tokens")
    if not written and (hour or minutes):  # Anthropic's parts of it, given instead of the sum
        written = (hour or 0) + (minutes or 0)
    cached = (read or 0) + (written or 0)
    # An integration may leave cached tokens out of its input, as Anthropic and Bedrock do: its total tells.
    if cached > given or (cached and usage.get("total_tokens") == given + produced + cached):
        given += cached
        attributes[names.GEN_AI_USAGE_INPUT_TOKENS] = given
    reasoning = _count(outputs, "reasoning")
    tokens = Tokens(
        given,
        produced,
        read or 0,
        written or 0,
        reasoning or 0,
        hour or 0,
        inputs.get("audio") or 0,
        outputs.get("audio") or 0,
        inputs.get("image") or 0,
        outputs.get("image") or 0,
    )
    reported = {
        names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: read,
        names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: written,
        names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: reasoning,
        names.GEN_AI_USAGE_AUDIO_INPUT_TOKENS: inputs.get("audio"),
        names.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: outputs.get("audio"),
        names.GEN_AI_USAGE_IMAGE_INPUT_TOKENS: inputs.get("image"),
        names.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS: outputs.get("image"),
    }
    attributes.update((name, count) for name, count in reported.items() if count is not None)
    return tokens


def _count(details: Mapping[str, Any], name: str) -> int | None:
    found = details.get(name)
    if found is None:
        found = next((details[f"{tier}_{name}"] for tier in _TIERS if f"{tier}_{name}" in details), None)
    return found if isinstance(found, int) else None


def _finish_reason(one: Any) -> str | None:
    message = getattr(one, "message", None)
    reason = None if message is None else _first(message.response_metadata, _FINISH)
    return reason or _first(one.generation_info, _FINISH)


def _first(said: Mapping[str, Any] | None, keys: Sequence[str]) -> str | None:
    if not said:
        return None
    for key in keys:
        value = said.get(key)
        if value and isinstance(value, str):
            return value
    return None


__all__ = ["counted", "end_attributes", "outputs"]
