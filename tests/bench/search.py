"""CPU of a search through the content of 10,000 traces of 50 spans; the budget is two seconds."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

TRACES, SPANS, MODEL_CALLS, TOOL_CALLS = 10_000, 50, 10, 10
_SECOND = 10**9
_WORDS_A_MESSAGE = 60
_WANTED = "The Spring Tide"


def report(traces: int = TRACES) -> None:
    """Print the table: what is looked for, how much of it there is, CPU."""
    print(f"\n### Search through {traces:,} traces of {SPANS} spans\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        text = record(path, traces)
        print(f"{path.stat().st_size / 1e6:,.0f} MB, of which {text / 1e6:,.0f} MB are content.\n")
        print("| text | matches | CPU | budget |")
        print("|---|---|---|---|")
        for wanted, limit in ((_WANTED, 100), ("no such words", 100), ("a", 100), (_WANTED, traces * SPANS)):
            seconds, found = search(path, wanted, limit)
            print(f"| {wanted}, at most {limit:,} | {found:,} | {seconds:.2f} s | 2 s |", flush=True)


def search(path: Path, text: str, limit: int) -> tuple[float, int]:
    """Seconds of CPU to open the store and search, and the number of matches."""
    import otel_mas

    began = time.process_time()
    with otel_mas.open(path) as source:
        found = len(source.search(text, limit=limit))
    return time.process_time() - began, found


def record(path: Path, traces: int) -> int:
    """Write such a store; returns the bytes of its content. Every tenth trace has the text that is looked for."""
    from otel_mas.store import StoreWriter
    from otel_mas.store.rows import Batch

    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 10))) for _ in range(5_000)]
    writer = StoreWriter(path, instance_id=b"bench", run_id=None, service="bench", max_bytes=0, max_age_ns=0)
    resource, scope = writer.resource({"service.name": "bench"}, "", b""), writer.scope("otel_mas", "1", {}, "")
    size = 0
    for first in range(0, traces, 50):
        batch = Batch()
        for number in range(first, first + 50):
            for length in _trace(batch, number, resource, scope, words, chance):
                size += length
        writer.write(batch)
    writer.finish((), 0)
    writer.close()
    return size


def _trace(
    batch: object, number: int, resource: int, scope: int, words: list[str], chance: random.Random
) -> Iterator[int]:
    """Add the rows of a trace; yields the bytes of each content."""
    from typing import Any

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from otel_mas.store.rows import ContentRow, MessageRefRow, MessageRow, SpanRow

    rows: Any = batch
    trace_id, start = (number + 1).to_bytes(16, "big"), (1_700_000_000 + number) * _SECOND
    history = b""
    for place in range(SPANS):
        span_id = (number * SPANS + place + 1).to_bytes(8, "big")
        body = Span(trace_id=trace_id, span_id=span_id, name=f"task {place}").SerializeToString()
        parent = None if not place else (number * SPANS + 1).to_bytes(8, "big")
        fields = (trace_id, span_id, parent, f"task {place}", 1, start + place, start + place + 1, 0, {}, ())
        rows.spans.append(SpanRow(*fields, body, resource, scope))
        if place < MODEL_CALLS:
            for direction in (0, 1):
                text = " ".join(chance.choices(words, k=_WORDS_A_MESSAGE))
                text += _WANTED.lower() if number % 10 == 0 and place == direction == 0 else ""
                message = orjson.dumps({"role": "user", "parts": [{"type": "text", "content": text}]})
                digest = chance.randbytes(16)
                rows.messages.append(MessageRow(digest, "user", message))
                history = history + digest if direction == 0 else history
                listed = history if direction == 0 else digest
                rows.message_refs.append(MessageRefRow(trace_id, span_id, direction, 0, listed))
                history = history if direction == 0 else history + digest
                yield len(message)
        elif place < MODEL_CALLS + TOOL_CALLS:
            value = orjson.dumps({"query": " ".join(chance.choices(words, k=20))})
            rows.contents.append(ContentRow(trace_id, span_id, "gen_ai.tool.call.arguments", value))
            yield len(value)
