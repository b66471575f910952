"""Record runs that fail before LangGraph's loop begins, from which on `hooks` records a run.

A checkpointer without a thread, a recursion limit of 0, a context that does not fit its schema, a callback of the app
that raises: the commonest errors of LangGraph happen there. The span of such a run is an instant with the error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple

from otel_mas.fork import imports
from otel_mas.instrumentation.langgraph.current import current_task
from otel_mas.record import caught, is_a, recorder
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RunOutcome

Original = Callable[..., Any]


class _Starting(NamedTuple):
    graph: Any
    config: Any
    run_id: Any
    """LangChain's, once the callbacks have been told that the run starts."""


_starting: ContextVar[_Starting | None] = ContextVar("otel-mas starting run", default=None)


def defaults(original: Original) -> Original:
    """`Pregel._defaults`, which checks the configuration of every run, synchronous or not."""

    @functools.wraps(original)
    def _defaults(self: Any, config: Any, *args: Any, **kwargs: Any) -> Any:
        if not recorder().active:
            return original(self, config, *args, **kwargs)
        starting = _Starting(self, config, None)
        try:
            checked = original(self, config, *args, **kwargs)
        except Exception as error:
            _failed(starting, error)
            raise
        _starting.set(starting)
        return checked

    return _defaults


def chain_start(original: Original) -> Original:
    """`CallbackManager.on_chain_start`: a handler of the app's may raise (`raise_error`)."""

    @functools.wraps(original)
    def on_chain_start(self: Any, *args: Any, **kwargs: Any) -> Any:
        starting = _starting.get()
        if starting is None or starting.run_id is not None:
            return original(self, *args, **kwargs)
        try:
            manager = original(self, *args, **kwargs)
        except Exception as error:
            _failed(starting, error)
            raise
        _starting.set(starting._replace(run_id=manager.run_id))
        return manager

    return on_chain_start


def achain_start(original: Original) -> Original:
    """`AsyncCallbackManager.on_chain_start`."""

    @functools.wraps(original)
    async def on_chain_start(self: Any, *args: Any, **kwargs: Any) -> Any:
        starting = _starting.get()
        if starting is None or starting.run_id is not None:
            return await original(self, *args, **kwargs)
        try:
            manager = await original(self, *args, **kwargs)
        except Exception as error:
            _failed(starting, error)
            raise
        _starting.set(starting._replace(run_id=manager.run_id))
        return manager

    return on_chain_start


def chain_error(original: Original) -> Original:
    """`on_chain_error` of a run's manager, async or not: LangGraph tells it whatever else goes wrong."""

    @functools.wraps(original)
    def on_chain_error(self: Any, error: Any, *args: Any, **kwargs: Any) -> Any:
        starting = _starting.get()
        if starting is not None and starting.run_id in (None, self.run_id) and is_a(error, "Exception"):
            _failed(starting, error)
        return original(self, error, *args, **kwargs)

    return on_chain_error


def begun() -> None:
    """Forget the run that is starting: its loop has begun."""
    if _starting.get() is not None:
        _starting.set(None)


def _failed(starting: _Starting, error: Exception) -> None:
    with imports:
        from otel_mas.instrumentation.langgraph import spans
        from otel_mas.instrumentation.langgraph.callback_fallback import RUNS_FALLBACK
    try:
        _starting.set(None)
        if RUNS_FALLBACK.started:
            return  # which records the run, and its failure
        rec, outer = recorder(), current_task()
        if outer is not None and outer.graph is not None and outer.graph is starting.graph:
            return  # a subgraph used as a node is one span with its task, which this error leaves
        name, attributes = spans.run_attributes(starting.graph, starting.config)
        span = rec.start_span(name, attributes)
        rec.record_exception(span, error)
        rec.set_attributes(span, {names.MAS_RUN_OUTCOME: RunOutcome.ERROR.value})
        span.end()
    except Exception as failure:
        caught("langgraph run that did not start", failure)


__all__ = ["achain_start", "begun", "chain_error", "chain_start", "defaults"]
