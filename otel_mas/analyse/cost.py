"""Cost of a run: tokens and US dollars, by agent and by model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from otel_mas.analyse.model_calls import ModelCall, model_calls, states_tokens
from otel_mas.model import Span
from otel_mas.semconv import attributes as names


@dataclass(frozen=True, slots=True)
class CostRow:
    """Sums over the model calls of one agent, of one model, or of all.

    `name` is None for calls outside any agent, or without a model's name. Input tokens include those read from a cache,
    output tokens those spent on reasoning. `usd` is None where no call has a price; it leaves out `unpriced` ones.
    """

    name: str | None
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    reasoning_tokens: int = 0
    usd: float | None = None
    unpriced: int = 0
    simulated: bool = False
    """Some of the calls went to a stand-in, so nobody was charged for them."""


@dataclass(frozen=True, slots=True)
class UnpricedCall:
    """A model call that used tokens, or says why it has no price, and is in no sum of dollars."""

    trace_id: str
    span_id: str
    model: str | None
    agent: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class CostTable:
    """Rows in falling order of dollars, then tokens, then name. Both groupings add up to `total`."""

    by_agent: tuple[CostRow, ...]
    by_model: tuple[CostRow, ...]
    total: CostRow
    unpriced: tuple[UnpricedCall, ...]

    @property
    def simulated(self) -> bool:
        """Some of the calls went to a stand-in, so nobody was charged for them."""
        return self.total.simulated


def cost(spans: Sequence[Span]) -> CostTable:
    """Add up the model calls among the spans of one or several traces.

    Only model calls count, never the sums that some instrumentors repeat on the spans around them; and each call once:
    `model_calls` says which.
    """
    calls = list(model_calls(spans))
    return CostTable(
        by_agent=_rows([(call.agent, call) for call in calls]),
        by_model=_rows([(call.model, call) for call in calls]),
        total=add_up(None, calls),
        unpriced=tuple(_unpriced(call) for call in calls if _lacks_price(call)),
    )


def _lacks_price(call: ModelCall) -> bool:
    reason = call.span.columns.get(names.MAS_COST_MISSING)
    return call.usd is None and (bool(reason) or states_tokens(call.span))


def _unpriced(call: ModelCall) -> UnpricedCall:
    reason = call.span.columns.get(names.MAS_COST_MISSING)
    text = str(reason) if reason else "no cost was recorded"
    return UnpricedCall(call.span.trace_id, call.span.span_id, call.model, call.agent, text)


def _rows(grouped: Sequence[tuple[str | None, ModelCall]]) -> tuple[CostRow, ...]:
    groups: dict[str | None, list[ModelCall]] = {}
    for name, call in grouped:
        groups.setdefault(name, []).append(call)
    rows = [add_up(name, calls) for name, calls in groups.items()]
    return tuple(
        sorted(rows, key=lambda row: (-(row.usd or 0.0), -(row.input_tokens + row.output_tokens), row.name or ""))
    )


def add_up(name: str | None, calls: Sequence[ModelCall]) -> CostRow:
    """Sums over these calls."""
    prices = [call.usd for call in calls if call.usd is not None]
    return CostRow(
        name=name,
        calls=len(calls),
        input_tokens=sum(call.tokens(names.GEN_AI_USAGE_INPUT_TOKENS) for call in calls),
        output_tokens=sum(call.tokens(names.GEN_AI_USAGE_OUTPUT_TOKENS) for call in calls),
        cache_read_tokens=sum(call.tokens(names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS) for call in calls),
        reasoning_tokens=sum(call.tokens(names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS) for call in calls),
        usd=math.fsum(prices) if prices else None,
        unpriced=sum(_lacks_price(call) for call in calls),
        simulated=any(call.span.columns.get(names.MAS_COST_SIMULATED) for call in calls),
    )
