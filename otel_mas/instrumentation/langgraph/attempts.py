"""Attempts of a node that has a retry policy: each has a span of its own.

LangGraph retries within one call of `run_with_retry`, and only the node's code is called for each attempt. So
LangGraph gets a copy of the task whose code is wrapped in `Attempts`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from time import time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context

from otel_mas.record import caught, restore_context

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context

    from otel_mas.instrumentation.langgraph.runs import TaskRun


def with_attempts(task: Any, state: TaskRun) -> Any:
    """The task for LangGraph to run, with its attempts recorded. Its writes are those of the original."""
    state.attempt = 1
    return replace(task, proc=Attempts(task.proc, state))


class Attempts:
    """The code of a node; each call is an attempt. The hook starts the span of the first."""

    __slots__ = ("_proc", "last", "state")

    def __init__(self, proc: Any, state: TaskRun) -> None:
        self._proc = proc
        self.state = state
        self.last: _Attempt | None = None

    def invoke(self, given: Any, config: Any) -> Any:
        with _Attempt(self):
            return self._proc.invoke(given, config)

    async def ainvoke(self, given: Any, config: Any) -> Any:
        with _Attempt(self):
            return await self._proc.ainvoke(given, config)

    async def astream(self, given: Any, config: Any) -> AsyncIterator[Any]:
        with _Attempt(self):
            async for chunk in self._proc.astream(given, config):
                yield chunk


class _Attempt:
    """A running attempt: its span is current."""

    __slots__ = ("_all", "_token", "left_ns")

    def __init__(self, attempts: Attempts) -> None:
        self._all = attempts
        self._token: Token[Context] | None = None
        self.left_ns: int | None = None

    def __enter__(self) -> None:
        before, self._all.last = self._all.last, self
        try:
            if before is not None:
                self._token = otel_context.attach(self._all.state.start_attempt(before.left_ns))
        except Exception as error:
            caught("langgraph attempt", error)

    def __exit__(self, kind: Any, exc: BaseException | None, traceback: Any) -> None:
        try:
            # An attempt that timed out may end only after the next one has begun.
            if exc is not None and self._all.last is self:
                self.left_ns = time_ns()
                self._all.state.attempt_failed(exc)
        except Exception as error:
            caught("langgraph attempt", error)
        finally:
            restore_context(self._token)
