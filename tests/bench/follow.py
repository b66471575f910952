"""Lag of `otel-mas log --follow`: from the commit of a span, in another process, to the line that tells of it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

_LOOK_S = 0.001
_END_S = 60.0
_BUDGET_MS = 200
_SPANS_A_ROUND = 15


class Case(NamedTuple):
    """An app that is followed: a supervisor that sends to four workers, each of which asks a model and calls a tool."""

    title: str
    rounds: int
    pause_s: float
    """Seconds of each model and tool call."""
    result_bytes: int = 20
    """Size of a tool's result."""
    environment: Mapping[str, str] = {}


CASES = (
    Case("small content", 40, 0.05),
    Case("results of 100 KB", 20, 0.05, 100_000),
    Case("content not kept", 40, 0.05, environment={"OTEL_MAS_CONTENT": "none"}),
    Case("without a pause", 200, 0.0),
)


class Lags(NamedTuple):
    """Lag of each entry in ms, and what the follower took."""

    own: list[float]
    """Behind the commit of its span's start or end, and of its content."""
    in_turn: list[float]
    """Behind the last of these commits up to this entry, of the same trace: its turn in causal order."""
    missing: int
    """Entries that say that content is not there, though it was kept."""
    cpu_s: float


def report() -> None:
    """Print the tables: lags of entries, and CPU of the follower in a trace that grows."""
    print("\n### Lag of `otel-mas log --follow` behind the commit\n")
    print("| app | entries | median | p95 | last | within 200 ms | last in its turn | without its content |")
    print("|---|---|---|---|---|---|---|---|")
    for case in CASES:
        lags = follow(case)
        own = sorted(lags.own)
        p95, late = own[int(0.95 * len(own))], sum(lag > _BUDGET_MS for lag in own)
        print(
            f"| {case.title} | {len(own):,} | {statistics.median(own):.0f} ms | {p95:.0f} ms | {own[-1]:.0f} ms "
            f"| {1 - late / len(own):.1%} | {max(lags.in_turn):.0f} ms | {lags.missing} |",
            flush=True,
        )
    print("\n### CPU of the follower in a trace that grows\n")
    print("| spans | CPU a span |")
    print("|---|---|")
    for rounds in (100, 400):
        lags, spans = follow(Case("", rounds, 0.01)), _SPANS_A_ROUND * rounds
        print(f"| {spans:,} | {lags.cpu_s / spans * 1e6:.0f} µs |", flush=True)


def follow(case: Case) -> Lags:
    """Run the app of a case beside a follower."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        _app(path, Case("", 1, 0.0))
        with _follower(path) as lines:
            while not lines:  # until it follows
                _app(path, Case("", 1, 0.05))
            with closing(_Commits(path)) as commits:
                before, cpu_s = len(lines), lines.cpu_s()
                _app(path, case)
                deadline = time.monotonic() + _END_S
                while (lines[-1][1]["kind"] != "run_end" and time.monotonic() < deadline) or len(lines) == before:
                    time.sleep(0.05)
                cpu_s = lines.cpu_s() - cpu_s
        return _lags(lines[before:], commits, cpu_s, kept="OTEL_MAS_CONTENT" not in case.environment)


def _lags(lines: Iterable[tuple[float, dict[str, Any]]], commits: _Commits, cpu_s: float, *, kept: bool) -> Lags:
    own, in_turn, missing, latest = [], [], 0, 0.0
    for shown, entry in lines:
        committed = commits.of(entry)
        latest = max(latest, committed)
        own.append(1e3 * (shown - committed))
        in_turn.append(1e3 * (shown - latest))
        missing += kept and entry["missing"] is not None
    return Lags(own, in_turn, missing, cpu_s)


class _Lines(list[tuple[float, dict[str, Any]]]):
    """Lines of a follower, each with the moment when it came."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__()
        self._process = process
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def cpu_s(self) -> float:
        """Seconds of CPU that the follower has taken."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
        self._thread.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.append((time.monotonic(), json.loads(line)))


@contextmanager
def _follower(path: Path) -> Iterator[_Lines]:
    command = [Path(sys.executable).with_name("otel-mas"), "log", "--follow", "--json", "--store", path]
    lines = _Lines(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    try:
        yield lines
    finally:
        lines.end()


class _Commits:
    """When the rows of a store could be read first, watched by a thread; to within a millisecond on an idle machine."""

    def __init__(self, path: Path) -> None:
        self._times: dict[tuple[str, ...], float] = {}
        self._starts: dict[str, int] = {}
        self._over = False
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        self._last = dict.fromkeys(("spans", "messages", "contents"), 0)
        self._look()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def of(self, entry: dict[str, Any]) -> float:
        """When all was there that an entry needs."""
        span_id, kind = entry["span_id"], entry["kind"]
        at_start = entry["time_ns"] == self._starts[span_id] and kind not in ("tool_result", "answer", "run_end")
        keys: list[tuple[str, ...]] = [("start" if at_start else "end", span_id)]
        keys += [("message", digest) for digest in entry["digests"]]
        keys += [("content", span_id, f"gen_ai.tool.call.{'arguments' if at_start else 'result'}")]
        return max(self._times[key] for key in keys if key in self._times)

    def close(self) -> None:
        self._over = True
        self._thread.join()
        self._connection.close()

    def _watch(self) -> None:
        version = -1
        while not self._over:
            (found,) = self._connection.execute("PRAGMA data_version").fetchone()
            if found != version:
                version = found
                self._look()
            time.sleep(_LOOK_S)

    def _look(self) -> None:
        now = time.monotonic()
        for span_id, start_ns in self._connection.execute("SELECT span_id, start_ns FROM open_spans").fetchall():
            self._starts[span_id.hex()] = start_ns
            self._times.setdefault(("start", span_id.hex()), now)
        for span_id, start_ns in self._new("spans", "span_id, start_ns"):
            self._starts[span_id.hex()] = start_ns
            self._times.setdefault(("start", span_id.hex()), now)
            self._times.setdefault(("end", span_id.hex()), now)
        for (digest,) in self._new("messages", "digest"):
            self._times.setdefault(("message", digest.hex()), now)
        for span_id, name in self._new("contents", "span_id, name"):
            self._times.setdefault(("content", span_id.hex(), name), now)

    def _new(self, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
        query = f"SELECT id, {columns} FROM {table} WHERE id > ? ORDER BY id"
        for key, *values in self._connection.execute(query, (self._last[table],)).fetchall():
            self._last[table] = key
            yield tuple(values)


def _app(path: Path, case: Case) -> None:
    code = f"from tests.bench import follow; follow.record({str(path)!r}, {case.rounds}, {case.pause_s}, "
    code += f"{case.result_bytes})"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, **case.environment})


def record(path: str, rounds: int, pause_s: float, result_bytes: int) -> None:
    """Run the app."""
    import otel_mas
    from tests.bench.answers import app

    otel_mas.instrument(store=path)
    graph = app(rounds, pause_s, result_bytes)
    graph.invoke(
        {"round": 0, "found": []}, {"recursion_limit": 3 * rounds + 10, "configurable": {"thread_id": "bench"}}
    )
    otel_mas.shutdown(120)
