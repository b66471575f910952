"""The cost of a model call that other instrumentation recorded without one, by our price table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from otel_mas.pricing import PRICES, Tokens
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

_MAX_LOAD_S: Final = 30.0
"""For the price table, once in a process: a call that is stored without its price has none for good."""
_MODEL_CALL: Final = RecordKind.LLM_CALL.value
_NAMES: Final = (names.GEN_AI_PROVIDER_NAME, names.GEN_AI_RESPONSE_MODEL, names.GEN_AI_REQUEST_MODEL)
_COUNTS: Final = (
    ("input", names.GEN_AI_USAGE_INPUT_TOKENS),
    ("output", names.GEN_AI_USAGE_OUTPUT_TOKENS),
    ("cache_read", names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_write", names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("reasoning", names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
)


def with_cost(translation: dict[str, Any], given: Callable[[str], Any]) -> dict[str, Any]:
    """A translated span, with its cost if it is a model call that says its tokens and not its cost; else as it is.

    `mas.cost.source` then names the table; where a price is missing, `mas.cost.missing` says why.

    Args:
        given: the value of an attribute of the span, as it came; None where it has none such.
    """
    if translation.get(names.MAS_RECORD_KIND) != _MODEL_CALL or names.MAS_COST_USD in translation:
        return translation
    counts: dict[str, int] = {}
    for field, name in _COUNTS:
        value = translation.get(name) or given(name)
        if isinstance(value, int) and value > 0:
            counts[field] = value
    if not counts or given(names.MAS_COST_USD) is not None or given(names.MAS_COST_MISSING) is not None:
        return translation
    provider, *models = (translation.get(name) or given(name) for name in _NAMES)
    named = tuple(model for model in models if isinstance(model, str))
    PRICES.wait(_MAX_LOAD_S)
    cost = PRICES.cost(provider if isinstance(provider, str) else None, named, Tokens(**counts))
    if cost.usd is None and provider:
        cost = PRICES.cost(None, named, Tokens(**counts))
    found = dict(translation)
    cost.describe(found, simulated=False)
    return found


__all__ = ["with_cost"]
