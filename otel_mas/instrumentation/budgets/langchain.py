"""Calls of LangChain's models and tools, which begin and end at the gate of the budgets."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from otel_mas.instrumentation.budgets import gate
from otel_mas.instrumentation.langchain.models import HANDLER
from otel_mas.instrumentation.langchain.requests import Target, target
from otel_mas.instrumentation.langchain.responses import end_attributes
from otel_mas.instrumentation.replacements import Original, Replacement, before
from otel_mas.pricing import PRICES
from otel_mas.record import RecentlyUsed, field_of, guarded, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import Operation
from otel_mas.store.spending import Spent

_MOST_OPEN: Final = 16_384
_PRICES_S: Final = 3.0


class _Open(NamedTuple):
    charge: gate.Charge
    called: Target


_open: RecentlyUsed[Any, _Open] = RecentlyUsed(_MOST_OPEN)
"""Model calls that have begun, by LangChain's run id."""


def model_start(operation: Operation) -> tuple[Replacement, Replacement]:
    """`on_chat_model_start` or `on_llm_start` of a callback manager, which comes before the request."""

    def replace(original: Original) -> Original:
        @functools.wraps(original)
        def start(self: Any, serialized: Any, asked: Any, *args: Any, **kwargs: Any) -> Any:
            charges = _begin(operation, self, serialized, asked, kwargs)
            runs = original(self, serialized, asked, *args, **kwargs)
            _begun(charges, runs)
            return runs

        return start

    def replace_coroutine(original: Original) -> Original:
        @functools.wraps(original)
        async def start(self: Any, serialized: Any, asked: Any, *args: Any, **kwargs: Any) -> Any:
            charges = _begin(operation, self, serialized, asked, kwargs)
            runs = await original(self, serialized, asked, *args, **kwargs)
            _begun(charges, runs)
            return runs

        return start

    return replace, replace_coroutine


def _begin(
    operation: Operation, manager: Any, serialized: Any, asked: Sequence[Any], extra: dict[str, Any]
) -> Sequence[_Open]:
    if not gate.scopes_here():
        return ()
    called = target(operation, serialized, manager.metadata or {}, extra.get("invocation_params") or {})
    charges = gate.begin(f"the model {called.model or 'without a name'}", len(asked), model=True)
    return [_Open(charge, called) for charge in charges]


def _begun(charges: Sequence[_Open], runs: Sequence[Any]) -> None:
    for one, run in zip(charges, runs, strict=False):
        _open.put(run.run_id, one)


def _answered(run: Any, response: Any, *_: Any, **__: Any) -> None:
    _end(run, response)


def _failed(run: Any, error: BaseException, *_: Any, response: Any = None, **__: Any) -> None:
    _end(run, response)


model_end = before(_answered, "budgets: model end")
model_error = before(_failed, "budgets: model error")


def _end(run: Any, response: Any) -> None:
    one = _open.pop(run.run_id) if len(_open) else None
    if one is None:
        return
    recorded = HANDLER.call_of(run)
    free = recorded is not None and recorded.simulated  # answered from a recording
    spent = None if free else _spent(one.called, response)
    gate.end(one.charge, (spent or Spent())._replace(seconds=time.monotonic() - one.charge.began))


@guarded("budgets: usage")
def _spent(called: Target, response: Any) -> Spent:
    generations = response.generations[0] if response is not None and response.generations else ()
    if not generations:
        return Spent()
    PRICES.wait(_PRICES_S)
    found = end_attributes(called, generations, field_of(response, "llm_output"), simulated=False, streamed=True)
    counts = (names.GEN_AI_USAGE_INPUT_TOKENS, names.GEN_AI_USAGE_OUTPUT_TOKENS)
    usd = found.get(names.MAS_COST_USD)
    return Spent(usd or 0.0, sum(found.get(one, 0) for one in counts), 0, int(usd is None))


def tool_run(original: Original) -> Original:
    """`BaseTool.run`, by which every way of calling a tool goes."""

    @functools.wraps(original)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        charges = _begin_tool(self)
        try:
            return original(self, *args, **kwargs)
        finally:
            for charge in charges:
                gate.end(charge)

    return run


def tool_arun(original: Original) -> Original:
    """`BaseTool.arun`."""

    @functools.wraps(original)
    async def arun(self: Any, *args: Any, **kwargs: Any) -> Any:
        charges = _begin_tool(self)
        try:
            return await original(self, *args, **kwargs)
        finally:
            for charge in charges:
                gate.end(charge)

    return arun


def _begin_tool(tool: Any) -> Sequence[gate.Charge]:
    if not gate.scopes_here():
        return ()
    return gate.begin(f"the tool {text_of(field_of(tool, 'name')) or type(tool).__name__}")


def begin_marked_tool(name: str) -> None:
    """Count the call of a tool that is marked in the app's code."""
    for charge in gate.begin(f"the tool {name}"):
        gate.end(charge)


chat_start, achat_start = model_start(Operation.CHAT)
completion_start, acompletion_start = model_start(Operation.TEXT_COMPLETION)

__all__ = [
    "achat_start",
    "acompletion_start",
    "begin_marked_tool",
    "chat_start",
    "completion_start",
    "model_end",
    "model_error",
    "tool_arun",
    "tool_run",
]
