"""The files of deploy/collector, run by the Collector itself between an app and what it fills."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import otel_mas
from otel_mas.model import Query
from otel_mas.sources import open_source
from tests.backends.clickhouse import ClickHouse
from tests.backends.jaeger import Jaeger
from tests.backends.kafka import Kafka
from tests.backends.otelcol import CONFIGS, Otelcol

SPANS = int(os.environ.get("OTEL_MAS_TEST_SPANS", "4000"))
"""Spans that go through Kafka. `OTEL_MAS_TEST_SPANS=100000` sends more than fits into a minute."""
WITHIN_S = 60 + SPANS / 100

APP = """
import sys
from typing import TypedDict
from langgraph.graph import END, START, StateGraph
from opentelemetry import trace
import otel_mas

class State(TypedDict):
    text: str

otel_mas.instrument()
graph = StateGraph(State)
graph.add_node("plan", lambda state: {"text": "plan"})
graph.add_node("write", lambda state: {"text": "text"})
graph.add_edge(START, "plan")
graph.add_edge("plan", "write")
graph.add_edge("write", END)
graph.compile().invoke({"text": ""}, {"configurable": {"thread_id": sys.argv[2]}})
tracer = trace.get_tracer("app")
for _ in range(int(sys.argv[1]) // 50):
    with tracer.start_as_current_span("request"):
        for number in range(49):
            with tracer.start_as_current_span(f"step {number}"):
                pass
otel_mas.shutdown()
"""
OTEL_MAS = [sys.executable, "-c", "from otel_mas.cli import main; main()"]


def record(store: Path, spans: int, thread: str) -> None:
    """Run an app: one run of a graph, and so many other spans."""
    environment = {**os.environ, "OTEL_MAS_STORE": str(store), "OTEL_MAS_QUEUE_SPANS": str(2 * spans + 1000)}
    subprocess.run([sys.executable, "-c", APP, str(spans), thread], env=environment, check=True, timeout=300)


def ship(store: Path, to: Otelcol) -> None:
    """Ship all that the store has."""
    command = [*OTEL_MAS, "ship", "--once", "--from-start", "--endpoint", f"http://{to.http}", "--store", str(store)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def wait_for(what: Callable[[], bool], shown: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < deadline, shown()
        time.sleep(0.2)


def span_ids(store: Path) -> set[str]:
    with otel_mas.open(store) as source:
        return {span.span_id for one in source.traces(limit=SPANS) for span in source.trace(one.trace_id).spans}


@pytest.mark.parametrize("config", sorted(path.name for path in CONFIGS.glob("*.yaml")))
def test_the_collector_takes_each_file(otelcol_binary: Path, tmp_path: Path, config: str) -> None:
    Otelcol(otelcol_binary, config, tmp_path).validate()


def test_one_that_is_down_does_not_hold_up_the_other(otelcol_binary: Path, jaeger_binary: Path, tmp_path: Path) -> None:
    """A second Jaeger stands where Tempo would: both take OTLP over gRPC."""
    first = Jaeger(jaeger_binary, tmp_path / "jaeger")
    second = Jaeger(jaeger_binary, tmp_path / "in place of tempo")
    settings = {"JAEGER_ENDPOINT": first.otlp_grpc, "TEMPO_ENDPOINT": second.otlp_grpc}
    collector = Otelcol(otelcol_binary, "jaeger-and-tempo.yaml", tmp_path / "otelcol", settings)
    store = tmp_path / "runs.db"
    record(store, 0, "thread")
    try:
        first.start()
        collector.start()
        ship(store, collector)
        sources = [open_source(f"jaeger+grpc://{server.grpc}") for server in (first, second)]
        wait_for(lambda: len(sources[0].traces(Query())) == 1, collector.log.read_text)

        collector.kill()  # what waits is on the disk
        second.start()
        collector.start()
        wait_for(lambda: len(sources[1].traces(Query())) == 1, collector.log.read_text)
    finally:
        for process in (first, second):
            process.stop()
        collector.kill()


@pytest.mark.slow
def test_nothing_is_lost_on_the_way_through_kafka_into_clickhouse(
    otelcol_binary: Path, kafka_libraries: Path, tmp_path: Path
) -> None:
    """Kafka is killed while spans come, then the Collector before it, and the one behind it while it reads."""
    store = tmp_path / "runs.db"
    server = ClickHouse(tmp_path / "clickhouse")
    kafka = Kafka(kafka_libraries, tmp_path / "kafka")
    settings = {"KAFKA_BROKERS": kafka.address, **server.settings}
    before = Otelcol(otelcol_binary, "to-kafka.yaml", tmp_path / "before", settings)
    behind = Otelcol(otelcol_binary, "kafka-to-clickhouse.yaml", tmp_path / "behind", settings)

    def arrived() -> int:
        return int(server.rows("SELECT uniqExact(SpanId) FROM otel.otel_traces")[0][0])

    def logs() -> str:
        return "\n".join(one.log.read_text()[-3000:] for one in (before, behind))

    try:
        for process in (server, kafka, before, behind):
            process.start()
        record(store, SPANS // 2, "first")
        ship(store, before)
        wait_for(lambda: arrived() > 0, logs)

        kafka.kill()
        record(store, SPANS // 2, "second")
        ship(store, before)  # into the queue on the disk
        before.kill()
        before.start()
        behind.kill()
        kafka.start()
        behind.start()
        sent = span_ids(store)
        wait_for(lambda: arrived() >= len(sent), lambda: f"{arrived()} of {len(sent)} spans\n{logs()}")

        with otel_mas.open(f"clickhouse://{server.address}/otel") as there, otel_mas.open(store) as here:
            (run,) = there.traces(conversation="second")
            assert _edges(there.trace(run.trace_id)) == _edges(here.trace(run.trace_id))
            assert run.span_count == here.traces(conversation="second")[0].span_count
        found = {row[0] for row in server.rows("SELECT DISTINCT SpanId FROM otel.otel_traces")}
        assert found == sent
    finally:
        for process in (before, behind, kafka):
            process.kill()
        server.stop()


def _edges(trace: otel_mas.Trace) -> set[tuple[str, str, str]]:
    return {(edge.cause, edge.effect, edge.kind) for edge in trace.graph().edges}
