"""Model calls and queues in the words of other instrumentation, with our attributes.

Of model calls there are two vocabularies: OpenTelemetry's own (`gen_ai.*`, which OpenLLMetry speaks, too) and
OpenInference's (`llm.*`). The instrumentation of queues writes their names as OpenTelemetry has them now, or had them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_mas.model.span import Span
from otel_mas.semconv import RecordKind, record_kind
from otel_mas.semconv import attributes as names

_TOKENS: Final[dict[str, tuple[str, ...]]] = {
    names.GEN_AI_USAGE_INPUT_TOKENS: ("gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    names.GEN_AI_USAGE_OUTPUT_TOKENS: ("gen_ai.usage.completion_tokens", "llm.token_count.completion"),
    names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: (
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: (
        "gen_ai.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
}
"""A count → its names in other vocabularies."""

_TOTALS: Final = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total")

COUNTS: Final = frozenset((*_TOTALS, *(other for others in _TOKENS.values() for other in others)))
"""Names of counts in other vocabularies."""

_TEXTS: Final[dict[str, tuple[str, ...]]] = {
    names.GEN_AI_REQUEST_MODEL: ("llm.model_name",),
    names.GEN_AI_RESPONSE_MODEL: ("llm.model_name",),
    names.GEN_AI_PROVIDER_NAME: ("gen_ai.system", "llm.provider", "llm.system"),
}
_DESTINATIONS: Final = (names.MESSAGING_DESTINATION_NAME, "messaging.destination")
_OPENINFERENCE_KIND: Final = "openinference.span.kind"


def model_call(attributes: Mapping[str, Any]) -> dict[str, Any] | None:
    """A model call's attributes in our names and without content; None for any other span."""
    operation = attributes.get(names.GEN_AI_OPERATION_NAME)
    kind = record_kind(operation) if isinstance(operation, str) else None
    if kind != RecordKind.LLM_CALL and attributes.get(_OPENINFERENCE_KIND) != "LLM":
        return None
    found: dict[str, Any] = {names.MAS_RECORD_KIND: str(RecordKind.LLM_CALL)}
    for name, others in _TOKENS.items():
        count = _count(attributes, (name, *others))
        if count is not None:
            found[name] = count
    for name, others in _TEXTS.items():
        text = _first(attributes, (name, *others))
        if isinstance(text, str) and text:
            found[name] = text
    return found


def total_tokens(attributes: Mapping[str, Any]) -> int | None:
    """The total of a model call's tokens, where its span has one."""
    return _count(attributes, _TOTALS)


def queue_name(span: Span) -> str | None:
    """The queue, topic or exchange that the message of a span went through, as far as the span says."""
    found = next((name for key in _DESTINATIONS if (name := span.get(key))), None)
    return found.strip(",") if isinstance(found, str) else None


def _count(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> int | None:
    count = _first(attributes, keys)
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _first(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((attributes[key] for key in keys if attributes.get(key) is not None), None)


__all__ = ["COUNTS", "model_call", "queue_name", "total_tokens"]
