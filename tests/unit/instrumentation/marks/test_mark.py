"""A mark around a block, and around each sort of function."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from opentelemetry import context, trace

import otel_mas
from otel_mas.model import StatusCode
from otel_mas.semconv import attributes as names


def current() -> int:
    return trace.get_current_span().get_span_context().span_id


def test_a_block_nests_under_what_is_current_and_is_current_inside(run: Any) -> None:
    with otel_mas.workflow("trip"), otel_mas.agent("planner") as planner:
        assert current() == planner.span.get_span_context().span_id
    assert current() == 0
    agent, workflow = run.named("invoke_agent planner"), run.named("invoke_workflow trip")
    assert agent.parent_span_id == workflow.span_id
    assert agent.attributes[names.MAS_TASK_OUTCOME] == "ok"
    assert workflow.attributes[names.MAS_RUN_OUTCOME] == "ok"


async def test_a_block_may_be_async(run: Any) -> None:
    async with otel_mas.task("merge"):
        await asyncio.sleep(0)
    assert run.named("task merge").record_kind == "AGENT_TASK"


def test_a_functions_own_name_is_the_default(run: Any) -> None:
    @otel_mas.agent
    def bare() -> None: ...

    @otel_mas.agent()
    def called() -> None: ...

    @otel_mas.agent(name="by keyword")
    def keyword() -> None: ...

    @otel_mas.agent("by place")
    def place() -> None: ...

    for function in (bare, called, keyword, place):
        function()
    assert [span.agent for span in run.spans()] == ["bare", "called", "by keyword", "by place"]


def test_each_call_is_a_span_and_a_task_of_its_own(run: Any) -> None:
    @otel_mas.task
    def twice(deeper: bool = True) -> None:
        if deeper:
            twice(False)

    twice()
    outer, inner = run.spans()
    assert inner.parent_span_id == outer.span_id
    assert outer.task_id != inner.task_id


async def test_calls_at_the_same_time_keep_apart(run: Any) -> None:
    @otel_mas.agent
    async def worker(number: int) -> int:
        await asyncio.sleep(0.01 * (3 - number))
        with otel_mas.tool(f"tool {number}"):
            return number

    assert await asyncio.gather(*(worker(number) for number in range(3))) == [0, 1, 2]
    agents = {span.span_id: run.messages(span)[0] for span in run.spans() if span.agent}
    for span in run.spans():
        if span.agent is None:
            ((message,)) = agents[span.parent_span_id]
            assert message["parts"][0]["content"] == int(span.name[-1])


def test_what_is_decorated_stays_what_it_was() -> None:
    def plain(a: int, *, b: str = "") -> str:
        """Does it."""
        return b * a

    async def coroutine() -> None: ...
    def generator() -> Iterator[int]:
        yield 1

    async def async_generator() -> AsyncIterator[int]:
        yield 1

    decorated = otel_mas.agent(plain)
    assert (decorated.__name__, decorated.__doc__) == ("plain", "Does it.")
    assert inspect.signature(decorated) == inspect.signature(plain)
    assert decorated(2, b="x") == "xx"
    assert inspect.iscoroutinefunction(otel_mas.task(coroutine))
    assert inspect.isgeneratorfunction(otel_mas.task(generator))
    assert inspect.isasyncgenfunction(otel_mas.task(async_generator))


def test_a_method_is_recorded_without_the_object_it_is_of(run: Any) -> None:
    class Writer:
        @otel_mas.agent("writer")
        def write(self, brief: str) -> str:
            return f"about {brief}"

    assert Writer().write("trams") == "about trams"
    read, wrote = run.messages(run.named("invoke_agent writer"))
    assert read == [{"role": "user", "parts": [{"type": "text", "content": "trams"}]}]
    assert wrote == [{"role": "assistant", "parts": [{"type": "text", "content": "about trams"}]}]


# -- generators ------------------------------------------------------------------------------------------------------


def test_a_generators_span_is_current_in_it_and_never_for_its_reader(run: Any) -> None:
    @otel_mas.task
    def numbers() -> Iterator[int]:
        for _ in range(2):
            yield current()

    seen = []
    for inside in numbers():
        assert current() == 0
        seen.append(inside)
    assert seen == [int(run.named("task numbers").span_id, 16)] * 2


def test_a_generator_takes_what_is_sent_thrown_and_returned(run: Any) -> None:
    @otel_mas.task
    def echo() -> Any:
        got = yield "ready"
        try:
            yield got
        except KeyError:
            yield "caught"
        return "done"

    def reader() -> Iterator[Any]:
        returned = yield from generator
        yield returned

    generator = echo()
    assert next(generator) == "ready"
    assert generator.send("hello") == "hello"
    assert generator.throw(KeyError()) == "caught"
    assert list(reader()) == ["done"]
    assert run.named("task echo").attributes[names.MAS_TASK_OUTCOME] == "ok"


async def test_an_async_generator_takes_what_is_sent_and_thrown(run: Any) -> None:
    @otel_mas.task
    async def echo() -> Any:
        got = yield current()
        try:
            await asyncio.sleep(0)
            yield got
        except KeyError:
            yield "caught"

    generator = echo()
    inside = await generator.asend(None)
    assert current() == 0
    assert await generator.asend("hello") == "hello"
    assert await generator.athrow(KeyError()) == "caught"
    with pytest.raises(StopAsyncIteration):
        await generator.asend(None)
    assert inside == int(run.named("task echo").span_id, 16)


async def test_a_stream_that_is_dropped_is_cancelled_and_no_error(run: Any) -> None:
    cleaned = []

    @otel_mas.task
    def numbers() -> Iterator[int]:
        try:
            yield from range(9)
        finally:
            cleaned.append("sync")

    @otel_mas.task
    async def anumbers() -> AsyncIterator[int]:
        try:
            for number in range(9):
                yield number
        finally:
            cleaned.append("async")

    for _ in numbers():
        break
    stream = anumbers()
    async for _ in stream:
        break
    await stream.aclose()
    assert cleaned == ["sync", "async"]
    for span in run.spans():
        assert (span.status, span.attributes[names.MAS_TASK_OUTCOME]) == (StatusCode.UNSET, "cancelled")


# -- how it ends -----------------------------------------------------------------------------------------------------


def test_an_error_is_one_error_where_it_happened(run: Any) -> None:
    @otel_mas.tool
    def broken() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), otel_mas.workflow("w"), otel_mas.agent("a"):
        broken()
    workflow, agent, tool = run.spans()
    assert [span.status for span in (workflow, agent, tool)] == [StatusCode.UNSET, StatusCode.UNSET, StatusCode.ERROR]
    assert agent.attributes[names.MAS_ERROR_SPAN] == f"{tool.trace_id}-{tool.span_id}"
    assert (agent.attributes[names.MAS_TASK_OUTCOME], workflow.attributes[names.MAS_RUN_OUTCOME]) == ("error", "error")
    assert [event.name for event in tool.events] == ["exception"]


async def test_a_cancellation_is_no_error(run: Any) -> None:
    @otel_mas.agent
    async def slow() -> None:
        await asyncio.sleep(60)

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    span = run.named("invoke_agent slow")
    assert (span.status, span.attributes[names.MAS_TASK_OUTCOME]) == (StatusCode.UNSET, "cancelled")


@pytest.mark.parametrize("left", [KeyboardInterrupt, SystemExit])
def test_leaving_the_program_is_no_error(run: Any, left: type[BaseException]) -> None:
    with pytest.raises(left), otel_mas.task("t"):
        raise left
    span = run.named("task t")
    assert (span.status, span.attributes[names.MAS_TASK_OUTCOME]) == (StatusCode.UNSET, "cancelled")


# -- off ---------------------------------------------------------------------------------------------------------------


def marks() -> list[tuple[str, Callable[[], Any]]]:
    return [
        (name, getattr(otel_mas, name))
        for name in ("workflow", "agent", "task", "tool", "retrieval", "guardrail", "grade", "routing")
    ]


@pytest.mark.parametrize(("name", "mark"), marks())
async def test_while_recording_is_off_nothing_is_recorded_and_nothing_changes(name: str, mark: Any) -> None:
    with mark(name) as one:
        assert not one.span.get_span_context().is_valid
        assert current() == 0

    @mark
    def plain(value: int) -> int:
        return value

    @mark
    async def coroutine(value: int) -> int:
        return value

    @mark
    def generator() -> Any:
        assert trace.get_current_span() is own
        yield 1
        return 2

    @mark
    async def async_generator() -> AsyncIterator[int]:
        assert trace.get_current_span() is own
        yield 1

    own = trace.NonRecordingSpan(trace.INVALID_SPAN_CONTEXT)
    token = context.attach(trace.set_span_in_context(own))
    assert plain(1) == 1
    assert await coroutine(1) == 1
    assert list(generator()) == [1]
    assert [one async for one in async_generator()] == [1]
    assert otel_mas.send("hello", to="b") == {}
    context.detach(token)
    otel_mas.receive("hello", {})
    otel_mas.event("happened", n=1)
    otel_mas.stage("stage", "1 of 2")
    otel_mas.state(draft="one")
    otel_mas.routing_reason("because")


def test_recording_that_ends_inside_a_block_hurts_nobody(run: Any) -> None:
    with otel_mas.agent("a") as agent:
        otel_mas.shutdown(30)
        agent.output("said too late")
    assert current() == 0
