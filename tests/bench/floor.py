"""The floor of recording: the same app with one more part of it at work in each stage, and beside a bare writer thread.

Every stage is a process of its own. They run blocks of 200 nodes in random turns, so that a slow moment of the machine
falls on all of them.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

NODES, RUNS = 50, 4  # nodes a run, runs a block
_WARM_UP = 2  # rounds: caches, and the price table that is loaded in the background
_ROWS_A_NODE = 3
_NEVER_MS = 600_000
_COLUMNS = 24
_AT_ONCE = 64  # rows a statement: between two statements `sqlite3` lets go of the interpreter
_ROW = f"({', '.join('?' * _COLUMNS)})"
_BODY = bytearray(700)  # an encoded span

Finish = Callable[[], Any]


def _bare(folder: Path) -> Finish:
    return lambda: None


def _recorded(folder: Path, **settings: Any) -> Finish:
    import otel_mas

    otel_mas.instrument(store=str(folder / "runs.db"), **settings)
    return lambda: otel_mas.flush(60)


def _hooks(folder: Path) -> Finish:
    from otel_mas.record import recorder

    _recorded(folder)
    recorder().active = False
    return lambda: None


def _spans(folder: Path) -> Finish:
    from otel_mas.record import lifecycle
    from otel_mas.record.pipeline.recording import Recording

    Recording._wake = lambda self: None  # type: ignore[method-assign]
    _recorded(folder)
    recording = lifecycle._recording
    return recording.queue.clear if recording is not None else lambda: None


def _encoded(folder: Path) -> Finish:
    from otel_mas.store.writer import StoreWriter

    StoreWriter.write = lambda self, batch: None  # type: ignore[method-assign]
    return _recorded(folder)


def _second_thread(folder: Path, interval_s: float) -> Finish:
    """A thread that takes ready rows from a queue and inserts them: no spans, no encoding, one table, one index."""
    import apps

    waiting: deque[tuple[object, ...]] = deque()

    class Queueing(apps.Scripted):  # type: ignore[name-defined,misc]
        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            for _ in range(_ROWS_A_NODE):
                waiting.append((random.getrandbits(63), "task think", *range(_COLUMNS - 3), _BODY))
            return super()._generate(*args, **kwargs)

    apps.Scripted = Queueing
    insert = "INSERT INTO spans VALUES " + ", ".join([_ROW] * _AT_ONCE)
    written = threading.Event()

    def write() -> None:
        connection = sqlite3.connect(folder / "rows.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"CREATE TABLE spans ({', '.join(f'c{number}' for number in range(_COLUMNS))})")
        connection.execute("CREATE UNIQUE INDEX spans_identity ON spans (c0)")
        while True:
            time.sleep(interval_s)
            connection.execute("BEGIN")
            for _ in range(len(waiting) // _AT_ONCE):
                connection.execute(insert, [value for _ in range(_AT_ONCE) for value in waiting.popleft()])
            connection.executemany(f"INSERT INTO spans VALUES {_ROW}", [waiting.popleft() for _ in range(len(waiting))])
            connection.execute("COMMIT")
            written.set()

    threading.Thread(target=write, daemon=True).start()

    def finish() -> None:
        while waiting:
            written.clear()
            written.wait(1)

    return finish


STAGES: dict[str, Callable[[Path], Finish]] = {
    "bare app": _bare,
    "bare, beside a thread that inserts 3 ready rows a node, every 50 ms": lambda folder: _second_thread(folder, 0.05),
    "the same, every 250 ms": lambda folder: _second_thread(folder, 0.25),
    "otel-mas: hooks that do nothing": _hooks,
    "+ spans, messages, costs, queue: all of the app's thread, no second one": _spans,
    "+ a second thread that encodes": _encoded,
    "+ SQLite, between runs only": lambda folder: _recorded(folder, flush_interval_ms=_NEVER_MS),
    "+ SQLite while the app runs: otel-mas as it is": _recorded,
    "the same, `OTEL_MAS_FLUSH_INTERVAL_MS=10`": lambda folder: _recorded(folder, flush_interval_ms=10),
}


def report(rounds: int) -> None:
    """Print the table: CPU of the whole process, until everything is stored."""
    with tempfile.TemporaryDirectory() as folder:
        processes = {stage: _process(Path(folder), number) for number, stage in enumerate(STAGES)}
        seen: dict[str, list[float]] = {stage: [] for stage in STAGES}
        for number in range(_WARM_UP + rounds):
            for stage in random.sample([*STAGES], len(STAGES)):
                took = _block(processes[stage])
                if number >= _WARM_UP:
                    seen[stage].append(took)
        for process in processes.values():
            process.communicate()
    bare = seen["bare app"]
    print(f"\n### Floor: median of {rounds} rounds of {NODES * RUNS} nodes\n")
    print("| stage | CPU µs a node | × bare |")
    print("|---|---|---|")
    for stage, values in seen.items():
        ratio = statistics.median(value / base for value, base in zip(values, bare, strict=True))
        print(f"| {stage} | {statistics.median(values):.0f} | {ratio:.2f} |", flush=True)


def _process(folder: Path, number: int) -> subprocess.Popen[str]:
    own = folder / str(number)
    own.mkdir()
    command = [sys.executable, __file__, str(number), str(own)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _block(process: subprocess.Popen[str]) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    print(file=process.stdin, flush=True)
    return float(process.stdout.readline())


def main() -> None:
    """One stage: runs a block for each line of standard input, prints the µs of CPU a node."""
    finish = [*STAGES.values()][int(sys.argv[1])](Path(sys.argv[2]))
    import apps

    app, state = apps.loop(NODES), apps.initial(2, 40, 0)
    for _ in sys.stdin:
        before = time.process_time()
        for _ in range(RUNS):
            app.invoke(dict(state), {"recursion_limit": NODES + 10})
        finish()
        print((time.process_time() - before) / (NODES * RUNS) * 1e6, flush=True)


if __name__ == "__main__":
    main()
