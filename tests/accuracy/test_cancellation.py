"""Cancellations, deadlines and interrupts from the keyboard: each what it is, once, also in what ran beside it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypedDict

import anyio
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import START, StateGraph

from tests.accuracy.trees import spans_of, trees

SOON = 2.0  # seconds until a time limit that the app sets: everything has begun then, also on a busy machine
HANGING: list[None] = []  # one for each node, model or tool that hangs


class State(TypedDict):
    text: str


async def hang(state: State | None = None) -> None:
    HANGING.append(None)
    await asyncio.sleep(60)


async def until_hanging(number: int = 2) -> None:
    while len(HANGING) < number:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # what else runs has ended


async def quick(state: State) -> None:
    await asyncio.sleep(0)


def side_by_side(name: str = "app", **nodes: Callable[..., Any]) -> Any:
    builder = StateGraph(State)
    for node_name, node in nodes.items():
        builder.add_node(node_name, node)
        builder.add_edge(START, node_name)
    return builder.compile(name=name)


def in_a_subgraph() -> Any:
    return side_by_side(quick=quick, hangs=hang, inner=side_by_side("inner", leaf=hang))


@pytest.fixture(autouse=True)
def nothing_hangs_yet() -> None:
    HANGING.clear()


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING):
        yield
    assert [record.getMessage() for record in caplog.records] == []


def outcomes(store: Path) -> dict[str, str]:
    spans = spans_of(store)
    assert [span.name for span in spans if span.end_ns is None] == []
    found = {}
    for span in spans:
        outcome = span.attributes.get("mas.run.outcome") or span.attributes.get("mas.task.outcome")
        found[span.name] = outcome or span.status.name
    return found


def errors(store: Path) -> list[tuple[str, str]]:
    return [(span.name, span.attributes["error.type"]) for span in spans_of(store) if span.status.name == "ERROR"]


async def cancel(app: Any) -> None:
    task = asyncio.create_task(app.ainvoke({"text": ""}))
    await until_hanging()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def timeout(app: Any) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SOON):
            await app.ainvoke({"text": ""})


async def wait_for(app: Any) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(app.ainvoke({"text": ""}), SOON)


async def anyio_scope(app: Any) -> None:
    with anyio.move_on_after(SOON) as scope:
        await app.ainvoke({"text": ""})
    assert scope.cancelled_caught


async def a_sibling_of_a_task_group(app: Any) -> None:
    async def fail() -> None:
        await until_hanging()
        raise KeyError("the app's own")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(app.ainvoke({"text": ""}))
            group.create_task(fail())
    except* KeyError:
        pass


async def a_stream_s_reader(app: Any) -> None:
    async def read() -> None:
        async for _ in app.astream({"text": ""}, stream_mode="updates"):
            pass

    task = asyncio.create_task(read())
    await until_hanging()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


WAYS = [cancel, timeout, wait_for, anyio_scope, a_sibling_of_a_task_group, a_stream_s_reader]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_cancelled_run_is_cancelled_with_all_that_ran(way: Callable[[Any], Awaitable[None]], recorded: Path) -> None:
    asyncio.run(way(in_a_subgraph()))
    assert outcomes(recorded) == {
        "invoke_workflow app": "cancelled",
        "task quick": "ok",
        "task hangs": "cancelled",
        "invoke_agent inner": "cancelled",
        "task leaf": "cancelled",
    }
    assert errors(recorded) == []


def test_models_and_tools_of_a_cancelled_run_are_no_errors(recorded: Path) -> None:
    class Slow(GenericFakeChatModel):
        async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
            await hang()

    @tool
    async def wait(word: str) -> str:
        """Waits."""
        await hang()
        return word

    async def model(state: State) -> None:
        await Slow(messages=iter([AIMessage("never")])).ainvoke("?")

    async def use(state: State) -> None:
        await wait.ainvoke({"word": "a"})

    asyncio.run(cancel(side_by_side(model=model, use=use)))
    assert trees(spans_of(recorded)) == ["invoke_workflow app(task model(chat) task use(execute_tool wait))"]
    assert errors(recorded) == []


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_step_that_takes_too_long_is_one_error_the_run_s_own(asynchronous: bool, recorded: Path) -> None:
    """LangGraph raises a `TimeoutError` for the step: what ran in it did not fail, it was cancelled where it can be."""

    def slow(state: State) -> None:
        time.sleep(SOON + 1)

    app = side_by_side(first=hang if asynchronous else slow, second=hang if asynchronous else slow)
    app.step_timeout = SOON
    with pytest.raises(TimeoutError):
        asyncio.run(app.ainvoke({"text": ""})) if asynchronous else app.invoke({"text": ""})
    left = "cancelled" if asynchronous else "ok"  # a thread cannot be cancelled: it comes to its end
    assert outcomes(recorded) == {"invoke_workflow app": "error", "task first": left, "task second": left}
    assert errors(recorded) == [("invoke_workflow app", "TimeoutError")]


def test_a_step_that_takes_too_long_in_a_subgraph_is_the_subgraph_s_error(recorded: Path) -> None:
    inner = side_by_side("inner", leaf=hang)
    inner.step_timeout = SOON
    app = side_by_side(inner=inner, sibling=hang)
    with pytest.raises(TimeoutError):
        asyncio.run(app.ainvoke({"text": ""}))
    assert errors(recorded) == [("invoke_agent inner", "TimeoutError")]
    assert outcomes(recorded) == {
        "invoke_workflow app": "error",
        "invoke_agent inner": "error",
        "task leaf": "cancelled",
        "task sibling": "cancelled",
    }


def test_siblings_of_a_task_that_failed_are_cancelled(recorded: Path) -> None:
    async def fail(state: State) -> None:
        await until_hanging(1)
        raise KeyError("the app's own")

    with pytest.raises(KeyError):
        asyncio.run(side_by_side(fails=fail, hangs=hang).ainvoke({"text": ""}))
    assert outcomes(recorded) == {"invoke_workflow app": "error", "task fails": "error", "task hangs": "cancelled"}
    assert errors(recorded) == [("task fails", "KeyError")]


def test_a_node_that_is_cancelled_and_says_otherwise_is_what_it_says(recorded: Path) -> None:
    async def stubborn(state: State) -> None:
        try:
            await hang()
        except asyncio.CancelledError:
            raise ValueError("was not done") from None

    async def run() -> None:
        task = asyncio.create_task(side_by_side(stubborn=stubborn).ainvoke({"text": ""}))
        await until_hanging(1)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(run())
    assert errors(recorded) == [("task stubborn", "ValueError")]


APP = """
import asyncio, signal, sys, time
from typing import TypedDict
import otel_mas
from langgraph.graph import START, StateGraph

class State(TypedDict):
    text: str

def node(state):
    print("running", flush=True)
    time.sleep(20)

async def anode(state):
    print("running", flush=True)
    await asyncio.sleep(20)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it starts in the background ignore it
otel_mas.instrument(store=sys.argv[1])
builder = StateGraph(State)
builder.add_node("node", anode if sys.argv[2] == "async" else node)
builder.add_edge(START, "node")
app = builder.compile(name="app")
asyncio.run(app.ainvoke({"text": ""})) if sys.argv[2] == "async" else app.invoke({"text": ""})
"""


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_interrupt_from_the_keyboard_is_a_cancellation_and_the_app_dies_of_it(kind: str, tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    command = [sys.executable, "-c", APP, str(store), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        os.kill(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGINT
    assert stderr.rstrip().endswith("KeyboardInterrupt")
    assert "otel-mas:" not in stderr
    assert outcomes(store) == {"invoke_workflow app": "cancelled", "task node": "cancelled"}
    assert errors(store) == []
