"""Clients of Kafka pull messages: the run that follows is because of the message that was pulled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import otel_mas
from otel_mas.causal import StepKind, build
from otel_mas.model import Span, Trace
from otel_mas.semconv import RecordKind
from tests.layers.processes import call


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("kafka") / "runs.db"
    call(store, "agents", "tests.layers.kafka_clients")
    return store


@pytest.fixture(scope="module")
def spans(store: Path) -> Iterator[list[Span]]:
    with otel_mas.open(store) as source:
        yield [span for listed in source.traces() for span in source.trace(listed.trace_id).spans]


@pytest.mark.parametrize("topic", ["confluent", "aio"])
def test_a_message_is_received_because_of_the_one_send_that_published_it(spans: list[Span], topic: str) -> None:
    sent = {span.span_id for span in spans if span.record_kind == RecordKind.SEND and span.name == f"{topic} send"}
    receipts = [span for span in spans if span.record_kind == RecordKind.RECEIVE and span.name.startswith(topic)]
    assert len(sent) == 2
    assert receipts
    for span in receipts:
        assert [link.kind for link in span.links if link.span_id in sent and link.kind] == ["message"]
        assert span.attributes["mas.message.id"] in sent


@pytest.mark.parametrize("topic", ["confluent", "aio"])
def test_the_run_that_follows_is_below_the_receipt(spans: list[Span], topic: str) -> None:
    known = {span.span_id: span for span in spans}
    (run,) = [span for span in spans if span.name == f"invoke_workflow {topic}_receiver"]
    assert known[run.parent_span_id or ""].record_kind == RecordKind.RECEIVE


def test_the_path_goes_from_the_run_that_sent_by_the_topic_to_the_run_that_followed(spans: list[Span]) -> None:
    (run,) = [span for span in spans if span.name == "invoke_workflow aio_receiver"]
    whole = tuple(span for span in spans if span.trace_id == run.trace_id)
    path = build([Trace(run.trace_id, whole)]).critical_path()
    steps = [(step.kind, step.span and step.span.name) for step in path]
    assert (StepKind.QUEUE, "aio send") in steps
    assert steps[0] == (StepKind.SPAN, "invoke_workflow aio_sender")
    assert steps[-1] == (StepKind.SPAN, "invoke_workflow aio_receiver")
