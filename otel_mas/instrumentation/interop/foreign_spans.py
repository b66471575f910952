"""Complete the model spans of other instrumentation, in the store's columns only: agent, usage and cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_mas.dialects import ForeignSpan, is_model_call, total_tokens, translated
from otel_mas.instrumentation.interop import missing_scope
from otel_mas.instrumentation.logs.ids import current_agent
from otel_mas.instrumentation.usage import Counts, cost_of, interpret
from otel_mas.pricing import PRICES, Cost
from otel_mas.record import SpanData
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

_MAX_OPEN = 16_384  # spans; some never end
_MAX_WAIT_S = 3.0  # for the price table, on the writer's thread
_COUNTS = {
    "input": names.GEN_AI_USAGE_INPUT_TOKENS,
    "output": names.GEN_AI_USAGE_OUTPUT_TOKENS,
    "cache_read": names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    "cache_write": names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    "reasoning": names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
}


_OF_CALLS = (
    names.MAS_RECORD_KIND,
    names.GEN_AI_REQUEST_MODEL,
    names.GEN_AI_RESPONSE_MODEL,
    names.GEN_AI_PROVIDER_NAME,
    *_COUNTS.values(),
)


class ForeignModelSpans:
    """The model spans of one instrumentation scope, or of all in a package.

    Args:
        scope: its name.
        simulated: the model is a stand-in, so nobody is charged.
    """

    def __init__(self, scope: str, simulated: bool) -> None:
        self._scope = scope
        self._package = f"{scope}."
        self._simulated = simulated
        self._agents: dict[tuple[int, int], str] = {}
        self._missing_scope = missing_scope.MissingScope(scope)
        missing_scope.watch(self._missing_scope)

    def started(self, span: Any) -> None:
        """A span has started: note the agent that it works for, which need not be among its ancestors."""
        scope = span.instrumentation_scope
        chosen = self._chosen(scope)
        self._missing_scope.started(_name(scope), chosen)
        if not chosen:
            return
        agent = current_agent()
        if agent is not None:
            if len(self._agents) >= _MAX_OPEN:
                self._agents.pop(next(iter(self._agents)), None)
            self._agents[span.context[:2]] = agent

    def finished(self) -> None:
        """Recording ends."""
        self._missing_scope.over()
        missing_scope.watch(None)

    def enrich(self, span: SpanData) -> None:
        """Set the columns of an ended span in the names of GenAI conventions. May wait for the price table."""
        if not self._chosen(span.scope):
            return
        agent = self._agents.pop(span.context[:2], None)
        found = translated(ForeignSpan(span.attributes, span.name))
        if not is_model_call(found):
            return
        found = {name: value for name in _OF_CALLS if (value := found.get(name, span.attributes.get(name))) is not None}
        if agent is not None:
            found[names.GEN_AI_AGENT_NAME] = agent
        self._price(found, total_tokens(span.attributes))
        span.columns = found

    def _chosen(self, scope: InstrumentationScope | None) -> bool:
        name = _name(scope)
        return name == self._scope or name.startswith(self._package)

    def _price(self, found: dict[str, Any], total: int | None) -> None:
        counts = Counts(total=total, **{field: found.get(name) for field, name in _COUNTS.items()})
        if counts.input is None and counts.output is None:
            cost = Cost(None, None, "the model did not say what it used")
        else:
            usage = interpret(counts)
            found |= usage.attributes
            models = found.get(names.GEN_AI_RESPONSE_MODEL), found.get(names.GEN_AI_REQUEST_MODEL)
            PRICES.wait(_MAX_WAIT_S)
            cost = cost_of(usage, found.get(names.GEN_AI_PROVIDER_NAME), models)
        cost.describe(found, self._simulated)


def _name(scope: InstrumentationScope | None) -> str:
    return "" if scope is None else str(scope.name)


__all__ = ["ForeignModelSpans"]
