"""Streams: what their consumers do stays outside, and what becomes of a stream that nobody reads to its end."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import threading
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import START, StateGraph
from opentelemetry import trace

from tests.accuracy.trees import spans_of, trees

TRACER = trace.get_tracer("the app")


class State(TypedDict):
    text: str


def step(state: State) -> None:
    with TRACER.start_as_current_span("work"):
        time.sleep(0.001)


async def astep(state: State) -> None:
    with TRACER.start_as_current_span("work"):
        await asyncio.sleep(0.001)


def chain(node: Callable[..., Any], *names: str) -> Any:
    builder = StateGraph(State)
    last = START
    for name in names:
        builder.add_node(name, node)
        builder.add_edge(last, name)
        last = name
    return builder.compile(name="app")


def side_by_side(fast: Callable[..., Any], slow: Callable[..., Any]) -> Any:
    builder = StateGraph(State)
    builder.add_node("fast", fast)
    builder.add_node("slow", slow)
    builder.add_edge(START, "fast")
    builder.add_edge(START, "slow")
    return builder.compile(name="app")


@pytest.fixture(autouse=True)
def nothing_is_said(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Neither by OpenTelemetry ("Failed to detach context"), nor by asyncio, nor as a warning."""
    gc.collect()  # what earlier tests left is theirs
    with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.WARNING):
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [record.getMessage() for record in caplog.records] == []
    assert [str(warning.message) for warning in warned] == []


def ended(store: Path) -> list[str]:
    """The trees of a store in which every span has ended and none is an error."""
    spans = spans_of(store)
    assert [span.name for span in spans if span.end_ns is None] == []
    assert [span.name for span in spans if span.status.name == "ERROR" or span.events] == []
    return trees(spans)


def outcomes(store: Path) -> dict[str, str]:
    found = {}
    for span in spans_of(store):
        outcome = span.attributes.get("mas.run.outcome") or span.attributes.get("mas.task.outcome")
        if outcome is not None:
            found[span.name] = outcome
    return found


MODES = ["values", "updates", "messages", "custom", "debug", ["updates", "messages"]]


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_consumer_s_spans_are_the_consumer_s(mode: Any, asynchronous: bool, recorded: Path) -> None:
    def consume() -> None:
        with TRACER.start_as_current_span("request"):
            for _ in chain(step, "one", "two").stream({"text": ""}, stream_mode=mode):
                with TRACER.start_as_current_span("consumer"):
                    pass
            with TRACER.start_as_current_span("after"):
                pass

    async def aconsume() -> None:
        with TRACER.start_as_current_span("request"):
            async for _ in chain(astep, "one", "two").astream({"text": ""}, stream_mode=mode):
                with TRACER.start_as_current_span("consumer"):
                    await asyncio.sleep(0)
            with TRACER.start_as_current_span("after"):
                pass

    if asynchronous:
        asyncio.run(aconsume())
    else:
        consume()
    (tree,) = ended(recorded)
    seen = tree.count(" consumer")
    app = "invoke_workflow app(task one(work) task two(work))"
    assert tree == f"request({' '.join(['after', *['consumer'] * seen, app])})"
    assert seen > 0 or mode in ("messages", "custom")


# -- sync streams that are not read to their end -----------------------------------------------------------------------


def break_out(app: Any) -> None:
    for _ in app.stream({"text": ""}, stream_mode="updates"):
        break


def close_it(app: Any) -> None:
    stream = app.stream({"text": ""}, stream_mode="updates")
    next(stream)
    stream.close()


def collect_it(app: Any) -> None:
    """In a reference cycle, so that it is the collector that closes it."""
    stream = app.stream({"text": ""}, stream_mode="updates")
    cycle: list[Any] = [stream]
    cycle.append(cycle)
    next(stream)
    del stream, cycle
    gc.collect()


def close_it_in_a_thread(app: Any) -> None:
    stream = app.stream({"text": ""}, stream_mode="updates")
    next(stream)
    thread = threading.Thread(target=stream.close)
    thread.start()
    thread.join()


def close_it_in_another_context(app: Any) -> None:
    stream = app.stream({"text": ""}, stream_mode="updates")
    contextvars.copy_context().run(next, stream)
    contextvars.Context().run(stream.close)


def fail_in_the_consumer(app: Any) -> None:
    try:
        for _ in app.stream({"text": ""}, stream_mode="updates"):
            raise KeyError("the consumer's own")
    except KeyError:
        pass


SYNC = [break_out, close_it, collect_it, close_it_in_a_thread, close_it_in_another_context, fail_in_the_consumer]


@pytest.mark.parametrize("leave", SYNC, ids=lambda leave: leave.__name__)
def test_a_stream_that_is_left_is_abandoned_and_what_comes_after_is_outside(
    leave: Callable[[Any], None], recorded: Path
) -> None:
    with TRACER.start_as_current_span("request"):
        leave(chain(step, "one", "two"))
        with TRACER.start_as_current_span("after"):
            pass
    assert ended(recorded) == ["request(after invoke_workflow app(task one(work)))"]
    assert outcomes(recorded) == {"invoke_workflow app": "abandoned", "task one": "ok"}


@pytest.mark.parametrize("leave", SYNC, ids=lambda leave: leave.__name__)
def test_a_task_that_runs_when_its_stream_is_left_ends_with_it(leave: Callable[[Any], None], recorded: Path) -> None:
    def slow(state: State) -> None:
        time.sleep(0.1)

    leave(side_by_side(step, slow))
    assert ended(recorded) == ["invoke_workflow app(task fast(work) task slow)"]
    # LangGraph waits for its threads: this one came to its end.
    assert outcomes(recorded) == {"invoke_workflow app": "abandoned", "task fast": "ok", "task slow": "ok"}


def test_a_stream_that_was_never_begun_is_no_run(recorded: Path) -> None:
    stream = chain(step, "one").stream({"text": ""})
    del stream
    gc.collect()
    with TRACER.start_as_current_span("after"):
        pass
    assert ended(recorded) == ["after"]


# -- async streams -----------------------------------------------------------------------------------------------------


async def abreak_out(app: Any) -> None:
    async for _ in app.astream({"text": ""}, stream_mode="updates"):
        break


async def aclose_it(app: Any) -> None:
    stream = app.astream({"text": ""}, stream_mode="updates")
    await anext(stream)
    await stream.aclose()


async def acollect_it(app: Any) -> None:
    stream = app.astream({"text": ""}, stream_mode="updates")
    cycle: list[Any] = [stream]
    cycle.append(cycle)
    await anext(stream)
    del stream, cycle
    gc.collect()


async def aclose_it_in_a_task(app: Any) -> None:
    stream = app.astream({"text": ""}, stream_mode="updates")
    await anext(stream)
    await asyncio.create_task(stream.aclose())


async def read_and_close_it_in_tasks(app: Any) -> None:
    stream = app.astream({"text": ""}, stream_mode="updates")

    async def read() -> None:
        await anext(stream)

    await asyncio.create_task(read())
    await asyncio.create_task(stream.aclose(), context=contextvars.Context())


async def afail_in_the_consumer(app: Any) -> None:
    try:
        async for _ in app.astream({"text": ""}, stream_mode="updates"):
            raise KeyError("the consumer's own")
    except KeyError:
        pass


ASYNC = [abreak_out, aclose_it, acollect_it, aclose_it_in_a_task, read_and_close_it_in_tasks, afail_in_the_consumer]


@pytest.mark.parametrize("leave", ASYNC, ids=lambda leave: leave.__name__)
def test_an_async_stream_that_is_left_is_abandoned(leave: Callable[[Any], Awaitable[None]], recorded: Path) -> None:
    async def request() -> None:
        with TRACER.start_as_current_span("request"):
            await leave(chain(astep, "one", "two"))
            with TRACER.start_as_current_span("after"):
                await asyncio.sleep(0.02)

    asyncio.run(request())
    assert ended(recorded) == ["request(after invoke_workflow app(task one(work)))"]
    assert outcomes(recorded) == {"invoke_workflow app": "abandoned", "task one": "ok"}


@pytest.mark.parametrize("leave", ASYNC, ids=lambda leave: leave.__name__)
def test_an_async_task_that_runs_when_its_stream_is_left_is_cancelled(
    leave: Callable[[Any], Awaitable[None]], recorded: Path
) -> None:
    async def slow(state: State) -> None:
        await asyncio.sleep(20)

    asyncio.run(leave(side_by_side(astep, slow)))
    assert ended(recorded) == ["invoke_workflow app(task fast(work) task slow)"]
    assert outcomes(recorded) == {"invoke_workflow app": "abandoned", "task fast": "ok", "task slow": "cancelled"}


def test_a_stream_still_open_when_its_loop_ends_is_abandoned(recorded: Path) -> None:
    kept: list[AsyncIterator[Any]] = []

    async def begin() -> None:
        kept.append(chain(astep, "one", "two").astream({"text": ""}, stream_mode="updates"))
        await anext(kept[0])

    asyncio.run(begin())
    assert ended(recorded) == ["invoke_workflow app(task one(work))"]
    assert outcomes(recorded) == {"invoke_workflow app": "abandoned", "task one": "ok"}


# -- what is inside of an abandoned stream -----------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_model_that_streams_into_an_abandoned_stream_is_no_error(asynchronous: bool, recorded: Path) -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("one two three four")]))

    def node(state: State) -> None:
        for _ in model.stream("?"):
            time.sleep(0.005)

    async def anode(state: State) -> None:
        async for _ in model.astream("?"):
            await asyncio.sleep(0.005)

    async def aread() -> None:
        async for _ in chain(anode, "node").astream({"text": ""}, stream_mode="messages"):
            break

    if asynchronous:
        asyncio.run(aread())
    else:
        for _ in chain(node, "node").stream({"text": ""}, stream_mode="messages"):
            break
    assert ended(recorded) == ["invoke_workflow app(task node(chat))"]
    assert outcomes(recorded)["invoke_workflow app"] == "abandoned"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_node_that_abandons_an_inner_stream_goes_on(asynchronous: bool, recorded: Path) -> None:
    inner = chain(astep if asynchronous else step, "one", "two")
    inner.name = "inner"

    def node(state: State) -> None:
        break_out(inner)
        with TRACER.start_as_current_span("after"):
            pass

    async def anode(state: State) -> None:
        await abreak_out(inner)
        with TRACER.start_as_current_span("after"):
            await asyncio.sleep(0.02)

    if asynchronous:
        asyncio.run(chain(anode, "node").ainvoke({"text": ""}))
    else:
        chain(node, "node").invoke({"text": ""})
    assert ended(recorded) == ["invoke_workflow app(task node(after invoke_workflow inner(task one(work))))"]
    found = outcomes(recorded)
    assert (found["invoke_workflow app"], found["invoke_workflow inner"]) == ("ok", "abandoned")


def test_an_abandoned_stream_of_events_is_no_error(recorded: Path) -> None:
    async def read() -> None:
        async for event in chain(astep, "one", "two").astream_events({"text": ""}, version="v2"):
            if event["event"] == "on_chain_end" and event["name"] == "one":
                break

    asyncio.run(read())
    (tree,) = ended(recorded)
    assert tree.startswith("invoke_workflow app(task one(work)")
    assert outcomes(recorded)["invoke_workflow app"] in ("abandoned", "cancelled")  # LangChain cancels what it reads
