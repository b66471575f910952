"""Debug sessions beside apps in other processes."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.analyse.log import Entry
from otel_mas.api.debug_session import FollowedRun, SessionEvent, SessionState, Transition
from otel_mas.api.debug_session.watcher import News, Watcher
from otel_mas.errors import NotAStore, SourceError

pytestmark = pytest.mark.slow

APP = Path(__file__).with_name("attached_app.py")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def app(store: Path) -> Iterator[Any]:
    """Starts the app; ends it at the end."""
    started = []

    def start(*how: str) -> subprocess.Popen[str]:
        started.append(subprocess.Popen([sys.executable, APP, store, *how], stdin=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


class Session:
    """A session with the changes of its state."""

    def __init__(self, store: Path, **settings: Any) -> None:
        self.changes: list[Transition] = []
        self.session = otel_mas.DebugSession(store, on_state=self.changes.append, **settings)

    @property
    def states(self) -> list[str]:
        return [change.state.value for change in self.changes]

    async def next_run(self) -> FollowedRun:
        async with asyncio.timeout(300):
            return await self.session.next_run()

    async def until(self, state: SessionState) -> None:
        async with asyncio.timeout(300):
            while self.session.state is not state:
                await asyncio.sleep(0.02)


def say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


async def test_runs_one_after_the_other_of_a_store_that_comes_later(store: Path, app: Any) -> None:
    before = set(threading.enumerate())
    seen = Session(store)
    async with seen.session as session:
        await asyncio.sleep(0.1)
        assert (session.state, session.records, session.graph, session.final_output) == (
            SessionState.IDLE,
            [],
            None,
            None,
        )
        app("ok", "fails")
        good, bad = await seen.next_run(), await seen.next_run()
        assert (good.status, good.ended, good.final_output) == ("ok", SessionEvent.RUN_CLOSED, "plan: go there")
        assert [record.event_type for record in good.records].count("TOOL_CALL") == 1
        assert (bad.status, bad.ended, bad.final_output) == ("error", SessionEvent.RUN_CLOSED, None)
        assert [(one.type, one.message) for one in bad.errors] == [("ValueError", "no such place")]
        await seen.until(SessionState.ATTACHED)
        assert session.run is bad
        assert session.records == bad.records
        assert session.graph is bad.graph
    assert session.state is SessionState.IDLE
    assert seen.states == ["ATTACHED", *["RECORDING", "ANALYZING", "ATTACHED"] * 2, "IDLE"]
    assert seen.changes[-1].event is SessionEvent.DETACHED
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("otel-mas-debug-session"):
            thread.join(60)
            assert not thread.is_alive()
    assert not [one for one in _open_files() if one.startswith(str(store))]


def _open_files() -> list[str]:
    found = []
    for descriptor in os.listdir("/dev/fd"):
        try:
            found.append(os.readlink(f"/dev/fd/{descriptor}"))
        except OSError:
            continue
    return found


async def test_a_run_is_seen_as_it_goes_on_and_quiet_ones_are_analysed_until_they_end(store: Path, app: Any) -> None:
    seen = Session(store, quiet_after=2)
    async with seen.session as session:
        process = app("waits")
        say(process, "first")
        async with asyncio.timeout(300):
            while not any(record.event_type == "TOOL_CALL" for record in session.records):
                await asyncio.sleep(0.05)
        assert session.state is SessionState.RECORDING
        assert session.graph is not None
        quiet = await seen.next_run()
        assert (quiet.status, quiet.ended) == ("running", SessionEvent.RUN_QUIET)
        say(process, "second")
        process.stdin.close()
        last = await seen.next_run()
        while last.ended is SessionEvent.RUN_QUIET:  # on a slow machine
            last = await seen.next_run()
        assert last.trace.trace_id == quiet.trace.trace_id
        assert (last.status, last.ended) == ("ok", SessionEvent.RUN_CLOSED)
        assert sum(record.event_type == "TOOL_CALL" for record in last.records) == 2


async def test_a_run_that_is_killed_is_analysed(store: Path, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("tail", "reader"):
        monkeypatch.setattr(f"otel_mas.store.{module}.FRESH_NS", 3_000_000_000)
    seen = Session(store)
    async with seen.session:
        process = app("waits")
        await seen.until(SessionState.RECORDING)
        process.kill()
        run = await seen.next_run()
    assert (run.status, run.ended) == ("stopped", SessionEvent.RUN_STOPPED)
    assert run.trace.graph().causal.roots[0].end_ns is None


async def test_a_pause_for_a_person_ends_a_run_and_the_answer_begins_the_next(store: Path, app: Any) -> None:
    seen = Session(store)
    async with seen.session:
        app("pauses", "resumes")
        paused, resumed = await seen.next_run(), await seen.next_run()
    assert (paused.status, resumed.status) == ("interrupted", "ok")
    assert paused.trace.conversation_id == resumed.trace.conversation_id == "trip-1"
    assert resumed.final_output == "answer: yes"


async def test_a_run_that_begins_during_another_one_comes_after_it(store: Path, app: Any) -> None:
    seen = Session(store)
    async with seen.session:
        long = app("waits")
        await seen.until(SessionState.RECORDING)
        await asyncio.to_thread(app("ok").wait, 300)
        assert seen.states == ["ATTACHED", "RECORDING"]
        long.stdin.close()
        runs = [await seen.next_run(), await seen.next_run()]
    assert [len(run.records) for run in runs] == [2, 4]
    assert next(one.waiting for one in seen.changes if one.event is SessionEvent.RUN_CLOSED) == 1


async def test_a_store_that_is_removed_is_waited_for_again(store: Path, app: Any) -> None:
    seen = Session(store)
    async with seen.session:
        await asyncio.to_thread(app("ok").wait, 300)
        await seen.next_run()
        for file in store.parent.glob("runs.db*"):
            file.unlink()
        await seen.until(SessionState.IDLE)
        app("fails")
        run = await seen.next_run()
    assert run.status == "error"
    assert SessionEvent.STORE_LOST in [change.event for change in seen.changes]


async def test_the_event_loop_goes_on_while_the_session_reads(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, reading, read = itertools.count(), threading.Event(), threading.Event()

    def look(_: Watcher) -> list[News]:
        if next(looks):  # the first one is over before the block begins
            reading.set()
            assert read.wait(60)
        return []

    monkeypatch.setattr(Watcher, "look", look)
    async with otel_mas.DebugSession(store) as session:
        while not reading.is_set():
            await asyncio.sleep(0.001)
        for _ in range(100):  # turns of the loop, while the thread waits
            await asyncio.sleep(0.001)
        closing = asyncio.create_task(session.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        read.set()
        await closing
    assert session.state is SessionState.IDLE


async def test_it_is_cancelled_while_it_waits_and_closes_for_everybody(store: Path) -> None:
    async with otel_mas.DebugSession(store) as session:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await session.next_run()
        waiting = asyncio.create_task(session.next_run())
        runs = asyncio.create_task(_all(session))
        await asyncio.sleep(0.05)
        await session.close()
        with pytest.raises(SourceError, match="the debug session is closed"):
            await waiting
        assert await runs == []
    with pytest.raises(SourceError, match="make another one"):
        await session.__aenter__()


async def _all(session: otel_mas.DebugSession) -> list[FollowedRun]:
    return [run async for run in session]


async def test_a_file_that_is_no_store_is_refused(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_mas.api.debug_session.watcher._CREATED_WITHIN_NS", 0)
    store.write_text("a letter")
    async with otel_mas.DebugSession(store) as session:
        with pytest.raises(NotAStore, match="not an SQLite file"):
            await session.next_run()


def test_the_log_goes_on_where_it_was_when_a_quiet_run_goes_on(store: Path, app: Any) -> None:
    process, entries, ends = app("waits"), [], []
    watcher = Watcher(store, 1.5)
    deadline = time.monotonic() + 300
    try:
        while SessionEvent.RUN_CLOSED not in ends and time.monotonic() < deadline:
            for one in watcher.look():
                if isinstance(one, Entry):
                    entries.append((one.kind, one.span_id, one.text))
                elif isinstance(one, FollowedRun):
                    ends.append(one.ended)
                    if ends == [SessionEvent.RUN_QUIET]:
                        say(process, "far away")
                        process.stdin.close()
            time.sleep(0.02)
    finally:
        watcher.close()
    assert ends[0] is SessionEvent.RUN_QUIET
    assert ends[-1] is SessionEvent.RUN_CLOSED
    assert len(entries) == len(set(entries))
    assert [kind for kind, *_ in entries] == ["run_start", "tool_call", "tool_result", "run_end"]


@pytest.mark.parametrize("there_before", [False, True])
async def test_a_run_that_is_over_before_the_loop_turns_again_is_followed(store: Path, there_before: bool) -> None:
    """The session is attached once its block is entered, whether there was a store by then or not."""
    if there_before:
        async with otel_mas.MASTraceLogger(store) as logger:
            logger.emit(_record("before"))
    session = Session(store)
    async with session.session:
        logger = otel_mas.MASTraceLogger(store)
        logger._start()  # without a turn of the loop
        logger.emit(_record("meanwhile"))
        logger._stop(30)
        async with asyncio.timeout(60):
            run = await session.session.next_run()
    assert [record.agent_name for record in run.records] == ["meanwhile"]


async def test_a_session_that_is_cancelled_as_it_begins_leaves_no_thread(store: Path) -> None:
    async def body() -> None:
        async with otel_mas.DebugSession(store):
            await asyncio.sleep(300)

    for turns in range(4):
        entering = asyncio.create_task(body())
        for _ in range(turns):
            await asyncio.sleep(0)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
    async with asyncio.timeout(60):
        while any(thread.name.startswith("otel-mas-debug-session") for thread in threading.enumerate()):
            await asyncio.sleep(0.02)


def _record(agent: str) -> otel_mas.TraceRecord:
    return otel_mas.TraceRecord(
        trace_id=agent, span_id="1", event_type=otel_mas.EventType.SEND, agent_name=agent, timestamp=time.time_ns()
    )
