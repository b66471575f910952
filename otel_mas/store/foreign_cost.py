"""The cost of a model call that other instrumentation recorded without one, by our price table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_mas.dialects import is_model_call
from otel_mas.pricing import PRICES, Tokens
from otel_mas.semconv import attributes as names

_MAX_WAIT_S: Final = 3.0
"""For the price table, once in a process."""
_KNOWN: Final = (names.MAS_COST_USD, names.MAS_COST_MISSING)
_COUNTS: Final = {
    "input": names.GEN_AI_USAGE_INPUT_TOKENS,
    "output": names.GEN_AI_USAGE_OUTPUT_TOKENS,
    "cache_read": names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    "cache_write": names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    "reasoning": names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
}


def with_cost(translation: dict[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """A translated span, with its cost if it is a model call that says its tokens and not its cost; else as it is.

    `mas.cost.source` then names the table; where a price is missing, `mas.cost.missing` says why.

    Args:
        attributes: of the span, as they came.
    """
    if not is_model_call(translation) or any(name in translation or name in attributes for name in _KNOWN):
        return translation
    known = {**attributes, **translation}
    counts = {
        field: value for field, name in _COUNTS.items() if isinstance(value := known.get(name), int) and value > 0
    }
    if not counts:
        return translation
    provider = known.get(names.GEN_AI_PROVIDER_NAME)
    models = tuple(
        model
        for name in (names.GEN_AI_RESPONSE_MODEL, names.GEN_AI_REQUEST_MODEL)
        if isinstance(model := known.get(name), str)
    )
    PRICES.wait(_MAX_WAIT_S)
    cost = PRICES.cost(provider if isinstance(provider, str) else None, models, Tokens(**counts))
    if cost.usd is None and provider:
        cost = PRICES.cost(None, models, Tokens(**counts))
    found = dict(translation)
    cost.describe(found, simulated=False)
    return found


__all__ = ["with_cost"]
