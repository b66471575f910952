"""Where updates of a thread's state are listened to: `langgraph.pregel.main`, wrapped by plain functions.

Inside of a call of `update_state`, which is `bulk_update_state` with one update, LangGraph calls its own functions for
what waits, for applying writes and for making a checkpoint; `get_state` calls some of them as well, and is let through.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from opentelemetry import context as otel_context

from otel_mas.instrumentation.langgraph.updates import StateUpdate
from otel_mas.record import caught, recorder

Original = Callable[..., Any]

updating: ContextVar[StateUpdate | None] = ContextVar("otel-mas-langgraph-update", default=None)
"""The update that this code runs in."""


def bulk_update_state(original: Original) -> Original:
    """`Pregel.bulk_update_state`, which `update_state` calls."""

    @functools.wraps(original)
    def bulk_update_state(self: Any, config: Any, supersteps: Any, *args: Any, **kwargs: Any) -> Any:
        update, tokens = _begin(self, config, supersteps)
        if update is None:
            return original(self, config, supersteps, *args, **kwargs)
        try:
            result = original(self, config, supersteps, *args, **kwargs)
        except BaseException as exc:
            _end(update, tokens, exc)
            raise
        _end(update, tokens, None)
        return result

    return bulk_update_state


def abulk_update_state(original: Original) -> Original:
    """`Pregel.abulk_update_state`."""

    @functools.wraps(original)
    async def abulk_update_state(self: Any, config: Any, supersteps: Any, *args: Any, **kwargs: Any) -> Any:
        update, tokens = _begin(self, config, supersteps)
        if update is None:
            return await original(self, config, supersteps, *args, **kwargs)
        try:
            result = await original(self, config, supersteps, *args, **kwargs)
        except BaseException as exc:
            _end(update, tokens, exc)
            raise
        _end(update, tokens, None)
        return result

    return abulk_update_state


def _begin(graph: Any, config: Mapping[str, Any], supersteps: Sequence[Any]) -> tuple[StateUpdate | None, Any]:
    try:
        rec = recorder()
        if not rec.active:
            return None, None
        around = updating.get()
        if around is not None and around.is_passed_on(graph, config):
            return None, None
        update = StateUpdate(rec, graph, config, supersteps)
        return update, (updating.set(update), otel_context.attach(update.begin()))
    except Exception as error:
        caught("langgraph update start", error)
    return None, None


def _end(update: StateUpdate, tokens: Any, exc: BaseException | None) -> None:
    try:
        try:
            for token in reversed(tokens):
                token.var.reset(token)
        finally:
            update.finish(exc)
    except Exception as error:
        update.span.end()
        caught("langgraph update end", error)


def prepare_next_tasks(original: Original) -> Original:
    """`langgraph.pregel.main.prepare_next_tasks`: which tasks wait."""

    @functools.wraps(original)
    def prepare_next_tasks(*args: Any, **kwargs: Any) -> Any:
        tasks = original(*args, **kwargs)
        update = updating.get()
        if update is not None:
            try:
                update.prepared(tasks)
            except Exception as error:
                caught("langgraph update tasks", error)
        return tasks

    return prepare_next_tasks


def apply_writes(original: Original) -> Original:
    """`langgraph.pregel.main.apply_writes`: who wrote each channel. `get_state` gives no `get_next_version`."""

    @functools.wraps(original)
    def apply_writes(
        checkpoint: Any, channels: Any, tasks: Any, get_next_version: Any, *rest: Any, **kwargs: Any
    ) -> Any:
        update = updating.get()
        if update is None or get_next_version is None:
            return original(checkpoint, channels, tasks, get_next_version, *rest, **kwargs)
        tasks = list(tasks)
        consumed: Sequence[str] = ()
        try:
            consumed = update.before_writes(checkpoint, channels, tasks)
        except Exception as error:
            caught("langgraph update writes", error)
        result = original(checkpoint, channels, tasks, get_next_version, *rest)
        try:
            update.after_writes(checkpoint, channels, tasks, consumed)
        except Exception as error:
            caught("langgraph update writes", error)
        return result

    return apply_writes


def create_checkpoint(original: Original) -> Original:
    """`langgraph.pregel.main.create_checkpoint`: what waits in the channels is remembered under the new id."""

    @functools.wraps(original)
    def create_checkpoint(checkpoint: Any, channels: Any, step: Any, *args: Any, **kwargs: Any) -> Any:
        made = original(checkpoint, channels, step, *args, **kwargs)
        update = updating.get()
        if update is not None:
            try:
                update.saved(checkpoint, made, channels, step)
            except Exception as error:
                caught("langgraph update checkpoint", error)
        return made

    return create_checkpoint
