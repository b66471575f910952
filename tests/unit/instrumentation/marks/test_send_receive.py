"""Messages between agents, and causes that the app names."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from opentelemetry import trace

import otel_mas
from otel_mas.model import SpanKind
from otel_mas.semconv import attributes as names


def links(span: Any) -> list[tuple[str | None, str]]:
    return [(link.kind, link.span_id) for link in span.links]


def test_a_receive_is_linked_to_its_send_and_has_the_same_message(run: Any) -> None:
    with otel_mas.agent("planner"):
        carrier = otel_mas.send("book it", to="booker")
    with otel_mas.agent("booker"):
        otel_mas.receive("book it", carrier, sender="planner")
    sent, received = run.named("send booker"), run.named("receive planner")
    assert (sent.record_kind, received.record_kind) == ("SEND", "RECEIVE")
    assert (sent.kind, received.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert links(received) == [("message", sent.span_id)]
    assert sent.attributes[names.MAS_MESSAGE_ID] == received.attributes[names.MAS_MESSAGE_ID]
    assert list(sent.attributes[names.MAS_OUTPUT_MESSAGES]) == list(received.attributes[names.MAS_INPUT_MESSAGES])
    assert run.control_edges() == set(), "reading a message is no control edge"


def test_a_record_of_a_send_has_what_was_sent_and_says_what_was_cut(run: Any) -> None:
    otel_mas.send({"budget": 3, "places": ["x"]}, to="booker")
    otel_mas.send({"page": "y" * 100_000})
    assert otel_mas.flush(30)
    with otel_mas.open(run.path) as source:
        found = {record.name: record for trace in source.each() for record in trace.records()}
    data = [{"role": "assistant", "parts": [{"type": "data", "content": {"budget": 3, "places": ["x"]}}]}]
    assert found["send booker"].payload == {"to": "booker", "output": data}
    assert not found["send booker"].payload_truncated
    assert "y" * 100 in str(found["send"].payload)
    assert found["send"].payload_truncated


def test_a_carrier_alone_says_what_was_sent(run: Any) -> None:
    carrier = otel_mas.send("book it")
    otel_mas.receive(carrier=carrier)
    sent, received = run.spans()
    assert (sent.name, received.name) == ("send", "receive")
    assert list(received.attributes[names.MAS_INPUT_MESSAGES]) == list(sent.attributes[names.MAS_OUTPUT_MESSAGES])


def test_a_message_without_a_carrier_is_known_by_what_it_says(run: Any) -> None:
    otel_mas.send("book it")
    otel_mas.receive("book it")
    sent, received = run.spans()
    assert links(received) == []
    assert list(received.attributes[names.MAS_INPUT_MESSAGES]) == list(sent.attributes[names.MAS_OUTPUT_MESSAGES])


def test_an_agent_that_reads_what_another_wrote_is_linked_to_it(run: Any) -> None:
    with otel_mas.workflow("w"):
        with otel_mas.agent("researcher") as researcher:
            researcher.output("the line is 4.2 km long")
        with otel_mas.agent("writer") as writer:
            writer.input({"role": "assistant", "content": "the line is 4.2 km long"}, "write about it")
        with otel_mas.agent("translator"):
            otel_mas.receive("the line is 4.2 km long")
    wrote = run.named("invoke_agent researcher").span_id
    assert links(run.named("invoke_agent writer")) == [("message", wrote)]
    assert links(run.named("receive")) == [("message", wrote)]


def test_models_of_marked_agents_read_what_other_agents_models_wrote(run: Any) -> None:
    with otel_mas.workflow("w"):
        with otel_mas.agent("researcher"):
            found = FakeMessagesListChatModel(responses=[AIMessage("4.2 km")]).invoke("how long?")
        with otel_mas.agent("writer"):
            FakeMessagesListChatModel(responses=[AIMessage("done")]).invoke([found, HumanMessage("write about it")])
    first, second = [span for span in run.spans() if span.record_kind == "LLM_CALL"]
    assert links(second) == [("message", first.span_id)]


def test_what_an_app_names_as_a_cause_is_a_trigger(run: Any) -> None:
    with otel_mas.workflow("w"):
        with otel_mas.agent("a") as a:
            pass
        with otel_mas.agent("b") as b:
            pass
        with otel_mas.task("join", caused_by=[a, b.span]):
            pass
        with otel_mas.task("after", caused_by=a.span.get_span_context()):
            pass
    assert run.control_edges() == {
        ("trigger", "a#1", "join#1"),
        ("trigger", "b#1", "join#1"),
        ("trigger", "a#1", "after#1"),
    }


def test_a_task_caused_by_a_message_is_caused_by_the_task_that_sent_it(run: Any) -> None:
    with otel_mas.workflow("w"):
        with otel_mas.agent("planner"), otel_mas.tool("mail"):
            carrier = otel_mas.send("book it", to="booker")
        with otel_mas.agent("booker", caused_by=carrier):
            pass
    assert run.control_edges() == {("send", "planner#1", "booker#1")}


def test_a_cause_that_was_not_recorded_is_none(run: Any) -> None:
    with otel_mas.agent("a", caused_by=[otel_mas.agent("never entered"), trace.INVALID_SPAN, {}, {"traceparent": "?"}]):
        pass
    assert run.named("invoke_agent a").links == ()


OTHER = """
import json, sys, otel_mas
otel_mas.instrument(store=sys.argv[1])
carrier = json.loads(sys.argv[2])
with otel_mas.agent("booker", caused_by=carrier):
    otel_mas.receive("book it", carrier)
otel_mas.shutdown(30)
"""


def test_a_message_is_followed_into_another_process(run: Any) -> None:
    with otel_mas.workflow("w"), otel_mas.agent("planner"):
        carrier = otel_mas.send("book it", to="booker")
    otel_mas.flush(30)
    subprocess.run([sys.executable, "-c", OTHER, str(run.path), json.dumps(carrier)], check=True)
    sent, received, booker = run.named("send booker"), run.named("receive"), run.named("invoke_agent booker")
    assert links(received) == [("message", sent.span_id)]
    assert booker.trace_id == sent.trace_id
    assert booker.parent_span_id == run.named("invoke_workflow w").span_id, "beside the agent that sent it"
    assert list(received.attributes[names.MAS_INPUT_MESSAGES]) == list(sent.attributes[names.MAS_OUTPUT_MESSAGES])
    assert run.control_edges() == {("send", "planner#1", "booker#1")}
    assert not run.graph().problems
