"""Cost of judges: calls, tokens and US dollars, at list prices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class JudgeCost(BaseModel):
    """Cost of the questions to judges."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    asked: int = 0
    """Number of calls that were made, those without a usable answer among them."""
    kept: int = 0
    """Number of questions that were answered from the cache, for nothing."""
    tokens: int = 0
    """Tokens of these calls, input and output, as far as the model said."""
    usd: float = 0.0
    """US dollars of these calls, as far as prices are known."""
    unpriced: int = 0
    """Number of these calls without a known price."""

    @classmethod
    def total(cls, costs: Iterable[JudgeCost | None]) -> Self:
        """The sum of several."""
        given = [one for one in costs if one is not None]
        return cls(**{name: sum(getattr(one, name) for one in given) for name in cls.model_fields})

    def __bool__(self) -> bool:
        return bool(self.asked or self.kept)


def cost_of_call(model: Any, answer: Any) -> JudgeCost:
    """Cost of one call of a chat model of LangChain.

    Args:
        model: that was called.
        answer: its message; None where there is none.
    """
    from otel_mas.instrumentation.langchain.requests import PROVIDERS
    from otel_mas.instrumentation.usage import cost_of, read_usage
    from otel_mas.pricing import PRICES

    if answer is None:
        return JudgeCost(asked=1, unpriced=1)
    metadata = getattr(answer, "response_metadata", {})
    usage = read_usage(getattr(answer, "usage_metadata", None), metadata)
    known = model._get_ls_params() if hasattr(model, "_get_ls_params") else {}
    provider: str = known.get("ls_provider", "")
    PRICES.wait(_MAX_WAIT_S)
    models = (metadata.get("model_name"), known.get("ls_model_name"))
    usd = cost_of(usage, PROVIDERS.get(provider, provider) or None, models).usd
    return JudgeCost(
        asked=1,
        tokens=0 if usage is None else usage.tokens.input + usage.tokens.output,
        usd=usd or 0.0,
        unpriced=int(usd is None),
    )


_MAX_WAIT_S = 10.0

__all__ = ["JudgeCost", "cost_of_call"]
