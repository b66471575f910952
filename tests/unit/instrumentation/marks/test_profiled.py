"""Counted and timed functions: of every kind, interleaved, nested, failing; and what is not counted."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

import otel_mas
from otel_mas.record.functions import MOST_FUNCTIONS
from otel_mas.semconv import attributes as names
from tests.unit.instrumentation.marks.conftest import Run

MS = 1_000_000


class Counted(NamedTuple):
    calls: int
    errors: int
    total: int
    self: int
    running: int
    longest: int


def counted(run: Run, span: str = "task t") -> dict[str, Counted]:
    """Functions by the last part of their names."""
    found = {}
    for entry in run.named(span).get(names.MAS_FUNCTIONS) or ():
        name, *numbers = entry.split("|")
        found[name.rpartition(".")[2]] = Counted(*map(int, numbers))
    return found


@otel_mas.profiled
def plain(seconds: float = 0) -> str:
    time.sleep(seconds)
    return "done"


@otel_mas.profiled
async def waits(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


def test_a_function_is_counted_with_the_task_that_it_ran_in(run: Run) -> None:
    with otel_mas.task("t"):
        assert [plain(), plain(0.02)] == ["done", "done"]
    found = counted(run)["plain"]
    assert (found.calls, found.errors) == (2, 0)
    assert 20 * MS <= found.longest <= found.total == found.self == found.running


def test_the_name_is_qualified_or_given(run: Run) -> None:
    with otel_mas.task("t"):
        plain()
        otel_mas.profiled(name="my rank")(lambda: None)()
    entries = [entry.partition("|")[0] for entry in run.named("task t").get(names.MAS_FUNCTIONS)]
    assert entries == [f"{__name__}.plain", "my rank"]


def test_a_thousand_coroutines_that_interleave_have_their_own_times(run: Run) -> None:
    """Each waits 50 ms and runs 0.05 ms or so: all of them together take a fraction of the sum."""

    @otel_mas.profiled
    def step() -> None:
        end = time.perf_counter_ns() + 50_000
        while time.perf_counter_ns() < end:
            pass

    @otel_mas.profiled
    async def one() -> None:
        for _ in range(5):
            await asyncio.sleep(0.01)
            step()

    @otel_mas.profiled
    async def everything() -> None:
        await asyncio.gather(*(one() for _ in range(1_000)))

    async def main() -> int:
        with otel_mas.task("t"):
            began = time.perf_counter_ns()
            await everything()
            return time.perf_counter_ns() - began

    wall = asyncio.run(main())
    found = counted(run)
    assert (found["one"].calls, found["step"].calls, found["everything"].calls) == (1_000, 5_000, 1)
    # They overlap: the sum is far more than the wall time, and no single one is longer than it.
    assert found["one"].total >= 1_000 * 50 * MS > wall
    assert found["one"].longest <= wall
    # The time of their own steps never overlaps, and is that of `step` and little else; the rest they waited.
    assert found["step"].total <= found["one"].running <= wall
    assert found["one"].running < found["one"].total
    # The time of `step` is not theirs.
    assert found["one"].self == pytest.approx(found["one"].total - found["step"].total, rel=0.001)
    # The one that started them all is covered by their union, not by their sum.
    assert 0 <= found["everything"].self < found["everything"].total < found["one"].total


def test_self_time_is_without_functions_that_it_calls(run: Run) -> None:
    @otel_mas.profiled
    def outer() -> None:
        time.sleep(0.02)
        plain(0.03)

    with otel_mas.task("t"):
        outer()
    found = counted(run)
    assert found["outer"].total >= 50 * MS
    assert found["outer"].self == found["outer"].total - found["plain"].total


def test_waiting_is_no_running(run: Run) -> None:
    async def main() -> None:
        with otel_mas.task("t"):
            assert await waits(0.05) == "done"

    asyncio.run(main())
    found = counted(run)["waits"]
    assert found.total >= 50 * MS
    assert found.running < found.total


def test_a_coroutine_that_never_waits_takes_one_step(run: Run) -> None:
    @otel_mas.profiled
    async def quick() -> int:
        return 7

    async def main() -> None:
        with otel_mas.task("t"):
            assert await quick() == 7

    asyncio.run(main())
    assert counted(run)["quick"].total == counted(run)["quick"].running


def test_a_generator_is_timed_without_its_reader(run: Run) -> None:
    @otel_mas.profiled
    def numbers() -> Iterator[int]:
        got = yield 1
        time.sleep(0.01)
        assert got == "sent"
        yield 2

    began = time.perf_counter_ns()
    with otel_mas.task("t"):
        generator: Any = numbers()
        assert next(generator) == 1
        time.sleep(0.1)
        assert generator.send("sent") == 2
        assert list(generator) == []
    wall = time.perf_counter_ns() - began
    found = counted(run)["numbers"]
    assert found.calls == 1
    assert 10 * MS <= found.total <= wall - 100 * MS


def test_an_async_generator_is_timed_without_its_reader(run: Run) -> None:
    @otel_mas.profiled
    async def numbers() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0.02)
        yield 2

    async def main() -> list[int]:
        with otel_mas.task("t"):
            found = []
            async for number in numbers():
                found.append(number)
                await asyncio.sleep(0.1)
            return found

    began = time.perf_counter_ns()
    assert asyncio.run(main()) == [1, 2]
    wall = time.perf_counter_ns() - began
    found = counted(run)["numbers"]
    assert found.calls == 1
    assert 20 * MS <= found.total <= wall - 200 * MS
    assert found.running < found.total


def test_interleaved_generators_of_one_context_do_not_cover_each_other(run: Run) -> None:
    @otel_mas.profiled
    def one() -> Iterator[int]:
        for number in range(3):
            plain(0.01)
            yield number

    @otel_mas.profiled
    def other() -> Iterator[int]:
        for number in range(3):
            time.sleep(0.01)
            yield number

    with otel_mas.task("t"):
        assert list(zip(one(), other(), strict=True)) == [(0, 0), (1, 1), (2, 2)]
    found = counted(run)
    assert found["one"].self == found["one"].total - found["plain"].total
    assert found["other"].self == found["other"].total >= 30 * MS


def test_methods_of_every_kind_are_functions(run: Run) -> None:
    class Tool:
        @otel_mas.profiled
        def method(self) -> str:
            return "method"

        @otel_mas.profiled
        @classmethod
        def of_class(cls) -> str:
            return cls.__name__

        @staticmethod
        @otel_mas.profiled
        def static() -> str:
            return "static"

    with otel_mas.task("t"):
        assert [Tool().method(), Tool.of_class(), Tool.static()] == ["method", "Tool", "static"]
    assert set(counted(run)) == {"method", "of_class", "static"}


def test_an_exception_is_counted_and_passes(run: Run) -> None:
    @otel_mas.profiled
    def fails() -> None:
        raise ValueError("no")

    @otel_mas.profiled
    async def fails_later() -> None:
        await asyncio.sleep(0)
        raise KeyError("no")

    @otel_mas.profiled
    async def fails_at_once() -> None:
        raise KeyError("no")

    async def main() -> None:
        with pytest.raises(KeyError):
            await fails_later()
        with pytest.raises(KeyError):
            await fails_at_once()

    with otel_mas.task("t"):
        with pytest.raises(ValueError, match="no"):
            fails()
        asyncio.run(main())
    assert {name: (one.calls, one.errors) for name, one in counted(run).items()} == {
        "fails": (1, 1),
        "fails_later": (1, 1),
        "fails_at_once": (1, 1),
    }


def test_a_cancelled_coroutine_ends_as_it_would(run: Run) -> None:
    async def main() -> None:
        with otel_mas.task("t"):
            task = asyncio.create_task(waits(30))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert counted(run)["waits"][:2] == (1, 1)


def test_what_is_sent_and_thrown_reaches_the_function() -> None:
    class Ask:
        def __await__(self) -> Any:
            return (yield "question")

    @otel_mas.profiled
    async def asks() -> Any:
        try:
            return await Ask()
        except LookupError:
            return "caught"

    for answer, expected in ((lambda c: c.send(5), 5), (lambda c: c.throw(LookupError()), "caught")):
        coroutine = asks()
        assert coroutine.send(None) == "question"
        with pytest.raises(StopIteration) as stop:
            answer(coroutine)
        assert stop.value.value == expected


def test_each_function_stays_of_its_kind() -> None:
    async def generator() -> AsyncIterator[int]:
        yield 1

    assert inspect.iscoroutinefunction(waits)
    assert inspect.isasyncgenfunction(otel_mas.profiled(generator))
    assert inspect.isgeneratorfunction(otel_mas.profiled(lambda: (yield)))
    assert plain.__name__ == "plain"
    assert inspect.signature(plain).parameters.keys() == {"seconds"}


def test_the_innermost_span_of_ours_gets_the_counters(run: Run) -> None:
    with otel_mas.task("t"):
        plain()
        with otel_mas.tool("search"):
            plain()
    assert counted(run)["plain"].calls == counted(run, "execute_tool search")["plain"].calls == 1


def test_outside_of_recorded_spans_nothing_is_counted(run: Run) -> None:
    assert plain() == "done"
    with otel_mas.task("t"):
        pass
    assert counted(run) == {}


def test_threads_add_up(run: Run) -> None:
    def work() -> None:
        for _ in range(1_000):
            plain_without_sleep()

    @otel_mas.profiled
    def plain_without_sleep() -> None: ...

    with otel_mas.task("t"):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counted(run)["plain_without_sleep"].calls == 4_000


def test_a_call_that_outlives_its_span_is_not_counted(run: Run) -> None:
    async def main() -> None:
        with otel_mas.task("t"):
            task = asyncio.create_task(waits(0.01))
            await asyncio.sleep(0)
            plain()
        assert await task == "done"

    asyncio.run(main())
    assert set(counted(run)) == {"plain"}


def test_of_very_many_functions_the_first_are_counted(run: Run) -> None:
    functions: list[Callable[[], None]] = [
        otel_mas.profiled(name=f"f.f{number}")(lambda: None) for number in range(MOST_FUNCTIONS + 5)
    ]
    with otel_mas.task("t"):
        for function in functions:
            function()
    assert len(counted(run)) == MOST_FUNCTIONS


def test_a_span_of_the_apps_own_provider_gets_the_counters() -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from otel_mas.record import counters_of
    from otel_mas.record.sdk.processor import RecordingProcessor

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    queue: Any = SimpleNamespace(closed=True, drop_reason=None)
    provider.add_span_processor(RecordingProcessor(queue, lambda timeout: True))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    span: Any = provider.get_tracer("app").start_span("task")
    counters = counters_of(span, "f.f")
    assert counters is not None
    counters[0] += 3
    span.end()
    (ended,) = exporter.get_finished_spans()
    assert ended.attributes is not None
    assert ended.attributes[names.MAS_FUNCTIONS] == ("f.f|3|0|0|0|0|0",)
