"""Recorded spans reach a real Jaeger: one that comes late, is killed, or is shipped to by two at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

import otel_mas
from otel_mas.shipping.shipper import BATCH_SPANS
from otel_mas.store.importing import import_spans
from otel_mas.store.log_reader import DestinationStatus, LogReader
from tests.backends.jaeger import Jaeger, Storage
from tests.conformance.messages import process, span, span_id, trace_id

STORAGES: list[Storage] = ["memory", "badger"]
PROTOCOLS = ["grpc", "http/protobuf"]
OTEL_MAS = [sys.executable, "-c", "from otel_mas.cli import main; main()"]
TRACE = 0x51
MANY = 40_000


@pytest.fixture(params=STORAGES)
def late(request: pytest.FixtureRequest, jaeger_binary: Path, tmp_path: Path) -> Iterator[Jaeger]:
    """A Jaeger that has yet to be started."""
    made = Jaeger(jaeger_binary, tmp_path / "jaeger", request.param)
    yield made
    made.stop()


@pytest.fixture
def memory(jaeger_binary: Path, tmp_path: Path) -> Iterator[Jaeger]:
    """One that keeps every span that it gets, also one that comes twice."""
    made = Jaeger(jaeger_binary, tmp_path / "jaeger", "memory")
    yield made
    made.stop()


def environment(server: Jaeger, store: Path, protocol: str = "http/protobuf") -> dict[str, str]:
    address = server.otlp_grpc if protocol == "grpc" else server.otlp_http
    return {
        **os.environ,
        "OTEL_MAS_STORE": str(store),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
    }


def spans_in(server: Jaeger, trace: str) -> Counter[str]:
    """Every span of a trace that Jaeger has, with how often."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{server.http}/api/v3/traces/{trace}", timeout=300) as response:
            found = orjson.loads(response.read())["result"]["resourceSpans"]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return Counter()
        raise
    return Counter(one["spanId"] for of in found for scope in of["scopeSpans"] for one in scope.get("spans", ()))


def wait_for(server: Jaeger, trace: str, spans: int, timeout_s: float = 60) -> Counter[str]:
    deadline = time.monotonic() + timeout_s
    while len(found := spans_in(server, trace)) < spans and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def filled(store: Path, spans: int) -> Path:
    """A store with one trace of so many spans, which may be shipped."""
    whole = [span(TRACE, number, f"span {number}", number / 100, number / 100 + 1) for number in range(1, spans + 1)]
    parts = [process({"service.name": "big"}, whole[at : at + 1000]) for at in range(0, spans, 1000)]
    import_spans(store, parts, may_ship=True)
    return store


APP = """
import sys, time
from opentelemetry import trace
import otel_mas
otel_mas.instrument(export="otlp")
tracer = trace.get_tracer("app")
def work():
    with tracer.start_as_current_span("root") as root:
        for number in range(20):
            with tracer.start_as_current_span(f"step {number}"):
                pass
        print(f"{root.get_span_context().trace_id:032x}", flush=True)
work()
sys.stdin.readline()
"""


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_app_that_runs_before_jaeger_does_arrives_when_jaeger_comes(
    late: Jaeger, tmp_path: Path, protocol: str
) -> None:
    app = subprocess.Popen(
        [sys.executable, "-c", APP],
        env=environment(late, tmp_path / "runs.db", protocol),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert app.stdout is not None
        trace = app.stdout.readline().strip()
        time.sleep(1)
        late.start()
        found = wait_for(late, trace, 21)
        app.communicate("\n", timeout=30)
    finally:
        app.kill()

    assert len(found) == 21
    assert app.returncode == 0


def test_an_app_that_has_ended_arrives_by_a_process_of_its_own(late: Jaeger, tmp_path: Path) -> None:
    settings = environment(late, tmp_path / "runs.db")
    ended = subprocess.run(
        [sys.executable, "-c", APP], env=settings, input="", capture_output=True, text=True, timeout=300, check=True
    )
    assert "nothing listens at" in ended.stderr
    late.start()
    shipped = subprocess.run([*OTEL_MAS, "ship", "--once"], env=settings, capture_output=True, text=True, check=True)

    assert "shipped 21 spans" in shipped.stderr
    found = spans_in(late, ended.stdout.strip())
    assert len(found) == 21
    assert set(found.values()) == {1}


def test_jaeger_that_dies_on_the_way_gets_the_rest_when_it_is_back(jaeger_binary: Path, tmp_path: Path) -> None:
    badger = Jaeger(jaeger_binary, tmp_path / "jaeger", "badger")
    store = filled(tmp_path / "runs.db", MANY)
    badger.start()
    following = subprocess.Popen(
        [*OTEL_MAS, "ship", "--follow", "--from-start"], env=environment(badger, store), stderr=subprocess.DEVNULL
    )
    try:
        _until(lambda: _shipped(store) > 2_000)
        badger.stop(gracefully=True)
        on_the_way = _shipped(store)
        badger.start()
        _until(lambda: _shipped(store) == MANY)
        found = wait_for(badger, trace_id(TRACE), MANY)
        following.send_signal(signal.SIGTERM)
        assert following.wait(30) == 0
    finally:
        following.kill()
        badger.stop()

    assert on_the_way < MANY
    assert len(found) == MANY


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_shipper_that_is_killed_loses_nothing(memory: Jaeger, tmp_path: Path, protocol: str) -> None:
    store = filled(tmp_path / "runs.db", MANY)
    settings = environment(memory, store, protocol)
    memory.start()
    killed = subprocess.Popen([*OTEL_MAS, "ship", "--from-start"], env=settings, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: _shipped(store) > 1_000)
    finally:
        killed.kill()
        killed.wait()
    assert _shipped(store) < MANY
    after = subprocess.run([*OTEL_MAS, "ship", "--once"], env=settings, capture_output=True, text=True, check=True)

    found = wait_for(memory, trace_id(TRACE), MANY)
    assert len(found) == MANY
    assert sum(found.values()) <= MANY + BATCH_SPANS, after.stderr  # what was under way when it was killed


def test_two_shippers_at_once_send_nothing_twice(memory: Jaeger, tmp_path: Path) -> None:
    store = filled(tmp_path / "runs.db", MANY)
    settings = environment(memory, store)
    memory.start()
    both = [
        subprocess.Popen([*OTEL_MAS, "ship", "--once", "--from-start"], env=settings, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    logged = [one.communicate(timeout=300)[1] for one in both]

    assert [one.returncode for one in both] == [0, 0], logged
    found = wait_for(memory, trace_id(TRACE), MANY)
    assert (len(found), sum(found.values())) == (MANY, MANY)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_trace_of_50_000_spans_arrives(memory: Jaeger, tmp_path: Path, protocol: str) -> None:
    store = filled(tmp_path / "runs.db", 50_000)
    settings = {**environment(memory, store, protocol), "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}
    memory.start()
    subprocess.run([*OTEL_MAS, "ship", "--once", "--from-start"], env=settings, check=True, capture_output=True)

    found = wait_for(memory, trace_id(TRACE), 50_000)
    assert (len(found), sum(found.values())) == (50_000, 50_000)


def test_the_wrong_port_of_jaeger_is_reported_and_loses_nothing(memory: Jaeger, tmp_path: Path) -> None:
    """Its user interface answers on any path."""
    store = filled(tmp_path / "runs.db", 10)
    memory.start()
    settings = {**environment(memory, store), "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{memory.http}"}
    asked = subprocess.Popen(
        [*OTEL_MAS, "ship", "--from-start"], env=settings, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert asked.stderr is not None
        logged = asked.stderr.readline()
    finally:
        asked.kill()
        asked.communicate()

    assert "is this the OTLP endpoint" in logged or "is it the OTLP endpoint" in logged
    status = _status(store)
    assert status is not None
    assert (status.shipped, status.waiting) == (0, 10)


def _status(store: Path) -> DestinationStatus | None:
    reader = LogReader(store)
    try:
        return next(iter(reader.destinations()), None)
    finally:
        reader.close()


def _shipped(store: Path) -> int:
    status = _status(store)
    return 0 if status is None else status.shipped


def _until(done: Any, timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_join_of_10_000_tasks_arrives_and_is_read_back_whole(late: Jaeger, tmp_path: Path, protocol: str) -> None:
    """Badger refuses an attribute of 65,000 bytes, loses what links say, and keeps one of two links to a span."""
    wide, join = 10_000, 20_000
    tasks = [span(TRACE, number, f"task {number}", number / 100, number / 100 + 1) for number in range(1, wide + 1)]
    kinds = ("trigger", "message")  # two links to each span
    causes = [(TRACE, number, kind) for number in range(1, wide + 1) for kind in kinds]
    joining = span(TRACE, join, "task join", 200, 201, parent=1, causes=causes)
    store = tmp_path / "runs.db"
    import_spans(store, [process({"service.name": "wide"}, [*tasks, joining])], may_ship=True)
    late.start()

    shipped = subprocess.run(
        [*OTEL_MAS, "ship", "--once", "--from-start"], env=environment(late, store, protocol), timeout=200, check=False
    )

    assert shipped.returncode == 0
    assert len(wait_for(late, trace_id(TRACE), wide + 1)) == wide + 1
    for address in (f"jaeger+http://{late.http}", f"jaeger+grpc://{late.grpc}"):
        with otel_mas.open(address) as source:
            edges = source.trace(trace_id(TRACE)).graph().edges
        into = Counter(edge.kind for edge in edges if edge.effect == span_id(join) and edge.kind != "child")
        assert into == dict.fromkeys(kinds, wide), address


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_span_that_badger_can_never_take_blocks_no_other(jaeger_binary: Path, tmp_path: Path, protocol: str) -> None:
    spans = [span(TRACE, number, f"span {number}", number, number + 1) for number in range(1, 101)]
    spans[40].attributes.add(key="rows").value.array_value.values.add(string_value="x" * 70_000)
    store = tmp_path / "runs.db"
    import_spans(store, [process({"service.name": "poison"}, spans)], may_ship=True)
    server = Jaeger(jaeger_binary, tmp_path / "jaeger", "badger")
    server.start()
    try:
        command = [*OTEL_MAS, "ship", "--once", "--from-start"]
        settings = environment(server, store, protocol) | {
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT"
        }
        assert subprocess.run(command, env=settings, timeout=200, check=False).returncode == 0
        assert set(wait_for(server, trace_id(TRACE), 99)) == {one.span_id.hex() for one in spans} - {span_id(41)}
        retry = [*OTEL_MAS, "ship", "retry"]
        refused = subprocess.run(retry, env=settings, timeout=100, capture_output=True, text=True, check=False)
        status = _status(store)
        server.stop()
        server.storage = "memory"  # which has no such limit
        server.start()
        taken = subprocess.run(retry, env=settings, timeout=100, capture_output=True, text=True, check=False)
        assert set(wait_for(server, trace_id(TRACE), 1)) == {span_id(41)}
    finally:
        server.stop()
    assert status is not None
    assert [one.span_id for one in status.rejections] == [span_id(41)]
    assert "Key with size" in status.rejections[0].reason
    assert (refused.returncode, "0 accepted now, 1 refused again" in refused.stderr) == (1, True)
    assert (taken.returncode, "1 accepted now, 0 refused again" in taken.stderr) == (0, True)
    settled = _status(store)
    assert settled is not None
    assert (settled.shipped, settled.rejected, settled.rejections) == (100, 0, ())


def test_a_jaeger_that_stands_still_holds_up_no_other(jaeger_binary: Path, tmp_path: Path) -> None:
    still, other = (Jaeger(jaeger_binary, tmp_path / name, "memory") for name in ("still", "other"))
    app = None
    try:
        still.start()
        other.start()
        os.kill(still.pid, signal.SIGSTOP)
        app = subprocess.Popen(
            [
                sys.executable,
                "-c",
                APP.replace('"otlp"', f'"otlp:http://{still.otlp_http},otlp:http://{other.otlp_http}"'),
            ],
            env=environment(still, tmp_path / "runs.db"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert app.stdout is not None
        trace = app.stdout.readline().strip()
        assert len(wait_for(other, trace, 21)) == 21
        os.kill(still.pid, signal.SIGCONT)
        found = wait_for(still, trace, 21)
        app.communicate("\n", timeout=60)
    finally:
        if app is not None:
            app.kill()
        still.stop()
        other.stop()

    assert len(found) == 21
    assert app.returncode == 0
