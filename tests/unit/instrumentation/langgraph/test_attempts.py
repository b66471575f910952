"""Attempts without a graph: each call is one, and a task that cannot be tried again is left alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph
from opentelemetry.context import Context

from otel_mas.instrumentation.langgraph import hooks
from otel_mas.instrumentation.langgraph.attempts import Attempts


class Proc:
    """A node's code that ends as scripted."""

    def __init__(self, *endings: Any) -> None:
        self._endings = iter(endings)

    def invoke(self, given: Any, config: Any) -> Any:
        ending = next(self._endings)
        if isinstance(ending, BaseException):
            raise ending
        return ending

    async def ainvoke(self, given: Any, config: Any) -> Any:
        await asyncio.sleep(3600)


class State:
    """Stands in for a `TaskRun`: remembers the calls."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def start_attempt(self, left_ns: int | None) -> Context:
        self.calls.append("attempt" if left_ns else "attempt, the last one still running")
        return Context()

    def attempt_failed(self, exc: BaseException) -> None:
        self.calls.append(exc)


def test_each_call_after_the_first_begins_another_attempt() -> None:
    state, error = State(), ValueError("boom")
    attempts = Attempts(Proc(error, "done"), state)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="boom"):
        attempts.invoke({}, {})
    assert attempts.invoke({}, {}) == "done"
    assert state.calls == [error, "attempt"]


async def test_an_attempt_that_is_stopped_after_the_next_has_begun_does_not_end_that_one() -> None:
    state = State()
    attempts = Attempts(Proc("done"), state)  # type: ignore[arg-type]
    first = asyncio.create_task(attempts.ainvoke({}, {}))
    await asyncio.sleep(0)
    assert attempts.invoke({}, {}) == "done"
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert state.calls == ["attempt, the last one still running"]


def test_a_task_without_a_policy_is_run_as_it_is(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(TypedDict, total=False):
        count: int

    def refuse(*args: Any) -> Any:
        raise AssertionError("no task here can be tried again")

    monkeypatch.setattr(hooks, "with_attempts", refuse)
    graph = StateGraph(Counting)
    graph.add_node("node", lambda state: {"count": 1})
    graph.add_edge(START, "node")
    assert graph.compile().invoke({"count": 0}) == {"count": 1}
