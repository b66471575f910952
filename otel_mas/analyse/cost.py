"""Cost of a run: tokens and US dollars, by agent and by model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from otel_mas.analyse.duplicate_calls import duplicate_calls
from otel_mas.model import Span
from otel_mas.semconv import Operation, RecordKind, record_kind
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


@dataclass(frozen=True, slots=True)
class _Call:
    span: Span
    agent: str | None
    model: str | None
    usd: float | None

    def tokens(self, name: str) -> int:
        return _number(self.span.columns.get(name))


def cost(spans: Sequence[Span]) -> CostTable:
    """Add up the model calls among the spans of one or several traces.

    Only model calls count, never the sums that some instrumentors repeat on the spans around them; and each call once,
    however many instrumentors recorded it: of a model call inside another one that states its tokens only the outer,
    and of those side by side only ours. The agent is the nearest enclosing `invoke_agent` span; where there is none,
    the agent that the call itself names.
    """
    calls = list(_calls(spans))
    return CostTable(
        by_agent=_rows([(call.agent, call) for call in calls]),
        by_model=_rows([(call.model, call) for call in calls]),
        total=_row(None, calls),
        unpriced=tuple(_unpriced(call) for call in calls if _lacks_price(call)),
    )


def _calls(spans: Sequence[Span]) -> Iterator[_Call]:
    above = _Above(spans)
    found = [(i, span) for i, span in enumerate(spans) if _is_call(span) and above.call[i] < 0]
    again = duplicate_calls([span for _, span in found])
    for i, span in found:
        if span in again:
            continue
        agent = spans[above.agent[i]] if above.agent[i] >= 0 else span
        yield _Call(span, agent.agent, _model(span), _price(span.columns.get(names.MAS_COST_USD)))


class _Above:
    """For every span the nearest agent around it, and the nearest model call around it that states its tokens."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = spans
        self.index = {(span.trace_id, span.span_id): i for i, span in enumerate(spans)}
        self.agent: list[int] = [-1] * len(spans)
        self.call: list[int] = [-1] * len(spans)
        self._with_runs = {span.trace_id for span in spans if span.record_kind == RecordKind.AGENT_TASK}
        self._settled = bytearray(len(spans))
        for i in range(len(spans)):
            self._settle(i)

    def _settle(self, i: int) -> None:
        """From the outermost span that is not settled yet inwards; a cycle of parents is cut where it is met."""
        chain: list[int] = []
        while i >= 0 and not self._settled[i]:
            self._settled[i] = True
            chain.append(i)
            i = self._parent(i)
        if i in set(chain):
            chain.pop()  # inside itself: taken as outermost
        for below in reversed(chain):
            parent = self._parent(below)
            if parent < 0:
                continue
            around = self.spans[parent]
            self.agent[below] = parent if _is_agent(around) and not self._retells(around) else self.agent[parent]
            self.call[below] = parent if _is_call(around) and _states_tokens(around) else self.call[parent]

    def _retells(self, span: Span) -> bool:
        """Whether it stands for a graph's run in a trace in which we recorded that, too.

        Some instrumentors of LangChain call every graph an agent.
        """
        return span.record_kind is None and "langchain" in span.scope.name and span.trace_id in self._with_runs

    def _parent(self, i: int) -> int:
        span = self.spans[i]
        return self.index.get((span.trace_id, span.parent_span_id or ""), -1)


def _is_call(span: Span) -> bool:
    kind = span.record_kind
    if kind is None:
        operation = span.columns.get(names.GEN_AI_OPERATION_NAME)
        kind = record_kind(operation) if isinstance(operation, str) else None
    return kind == RecordKind.LLM_CALL


def _is_agent(span: Span) -> bool:
    return span.columns.get(names.GEN_AI_OPERATION_NAME) == Operation.INVOKE_AGENT and span.agent is not None


def _model(span: Span) -> str | None:
    model = span.columns.get(names.GEN_AI_RESPONSE_MODEL) or span.columns.get(names.GEN_AI_REQUEST_MODEL)
    return str(model) if model else None


def _states_tokens(span: Span) -> bool:
    usage = (names.GEN_AI_USAGE_INPUT_TOKENS, names.GEN_AI_USAGE_OUTPUT_TOKENS)
    return any(_number(span.columns.get(name)) > 0 for name in usage)


def _number(value: object) -> int:
    """A count of tokens; 0 for what is no count."""
    return int(value) if isinstance(value, int | float) and math.isfinite(value) and value > 0 else 0


def _price(value: object) -> float | None:
    """An amount of dollars; None for what is none."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) and value >= 0 else None


def _lacks_price(call: _Call) -> bool:
    reason = call.span.columns.get(names.MAS_COST_MISSING)
    return call.usd is None and (bool(reason) or _states_tokens(call.span))


def _unpriced(call: _Call) -> UnpricedCall:
    reason = call.span.columns.get(names.MAS_COST_MISSING)
    text = str(reason) if reason else "no cost was recorded"
    return UnpricedCall(call.span.trace_id, call.span.span_id, call.model, call.agent, text)


def _rows(grouped: Sequence[tuple[str | None, _Call]]) -> tuple[CostRow, ...]:
    groups: dict[str | None, list[_Call]] = {}
    for name, call in grouped:
        groups.setdefault(name, []).append(call)
    rows = [_row(name, calls) for name, calls in groups.items()]
    return tuple(
        sorted(rows, key=lambda row: (-(row.usd or 0.0), -(row.input_tokens + row.output_tokens), row.name or ""))
    )


def _row(name: str | None, calls: Sequence[_Call]) -> CostRow:
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
