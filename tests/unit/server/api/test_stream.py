"""The live stream: nothing is missed, by several clients, over restarts and several servers; memory is bounded."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from jsonschema import Draft202012Validator
from opentelemetry.proto.trace.v1 import trace_pb2

import otel_mas
from otel_mas.report.json.schema import model_of
from otel_mas.semconv import attributes as names
from otel_mas.server.api.stream import Subscriber
from otel_mas.server.api.stream_events import Event, StreamSpanForm, frame
from otel_mas.store.rows import Batch
from tests.conformance.messages import pairs
from tests.unit.server.api.live import PATIENCE_S, Received, listening, serving
from tests.unit.server.conftest import add
from tests.unit.store.conftest import Bench

TRACE = bytes(range(16)).hex()
OTHER = bytes(reversed(range(16)))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "runs.db", now_ns=time.time_ns())
    made.writer(instance=b"first").write(Batch(spans=[made.span(name="before")]))
    yield made
    made.close()


def _ends(events: list[Received]) -> list[str]:
    """Names of the spans that ended, each once: one that ends while a client gets what it missed may come twice."""
    return list(dict.fromkeys(one.data["name"] for one in events if one.name == "span.end"))


def test_spans_come_when_they_begin_and_when_they_end_with_their_causes(bench: Bench) -> None:
    writer = bench.writer()
    cause = bench.span(name="cause")
    attributes = {
        names.MAS_RECORD_KIND: "AGENT_TASK",
        names.MAS_TASK_ID: "k",
        names.MAS_TASK_NAME: "writer",
        names.GEN_AI_USAGE_INPUT_TOKENS: 7,
    }
    span = bench.span(
        name="task writer",
        parent_span_id=cause.span_id,
        links=((cause.trace_id, cause.span_id, "trigger"),),
        attributes=attributes,
        body=_body_with_link(cause.trace_id, cause.span_id),
    )
    with serving(bench.path) as address, listening(address, trace="all") as client:
        writer.write(Batch(opened=[bench.open_span(span_id=span.span_id, name="task writer", attributes=attributes)]))
        client.until(lambda events: any(one.name == "span.start" for one in events))
        writer.write(Batch(spans=[cause, span]))
        events = client.until(lambda events: len(_ends(events)) == 2)

    validator = Draft202012Validator(model_of(StreamSpanForm).model_json_schema())
    spans = [one.data for one in events if one.name.startswith("span.")]
    assert [error.message for span in spans for error in validator.iter_errors(span)] == []
    start = next(one.data for one in events if one.name == "span.start")
    end = next(one.data for one in events if one.name == "span.end" and one.data["name"] == "task writer")
    assert (start["span_id"], start["end_ns"]) == (span.span_id.hex(), None)
    assert (end["parent"], end["kind"], end["label"]) == (cause.span_id.hex(), "AGENT_TASK", "writer")
    assert (end["start_ns"], end["end_ns"]) == (str(span.start_ns), str(span.end_ns))
    assert (end["lane"], end["input_tokens"]) == ("writer", 7)
    assert end["edges"] == [{"cause": cause.span_id.hex(), "kind": "trigger"}]


def _body_with_link(trace_id: bytes, span_id: bytes) -> bytes:
    link = trace_pb2.Span.Link(trace_id=trace_id, span_id=span_id, attributes=pairs({names.MAS_LINK_KIND: "trigger"}))
    return trace_pb2.Span(name="task writer", links=[link]).SerializeToString()


def test_every_client_gets_every_span_of_what_it_follows(bench: Bench) -> None:
    writer = bench.writer()
    with (
        serving(bench.path) as address,
        listening(address) as whole,
        listening(address, trace=TRACE) as one,
        listening(address, trace=OTHER.hex()) as other,
    ):
        for number in range(40):
            mine, others = bench.span(name=f"a{number}"), bench.span(name=f"b{number}", trace_id=OTHER)
            writer.write(Batch(spans=[mine, others]))
        whole.until(lambda events: len(_ends(events)) == 80)
        one.until(lambda events: len(_ends(events)) == 40)
        other.until(lambda events: len(_ends(events)) == 40)

    assert _ends(one.events) == [f"a{number}" for number in range(40)]
    assert _ends(other.events) == [f"b{number}" for number in range(40)]
    assert _ends(whole.events) == [f"{letter}{number}" for number in range(40) for letter in "ab"]


def test_a_client_goes_on_where_it_was_at_another_server_and_after_a_restart(bench: Bench) -> None:
    writer = bench.writer()
    found: list[str] = []
    cursor = None
    for turn in range(3):  # a server each
        with serving(bench.path) as address:
            if cursor is None:
                cursor = httpx.get(f"{address}/api/v1/info", trust_env=False).json()["cursor"]
            writer.write(Batch(spans=[bench.span(name=f"before {turn}")]))
            with listening(address, last_event_id=cursor) as client:
                client.until(lambda events, last=f"before {turn}": last in _ends(events))  # type: ignore[misc]
                writer.write(Batch(spans=[bench.span(name=f"while {turn}")]))
                found += _ends(client.until(lambda events, last=f"while {turn}": last in _ends(events)))  # type: ignore[misc]
                cursor = client.cursor
        writer.write(Batch(spans=[bench.span(name=f"between {turn}")]))

    expected = [f"{when} {turn}" for turn in range(3) for when in ("before", "while", "between")][:-1]
    assert found == expected


def test_two_servers_give_the_same_positions(bench: Bench) -> None:
    writer = bench.writer()
    with (
        serving(bench.path) as one,
        serving(bench.path) as two,
        listening(one) as first,
        listening(two) as second,
    ):
        writer.write(Batch(spans=[bench.span(name="x")]))
        first.until(lambda events: len(_ends(events)) == 1)
        second.until(lambda events: len(_ends(events)) == 1)

    assert first.cursor == second.cursor is not None


def test_the_stream_goes_on_from_the_document_that_is_shown(bench: Bench) -> None:
    writer = bench.writer()
    with serving(bench.path) as address:
        shown = httpx.get(f"{address}/api/v1/traces/{TRACE}/picture", trust_env=False).json()
        writer.write(Batch(spans=[bench.span(name="missed")]))
        with listening(address, trace=TRACE, cursor=shown["cursor"]) as client:
            client.until(lambda events: _ends(events) == ["missed"])

    assert "before" in shown["strings"]


@pytest.mark.parametrize("cursor", ["1-00000000-3", "9-00000000-3", "x", "1-{store}-999999"])
def test_a_client_with_an_unknown_position_begins_anew(bench: Bench, cursor: str) -> None:
    writer = bench.writer()
    with serving(bench.path) as address:
        info = httpx.get(f"{address}/api/v1/info", trust_env=False).json()
        known = info["cursor"].split("-")[1]
        with listening(address, last_event_id=cursor.replace("{store}", known)) as client:
            reset = client.until(lambda events: bool(events))[0]
            writer.write(Batch(spans=[bench.span(name="next")]))
            client.until(lambda events: _ends(events) == ["next"])

    assert reset.name == "reset"
    assert reset.cursor == info["cursor"]


def test_a_summary_and_findings_come_when_a_trace_has_ended(runs: Path, archives: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    add(archives[0], path)
    with otel_mas.open(runs) as source:
        expected = {
            summary.trace_id: sorted(one.code for one in source.trace(summary.trace_id).findings())
            for summary in source.traces(limit=100)
        }
    with serving(path) as address, listening(address) as client:
        for archive in archives[1:]:
            add(archive, path)
        with otel_mas.open(path) as source:
            there = {one.trace_id for one in source.traces(limit=100)}
        with otel_mas.open(path) as source:
            added = {one for one in there if expected.get(one)} - _in(archives[0], tmp_path)
        assert added

        def complete(events: list[Received]) -> bool:
            found: dict[str, list[str]] = {}
            for one in events:
                if one.name == "finding":
                    found.setdefault(one.data["trace_id"], []).append(one.data["code"])
            return all(sorted(found.get(one, [])) == expected[one] for one in added)

        events = client.until(complete)

    summaries = {one.data["trace_id"]: one.data["span_count"] for one in events if one.name == "trace"}
    assert added <= summaries.keys()


def _in(archive: Path, folder: Path) -> set[str]:
    path = folder / "first.db"
    add(archive, path)
    with otel_mas.open(path) as source:
        return {one.trace_id for one in source.traces(limit=100)}


def test_what_a_slow_client_waits_for_is_bounded_and_it_begins_anew() -> None:
    async def run() -> tuple[bytes, bool]:
        client = Subscriber(None)
        for _ in range(100):
            client.put(Event("t", b"x" * 200_000), "1-a-7")
        return await client.take(0), client.ended

    taken, ended = asyncio.run(run())

    assert taken == frame("reset", {"reason": "too slow"}, "1-a-7")
    assert ended


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("trace=xyz", 404, "no trace id"),
        ("trace=00000000", 404, "no trace"),
        ("color=red", 400, "no parameter is called 'color'"),
    ],
)
def test_a_stream_of_nothing_is_refused_in_words(bench: Bench, query: str, status: int, words: str) -> None:
    with serving(bench.path) as address:
        response = httpx.get(f"{address}/api/v1/stream?{query}", trust_env=False)

    assert response.status_code == status
    assert words in response.json()["error"]["message"]


def test_a_file_has_no_stream(archives: list[Path]) -> None:
    with serving(archives[0]) as address:
        response = httpx.get(f"{address}/api/v1/stream", trust_env=False)
        info = httpx.get(f"{address}/api/v1/info", trust_env=False).json()

    assert (response.status_code, response.json()["error"]["code"]) == (400, "unsupported")
    assert (info["live"], info["cursor"]) == (False, None)


def test_text_of_a_span_cannot_forge_an_event(bench: Bench) -> None:
    writer = bench.writer()
    name = "a\n\nevent: trace\ndata: {}\r\rid: 1-x-9\n\n\u2028"
    with serving(bench.path) as address, listening(address) as client:
        writer.write(Batch(spans=[bench.span(name=name)]))
        events = client.until(lambda events: len(_ends(events)) == 1)

    assert [one.name for one in events if one.name != "trace"] == ["span.end"]
    assert json.dumps(events[0].data)


def test_a_client_that_reads_nothing_costs_bounded_memory_and_is_told_to_begin_anew(bench: Bench) -> None:
    writer = bench.writer()
    name = "x" * 8_000
    with (
        serving(bench.path) as address,
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as slow,
        listening(address) as quick,
    ):
        slow.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        slow.settimeout(PATIENCE_S)
        assert slow.recv(12) == b"HTTP/1.1 200"
        for number in range(40):
            writer.write(Batch(spans=[bench.span(name=f"{number}.{one} {name}") for one in range(100)]))
            quick.until(lambda events, whole=100 * (number + 1): _count(events) >= whole)  # type: ignore[misc]
        writer.write(Batch(spans=[bench.span(name="last")]))
        quick.until(lambda events: events[-1].name == "span.end" and events[-1].data["name"] == "last")
        received = b""
        while chunk := slow.recv(1 << 20):
            received += chunk

    assert b"event: reset" in received
    assert received.rindex(b"event: reset") > received.rindex(b"event: span.end")
    assert len(received) < 40 * 100 * len(name)


def _count(events: list[Received]) -> int:
    return sum(one.name == "span.end" for one in events)
