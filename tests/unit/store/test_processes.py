"""Real processes: several writers, a reader beside a writer, a writer that is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from otel_mas.model import Query
from otel_mas.store import StoreReader

pytestmark = pytest.mark.slow

WRITER = """
import os, sys, time
from otel_mas.store import StoreWriter
from otel_mas.store.rows import Batch, OpenRow, SpanRow
path, number, batches, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
none = {}
writer = StoreWriter(
    path, instance_id=bytes([number]) * 16, run_id="run", service=f"service {number}", max_bytes=0, max_age_ns=0,
    timeout_s=60,
)
resource, scope = writer.resource({}, "", b""), writer.scope("s", "1", {}, "")
trace = bytes([number]) * 16
serial = 0
for batch in range(batches):
    spans = []
    for _ in range(size):
        serial += 1
        now = time.time_ns()
        spans.append(SpanRow(trace, serial.to_bytes(8, "big"), None, "s", 1, now, now, 0, none, (), b"body" * 100,
                             resource, scope))
    opened = [OpenRow(trace, b"still up", None, "open", 1, time.time_ns(), none, resource, scope)] * (batch == 0)
    writer.write(Batch(spans=spans, opened=opened))
    print(serial, flush=True)
if batches:
    writer.finish((), 0)
writer.close()
"""


def _start(path: Path, number: int, batches: int, size: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(number), str(batches), str(size)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _finished(writer: subprocess.Popen[str]) -> None:
    writer.communicate(timeout=300)
    assert writer.returncode == 0


def test_processes_that_open_a_new_store_at_once_share_it(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    for writer in [_start(path, number, 30, 20) for number in range(1, 6)]:
        _finished(writer)
    with StoreReader(path) as reader:
        summaries = reader.traces(Query(run_id="run"))
        assert [summary.span_count for summary in summaries] == [601] * 5  # and the one that never ended
        assert {summary.service for summary in summaries} == {f"service {number}" for number in range(1, 6)}
        assert reader.run("run").processes == 5


def test_a_reader_sees_the_commits_of_another_process(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    writer = _start(path, 1, 10_000, 5)
    assert writer.stdout is not None
    try:
        assert writer.stdout.readline() == "5\n"
        with StoreReader(path) as reader:
            counts: list[int] = []
            for _ in range(3):
                written = int(writer.stdout.readline())
                while written <= (counts[-1] if counts else 0):
                    written = int(writer.stdout.readline())
                (summary,) = reader.traces(Query(status="running"))
                trace = reader.trace(summary.trace_id)
                assert len(trace.spans) >= summary.span_count > written  # one span of it is open
                counts.append(summary.span_count)
            assert counts[0] < counts[1] < counts[2]
    finally:
        writer.kill()
        writer.communicate()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_writer_loses_at_most_its_last_batch(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    for number in range(1, 4):
        writer = _start(path, number, 1_000_000, 7)
        assert writer.stdout is not None
        assert writer.stdout.readline()
        time.sleep(0.1 * number)
        os.kill(writer.pid, signal.SIGKILL)
        printed = writer.stdout.read().split() or ["7"]
        writer.communicate()
        with StoreReader(path, clock=lambda: time.time_ns() + 60_000_000_000) as reader:
            trace = reader.trace(bytes([number] * 16).hex())
            committed = len([span for span in trace.spans if span.end_ns is not None])
            assert committed % 7 == 0
            assert committed >= int(printed[-1])
            reason = r"the process stopped \(no sign of life since \S+ \S+ UTC\) while in open"
            assert re.fullmatch(reason, trace.incomplete or "")
    _finished(_start(path, 9, 1, 1))  # and the store goes on
