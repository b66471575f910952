"""Trace records: CPU of the way there and back for 10,000 spans, and what `emit` takes on the app's thread."""

from __future__ import annotations

import asyncio
import queue
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_EMITTED = 2_000


def report_files(store: str) -> None:
    """Rows: a run's records into a file, and that file read up to the critical path."""
    import otel_mas
    from otel_mas.api import Records
    from otel_mas.cli import collect_seldom

    collect_seldom()
    with otel_mas.open(store) as source, tempfile.TemporaryDirectory() as folder:
        thread = source.latest().conversation_id or ""
        run = source.conversation(thread)
        run.graph().critical_path()
        run.records()
        for name in ("run.jsonl", "run.msgpack"):
            path = Path(folder) / name
            Records(run.records()[:10]).write(path)  # loads what it imports
            began = time.process_time()
            found = run.records()
            found.write(path)
            written = time.process_time() - began
            print(f"| {len(found):,} records into {name} | {written:.2f} s | 1 s |", flush=True)
            began = time.process_time()
            with otel_mas.open(path) as file:
                file.conversation(thread).graph().critical_path()
            read = time.process_time() - began
            print(f"| {name} to the critical path | {read:.2f} s | 1 s |", flush=True)


def report_emit() -> None:
    """Rows: µs of `emit`, beside that of `queue.Queue.put_nowait`, and the longest of them."""
    import otel_mas

    async def emitted(folder: str) -> list[float]:
        async with otel_mas.MASTraceLogger(Path(folder) / "runs.db") as log:
            return await _paced(lambda: log.emit(record))

    record = otel_mas.TraceRecord(trace_id="a" * 32, span_id="b" * 16, event_type="SPAN", timestamp=1)
    waiting: queue.Queue[object] = queue.Queue()
    with tempfile.TemporaryDirectory() as folder:
        ours = asyncio.run(emitted(folder))
    theirs = asyncio.run(_paced(lambda: waiting.put_nowait(record)))
    middle, peer = sorted(ours)[len(ours) // 2], sorted(theirs)[len(theirs) // 2]
    print(f"| `MASTraceLogger.emit` ÷ `queue.Queue.put_nowait`, median | {middle / peer:.2f} × | |")
    print(f"| `MASTraceLogger.emit`, median; 99.9th percentile | {middle:.1f} µs; {_late(ours):.0f} µs | 1,000 µs |")
    print(
        f"| `queue.Queue.put_nowait`, median; 99.9th percentile | {peer:.1f} µs; {_late(theirs):.0f} µs | |", flush=True
    )


async def _paced(call: Callable[[], object]) -> list[float]:
    """µs of each call, between turns of an event loop, while the writer works."""
    took = []
    for _ in range(_EMITTED):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1e6)
        await asyncio.sleep(0)
    return took


def _late(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.999)]
