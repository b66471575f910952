"""The log of an app in another process, while it runs."""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import otel_mas
from otel_mas.analyse.log import Entry
from otel_mas.api import Source
from otel_mas.errors import TraceNotFound, UnsupportedQuery

pytestmark = pytest.mark.slow

APP = Path(__file__).with_name("followed_app.py")
TRACES = 4


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store that is there before the app is."""
    path = tmp_path / "runs.db"
    subprocess.run([sys.executable, APP, path, "1"], check=True, timeout=300)
    return path


@pytest.fixture
def app(store: Path) -> Iterator[Any]:
    """Starts the app; ends it at the end."""
    started = []

    def start(traces: int = TRACES) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, APP, store, str(traces)]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def until_ended(source: Source, process: subprocess.Popen[bytes], **which: Any) -> tuple[list[Entry], list[float]]:
    """Everything that a follower yields until the app has ended, and how long after it happened, in ms."""
    found, lags = [], []
    deadline = time.monotonic() + 300
    with source.follow(**which) as follower:
        last = False
        while time.monotonic() < deadline and not last:
            last = process.poll() is not None  # all is stored then
            for entry in follower.poll():
                found.append(entry)
                lags.append((time.time_ns() - entry.time_ns) / 1e6)
            time.sleep(0.01)
    return found, lags


def test_every_entry_of_several_traces_comes_once_and_in_causal_order(
    store: Path, app: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with otel_mas.open(store) as source:
        before = source.latest().trace_id
        found, lags = until_ended(source, app())
        logs = [list(trace) for trace in (source.trace(one.trace_id).log() for one in source.traces())]
    by_trace: dict[str, list[Entry]] = {}
    for entry in found:
        by_trace.setdefault(entry.trace_id, []).append(entry)
    assert before not in by_trace
    assert len(by_trace) == TRACES
    assert sorted(by_trace.values(), key=lambda one: one[0].time_ns) == logs[-2::-1]
    with capsys.disabled():
        print(f"\nfollow: {len(lags)} entries, median {statistics.median(lags):.0f} ms, last {max(lags):.0f} ms after")


def test_one_trace_is_followed_to_its_end(store: Path, app: Any) -> None:
    with otel_mas.open(store) as source:
        app()
        running = next(entry.trace_id for entry in source.follow() if entry.kind == "run_start")
        found = list(source.follow(running[:12]))
        assert {entry.trace_id for entry in found} == {running}
        assert [entry.kind for entry in found][-1] == "run_end"
        ended = list(source.follow(running))
        assert ended == found == list(source.trace(running).log())


async def test_it_is_followed_in_coroutines_too(store: Path, app: Any) -> None:
    app()
    kinds = []
    with otel_mas.open(store) as source, source.follow(kinds=["tool_call", "tool_result"]) as follower:
        async with asyncio.timeout(300):
            async for entry in follower:
                kinds.append((entry.kind, entry.text))
                if len(kinds) == 4:
                    break
    assert kinds == [
        ("tool_call", '{"place":"place 0"}'),
        ("tool_result", "far away"),
        ("tool_call", '{"place":"place 1"}'),
        ("tool_result", "far away"),
    ]


def test_only_a_thread_is_followed(store: Path, app: Any) -> None:
    with otel_mas.open(store) as source:
        found, _ = until_ended(source, app(), conversation="trip-1", kinds="tool_call")
    assert [entry.text for entry in found] == ['{"place":"place 1"}', '{"place":"place 3"}']


def test_a_trace_whose_process_was_killed_ends(store: Path, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_mas.store.tail.FRESH_NS", 500_000_000)
    process = app(1_000)
    with otel_mas.open(store) as source:
        running = next(entry.trace_id for entry in source.follow() if entry.kind == "tool_call")
        process.kill()
        follower = source.follow(running)
        assert next(iter(list(follower))).kind == "run_start"
        assert follower.stopped <= {running}


def lines_until(process: subprocess.Popen[str], phrase: str, times: int = 1) -> list[str]:
    """Lines of its output up to the one in which a phrase comes for the last of so many times."""
    assert process.stdout is not None
    lines: list[str] = []
    while sum(phrase in line for line in lines) < times:
        lines.append(process.stdout.readline())
        assert lines[-1], lines
    return lines


def test_the_command_prints_lines_until_it_is_interrupted(store: Path, app: Any) -> None:
    command = [Path(sys.executable).with_name("otel-mas"), "log", "--follow", "--store", store]
    waiting = subprocess.Popen([sys.executable, APP, store, "0"], stdin=subprocess.PIPE)
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    followed = []
    try:
        with otel_mas.open(store) as source, source.follow() as follower:
            next(iter(follower))
        followed += [subprocess.Popen([*command, *more], **pipes) for more in ([], ["--json"])]
        text, lines = followed
        assert "── trace " in lines_until(text, "run starts")[0]
        lines_until(lines, '"run_start"')
        app()
        shown, printed = lines_until(text, "run ends", TRACES), lines_until(lines, '"run_end"', TRACES)
        # A trace is named again where one that overlaps it comes in between.
        assert len({line.split("── trace ")[1].split()[0] for line in shown if "── trace " in line}) >= TRACES
        assert sum("→ look_up" in line for line in shown) == TRACES
        assert [json.loads(line)["kind"] for line in printed].count("tool_call") == TRACES
        for process in followed:
            process.send_signal(signal.SIGINT)
        assert [process.communicate(timeout=120) for process in followed] == [("", ""), ("", "")]
        assert [process.returncode for process in followed] == [0, 0]
    finally:
        for process in (*followed, waiting):
            process.kill()
            process.communicate()


def test_only_a_store_is_followed_and_only_a_trace_that_is_there(store: Path, tmp_path: Path, team: ModuleType) -> None:
    with otel_mas.open(store) as source, pytest.raises(TraceNotFound):
        source.follow("abcd" * 8)
    archive = tmp_path / "runs.jsonl"
    otel_mas_command = Path(sys.executable).with_name("otel-mas")
    subprocess.run([otel_mas_command, "export", "--all", "--store", store, "-o", archive], check=True, timeout=300)
    with otel_mas.open(archive) as source, pytest.raises(UnsupportedQuery, match="cannot be followed"):
        source.follow()
