"""Record runs that fail before LangGraph's loop begins; `hooks` records a run from then on.

A checkpointer without a thread, a recursion limit of 0, a context that does not fit its schema, a callback of the app
that raises: the commonest errors of LangGraph happen there. The span of such a run is an instant with the error.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple

from otel_mas.instrumentation.langgraph import spans
from otel_mas.instrumentation.langgraph.callback_fallback import RUNS_FALLBACK
from otel_mas.instrumentation.langgraph.current import current_task
from otel_mas.instrumentation.replacements import around, before
from otel_mas.record import is_a, recorder
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RunOutcome


class _Starting(NamedTuple):
    graph: Any
    config: Any
    run_id: Any
    """LangChain's, once its callbacks were called for the start of the run."""


_starting: ContextVar[_Starting | None] = ContextVar("otel-mas starting run", default=None)


def _begin_defaults(graph: Any, config: Any, *args: Any, **kwargs: Any) -> _Starting | None:
    """`Pregel._defaults` checks the configuration of every run, synchronous or not."""
    return _Starting(graph, config, None) if recorder().active else None


def _end_defaults(starting: _Starting, error: BaseException | None, checked: Any) -> None:
    if error is None:
        _starting.set(starting)
    elif isinstance(error, Exception):
        _record(starting, error)


def _begin_chain(*args: Any, **kwargs: Any) -> _Starting | None:
    """In `CallbackManager.on_chain_start` a handler of the app's may raise (`raise_error`)."""
    starting = _starting.get()
    return starting if starting is not None and starting.run_id is None else None


def _end_chain(starting: _Starting, error: BaseException | None, manager: Any) -> None:
    if error is None:
        _starting.set(starting._replace(run_id=manager.run_id))
    elif isinstance(error, Exception):
        _record(starting, error)


def _chain_failed(manager: Any, error: Any, *args: Any, **kwargs: Any) -> None:
    """LangGraph calls `on_chain_error` of a run's manager, async or not, for any other error."""
    starting = _starting.get()
    if starting is not None and starting.run_id in (None, manager.run_id) and is_a(error, "Exception"):
        _record(starting, error)


_PLACE = "langgraph run that did not start"

defaults, _ = around(_begin_defaults, _end_defaults, _PLACE)
chain_start, achain_start = around(_begin_chain, _end_chain, _PLACE)
chain_error = before(_chain_failed, _PLACE)


def run_has_started() -> None:
    """Forget the run that is starting: its loop has begun."""
    if _starting.get() is not None:
        _starting.set(None)


def _record(starting: _Starting, error: Exception) -> None:
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


__all__ = ["achain_start", "chain_error", "chain_start", "defaults", "run_has_started"]
