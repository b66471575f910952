"""Model calls among spans: each once, with the agent that made it, its tokens and its price."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from otel_mas.analyse.duplicate_calls import duplicate_calls
from otel_mas.model import OWN_SCOPE, Span
from otel_mas.semconv import RecordKind, record_kind
from otel_mas.semconv import attributes as names

_USAGE = (names.GEN_AI_USAGE_INPUT_TOKENS, names.GEN_AI_USAGE_OUTPUT_TOKENS)


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One model call. `agent`, `model` and `usd` are None where nobody says."""

    span: Span
    agent: str | None
    model: str | None
    usd: float | None

    def tokens(self, name: str) -> int:
        """A count of tokens by its attribute's name; 0 without one."""
        return token_count(self.span.columns.get(name))


def model_calls(spans: Sequence[Span], above: Surroundings | None = None) -> Iterator[ModelCall]:
    """Model calls among the spans of one or several traces, each once, however many instrumentors recorded it.

    Of a call inside another one that states its tokens only the outer, and of those side by side only ours. A span of
    other instrumentation that repeats the tokens of calls inside of it is none; where no call inside of it was
    recorded, it stands for them. The agent is the nearest enclosing `invoke_agent` span; where there is none, the agent
    that the call itself names.
    """
    above = above or Surroundings(spans)
    found = [(i, span) for i, span in enumerate(spans) if is_model_call(span) and above.call[i] < 0]
    sums = [i for i, span in enumerate(spans) if _is_sum(span)]
    if sums or any(span.scope.name != OWN_SCOPE and not states_tokens(span) for _, span in found):
        enclosing = above.enclosing([i for i, span in enumerate(spans) if states_tokens(span)])
        alone = [(i, spans[i]) for i in sums if i not in enclosing and above.call[i] < 0]
        found = [(i, span) for i, span in found if i not in enclosing or states_tokens(span)] + alone
    again = duplicate_calls([span for _, span in found])
    for i, span in found:
        if span in again:
            continue
        at = above.agent_of(i)
        agent = spans[at] if at >= 0 else span
        yield ModelCall(span, agent.agent, _model(span), price_of(span.columns.get(names.MAS_COST_USD)))


class Surroundings:
    """For every span the nearest agent around it, and the nearest model call around it that states its tokens."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = spans
        self.index = {(span.trace_id, span.span_id): i for i, span in enumerate(spans)}
        self.agent: list[int] = [-1] * len(spans)
        self.call: list[int] = [-1] * len(spans)
        self._with_runs = {
            span.trace_id for span in spans if span.record_kind == RecordKind.AGENT_TASK and not span.is_foreign
        }
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
            self.agent[below] = parent if around.is_agent and not self._retells(around) else self.agent[parent]
            self.call[below] = parent if is_model_call(around) and states_tokens(around) else self.call[parent]

    def enclosing(self, inner: Iterable[int]) -> set[int]:
        """The numbers of the spans around these."""
        found: set[int] = set()
        for i in inner:
            while (i := self._parent(i)) >= 0 and i not in found:
                found.add(i)
        return found

    def agent_of(self, i: int) -> int:
        """The agent that a span is or belongs to, by number; -1 outside of any."""
        span = self.spans[i]
        return i if span.is_agent and not self._retells(span) else self.agent[i]

    def _retells(self, span: Span) -> bool:
        """Whether it stands for a graph's run in a trace in which we recorded that, too.

        Some instrumentors of LangChain call every graph an agent.
        """
        return span.is_foreign and "langchain" in span.scope.name and span.trace_id in self._with_runs

    def _parent(self, i: int) -> int:
        span = self.spans[i]
        return self.index.get((span.trace_id, span.parent_span_id or ""), -1)


def is_model_call(span: Span) -> bool:
    """Whether a span is a model call, of ours or of other instrumentation."""
    kind = span.record_kind
    if kind is None:
        operation = span.columns.get(names.GEN_AI_OPERATION_NAME)
        kind = record_kind(operation) if isinstance(operation, str) else None
    return kind == RecordKind.LLM_CALL


def _is_sum(span: Span) -> bool:
    """Whether a span of other instrumentation that is no call has tokens: those of the calls inside of it."""
    return (
        _USAGE[0] in span.columns and span.scope.name != OWN_SCOPE and not is_model_call(span) and states_tokens(span)
    )


def _model(span: Span) -> str | None:
    model = span.columns.get(names.GEN_AI_RESPONSE_MODEL) or span.columns.get(names.GEN_AI_REQUEST_MODEL)
    return str(model) if model else None


def states_tokens(span: Span) -> bool:
    """Whether a span says how many tokens it used."""
    return any(token_count(span.columns.get(name)) > 0 for name in _USAGE)


def tokens_of(span: Span) -> int:
    """Tokens that the call of a span read and wrote; 0 where it does not say."""
    return known_tokens_of(span) or 0


def known_tokens_of(span: Span) -> int | None:
    """The same; None where it does not say."""
    values = [value for name in _USAGE if (value := span.get(name)) is not None]
    return sum(map(token_count, values)) if values else None


def token_count(value: object) -> int:
    """A count of tokens; 0 for what is no count."""
    return int(value) if isinstance(value, int | float) and math.isfinite(value) and value > 0 else 0


def price_of(value: object) -> float | None:
    """An amount of dollars; None for what is none."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) and value >= 0 else None
