"""Lag of event loops: what a blocking task does to those that are open, and nothing else."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from otel_mas.record import event_loop
from otel_mas.record.event_loop import INTERVAL_S, watch_loop
from otel_mas.semconv import attributes as names

BLOCK_S = 0.25
LONGEST, TOTAL = names.MAS_EVENT_LOOP_LAG_MAX, names.MAS_EVENT_LOOP_LAG_TOTAL


def uvloop() -> asyncio.AbstractEventLoop:
    loop: asyncio.AbstractEventLoop = pytest.importorskip("uvloop").new_event_loop()
    return loop


@pytest.fixture(params=[asyncio.new_event_loop, uvloop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Callable[[], Awaitable[Any]]], Any]]:
    """Runs a coroutine function to its end, in a loop of each kind."""

    def run(main: Callable[[], Awaitable[Any]]) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(main())  # type: ignore[arg-type]

    yield run
    gc.collect()
    assert not event_loop._monitors, "a monitor outlived its loop"


async def watched() -> dict[str, Any]:
    """Lag of a task that blocks nothing."""
    await asyncio.sleep(0.01)
    watch = watch_loop()
    await asyncio.sleep(0.01)
    assert watch is not None
    return watch.end()


def test_a_blocked_loop_is_measured_by_all_that_were_open(run: Any) -> None:
    async def main() -> list[dict[str, Any]]:
        outer = watch_loop()
        await asyncio.sleep(0.01)
        blocking = watch_loop()
        time.sleep(BLOCK_S)
        assert outer is not None
        assert blocking is not None
        one = blocking.end()
        # A machine with much else to do blocks a loop by itself; not each time.
        return [one, outer.end(), *[await watched() for _ in range(20)]]

    blocking, outer, *after = run(main)
    for lag in (blocking, outer):
        assert BLOCK_S - 2 * INTERVAL_S < lag[LONGEST] <= lag[TOTAL]
    assert {} in after


def test_of_several_blocks_the_longest_and_the_sum_are_told(run: Any) -> None:
    async def main() -> tuple[dict[str, Any], dict[str, Any]]:
        whole = watch_loop()
        time.sleep(2 * BLOCK_S)
        await asyncio.sleep(2 * INTERVAL_S)
        second = watch_loop()
        time.sleep(BLOCK_S)
        await asyncio.sleep(2 * INTERVAL_S)
        assert whole is not None
        assert second is not None
        return whole.end(), second.end()

    whole, second = run(main)
    assert 2 * (BLOCK_S - INTERVAL_S) < whole[LONGEST] < whole[TOTAL]
    assert BLOCK_S - 2 * INTERVAL_S < second[LONGEST] <= whole[LONGEST]
    assert second[TOTAL] < whole[TOTAL]


def test_a_free_loop_has_no_lag_to_tell(run: Any) -> None:
    async def main() -> list[dict[str, Any]]:
        # A machine with much else to do blocks a loop by itself; not each time.
        return [await watched() for _ in range(20)]

    assert {} in run(main)


def test_no_timer_is_left_once_nothing_is_open() -> None:
    async def main() -> list[Any]:
        for _ in range(100):
            watch = watch_loop()
            assert watch is not None
            watch.end()
        loop: Any = asyncio.get_running_loop()
        assert len(loop._scheduled) == 1
        await asyncio.sleep(2 * INTERVAL_S)
        return list(loop._scheduled)

    assert asyncio.run(main()) == []


def test_a_watch_that_nobody_ends_and_nobody_holds_keeps_no_timer() -> None:
    async def main() -> list[Any]:
        watch_loop()
        await asyncio.sleep(3 * INTERVAL_S)
        loop: Any = asyncio.get_running_loop()
        return list(loop._scheduled)

    assert asyncio.run(main()) == []


def test_an_open_watch_keeps_no_loop_running(run: Any) -> None:
    watches = []

    async def main() -> None:
        watches.append(watch_loop())

    run(main)
    (watch,) = watches
    assert watch is not None
    assert watch.end() == {}  # the time after the loop's end is no lag


def test_outside_of_a_loop_there_is_nothing_to_watch() -> None:
    assert watch_loop() is None


def test_a_loop_of_another_thread_is_not_this_ones() -> None:
    found = []

    async def main() -> None:
        thread = threading.Thread(target=lambda: found.append(watch_loop()))
        thread.start()
        thread.join()

    asyncio.run(main())
    assert found == [None]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_a_loop_of_its_own() -> None:
    async def inside() -> int:
        watch = watch_loop()
        await asyncio.sleep(INTERVAL_S)
        return 0 if watch is not None and len(event_loop._monitors) >= 1 and watch.end() is not None else 1

    async def main() -> int:
        watch = watch_loop()
        child = os.fork()
        if child == 0:
            try:
                asyncio._set_running_loop(None)
                os._exit(asyncio.new_event_loop().run_until_complete(inside()))
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)
        assert watch is not None
        watch.end()
        return os.waitstatus_to_exitcode(status)

    assert asyncio.run(main()) == 0
