"""`MASTraceLogger` keeps records that code has: never in its way, never more than it may, nothing lost in silence."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas import MASTraceLogger, TraceRecord
from otel_mas.errors import StoreError
from otel_mas.receiver.targets import FileTarget

SECOND = 10**9
BEGIN = time.time_ns() - 3600 * SECOND
SECRET = "sk-proj-" + "aB3" * 16


def record(span: str, kind: str = "SPAN", start: int = 0, took: int = 0, **fields: Any) -> TraceRecord:
    return TraceRecord(
        trace_id="run",
        span_id=span,
        event_type=kind,
        timestamp=BEGIN + start * SECOND,
        duration_ns=took * SECOND,
        **fields,
    )


async def test_records_become_spans_of_a_store(tmp_path: Path) -> None:
    async with MASTraceLogger(tmp_path / "runs.db") as log:
        assert log.emit(record("call", "LLM_CALL", 1, 1, parent_id="plan", payload="Hello", token_cost={"usd": 0.5}))
        assert await log.emit(record("plan", "AGENT_TASK", 0, 5, agent_name="planner"))
        log.emit(record("write", "AGENT_TASK", 6, 5, agent_name="writer", parent_id="plan"))
        assert await log.flush(60)

    with otel_mas.open(tmp_path / "runs.db") as source:
        trace = source.latest()
        assert {(edge.kind, edge.provenance) for edge in trace.graph().edges} == {
            ("child", "recorded"), ("trigger", "recorded")
        }  # fmt: skip
        assert source.traces()[0].agents == ("planner", "writer")
        assert trace.graph().cost().total.usd == 0.5
        assert [one.span_id for one in trace.records()] == ["plan", "call", "write"]
        assert trace.records()[1].payload == "Hello"


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.msgpack", "a.msgpack.gz"])
async def test_records_are_added_to_a_file(name: str, tmp_path: Path) -> None:
    found = [record(str(number)) for number in range(250)]
    for part in (found[:100], found[100:]):
        async with MASTraceLogger(file=tmp_path / name) as log:
            for one in part:
                log.emit(one)

    assert list(otel_mas.read_records(tmp_path / name)) == found
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


async def test_secrets_go_and_long_payloads_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    async with MASTraceLogger(file=path, max_payload_bytes=1_000) as log:
        log.emit(record("a", payload={"text": f"my key: {SECRET}", "api_key": SECRET}, attributes={"password": SECRET}))
        log.emit(record("b", payload="x" * 10_000))

    assert SECRET not in path.read_text()
    cut = list(otel_mas.read_records(path))[1]
    assert cut.payload_truncated
    assert len(cut.to_json()) < 1_500


async def test_without_content_none_is_kept(tmp_path: Path) -> None:
    async with MASTraceLogger(file=tmp_path / "a.jsonl", content="none") as log:
        log.emit(record("a", payload="a word", status_message="a word"))

    assert "a word" not in (tmp_path / "a.jsonl").read_text()


async def test_what_does_not_fit_is_dropped_counted_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, write = threading.Event(), FileTarget.write

    def waits(*args: Any, **more: Any) -> None:
        assert free.wait(60)
        write(*args, **more)

    monkeypatch.setattr(FileTarget, "write", waits)
    log = MASTraceLogger(file=tmp_path / "a.jsonl", queue_records=10, flush_interval_s=60)
    with caplog.at_level(logging.WARNING):
        await log.start()
        taken = [bool(log.emit(record(str(number)))) for number in range(50)]
        free.set()
        assert await log.stop(60)

    assert sum(taken) + log.dropped == 50
    assert log.dropped > 0
    assert len(list(otel_mas.read_records(tmp_path / "a.jsonl"))) == sum(taken)
    assert [message.partition(":")[2].strip() for message in caplog.messages] == [
        "MASTraceLogger drops records: its queue of 10 records is full",
        f"MASTraceLogger dropped {log.dropped} records in all",
    ]


async def test_it_never_raises_into_the_app(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = MASTraceLogger(file=tmp_path / "a.jsonl")
    assert not log.emit(record("early"))
    async with log:
        assert not log.emit({"trace_id": "x"})  # type: ignore[arg-type]
    assert not log.emit(record("late"))
    assert not await log.emit(record("late"))

    assert log.dropped == 4
    assert len([message for message in caplog.messages if "is not started" in message]) == 1


async def test_what_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no store" * 100)
    with pytest.raises(StoreError):
        await MASTraceLogger(tmp_path / "text.db").start()
    with pytest.raises(OSError, match="no such"):
        await MASTraceLogger(file=tmp_path / "no such" / "a.jsonl").start()


async def test_threads_and_the_event_loop_emit_at_the_same_time(tmp_path: Path) -> None:
    async with MASTraceLogger(file=tmp_path / "a.jsonl") as log:

        def work(name: str) -> None:
            for number in range(200):
                log.emit(record(f"{name}.{number}"))

        threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
        for thread in threads:
            thread.start()
        for number in range(200):
            log.emit(record(f"loop.{number}"))
            await asyncio.sleep(0)
        await asyncio.to_thread(lambda: [thread.join() for thread in threads])

    assert len({one.span_id for one in otel_mas.read_records(tmp_path / "a.jsonl")}) == 1_000


async def test_it_may_be_started_again(tmp_path: Path) -> None:
    log = MASTraceLogger(tmp_path / "runs.db")
    for number in range(2):
        async with log:
            log.emit(record(str(number)))

    with otel_mas.open(tmp_path / "runs.db") as source:
        assert source.traces()[0].span_count == 2


async def test_into_store_and_file_at_once(tmp_path: Path) -> None:
    async with MASTraceLogger(tmp_path / "runs.db", file=tmp_path / "a.jsonl") as log:
        log.emit(record("a"))

    with otel_mas.open(tmp_path / "runs.db") as source, otel_mas.open(tmp_path / "a.jsonl") as file:
        assert source.latest().trace_id == file.latest().trace_id


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
async def test_a_forked_child_drops_and_does_not_hang(tmp_path: Path) -> None:
    async with MASTraceLogger(file=tmp_path / "a.jsonl") as log:
        child = os.fork()
        if not child:
            os._exit(0 if not log.emit(record("child")) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        log.emit(record("parent"))

    assert [one.span_id for one in otel_mas.read_records(tmp_path / "a.jsonl")] == ["parent"]


async def test_personal_data_goes_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_PERSONAL_DATA", "email")
    async with MASTraceLogger(tmp_path / "runs.db") as log:
        log.emit(record("a", "LLM_CALL", payload="write to ada@example.org", attributes={"mail": "ada@example.org"}))

    with otel_mas.open(tmp_path / "runs.db") as source:
        (kept,) = source.latest().records()
    assert "ada@example.org" not in kept.to_json().decode()
    assert "write to " in kept.payload


async def test_what_cannot_be_made_a_span_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with MASTraceLogger(tmp_path / "runs.db", flush_interval_s=60) as log:
        with monkeypatch.context() as broken:
            broken.setattr("otel_mas.receiver.targets.encode_span", lambda span: 1 / 0)
            log.emit(record("bad"))
            await log.flush(60)
        log.emit(record("good"))

    assert log.dropped == 1
    with otel_mas.open(tmp_path / "runs.db") as source:
        assert [one.span_id for one in source.latest().records()] == ["good"]
