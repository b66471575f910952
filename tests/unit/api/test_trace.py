"""The handles on a trace and its graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import otel_mas
from otel_mas import model
from otel_mas.api import Source, Trace
from otel_mas.errors import TraceNotFound, UnsupportedQuery
from otel_mas.model import Content, Event, Span, SpanBody, StatusCode
from otel_mas.sources import Capabilities


@pytest.fixture
def opened(store: Path) -> Iterator[Source]:
    with otel_mas.open(store) as found:
        yield found


def test_spans_come_in_start_order_with_what_the_trace_says_of_itself(opened: Source, team: ModuleType) -> None:
    trace = opened.trace(team.FIRST)
    assert [span.start_ns for span in trace.spans] == sorted(span.start_ns for span in trace.spans)
    assert (trace.conversation_id, trace.service, trace.problems) == (team.THREAD, team.SERVICE, ())
    assert repr(trace) == f"<Trace {team.FIRST} 'invoke_workflow research_team', 23 spans>"


def test_a_span_is_found_by_its_id(opened: Source, team: ModuleType) -> None:
    trace = opened.trace(team.FIRST)
    assert trace.span("4b00000000000001").name == "invoke_workflow research_team"
    with pytest.raises(TraceNotFound, match="no span and no task 'nope'"):
        trace.span("nope")


def test_messages_of_a_span_come_in_order_with_their_content_where_it_was_kept(
    opened: Source, team: ModuleType
) -> None:
    trace = opened.trace(team.FIRST)
    chat = next(span for span in trace.spans if span.name.startswith("chat"))
    messages = trace.messages(chat)
    assert [(message.role, message.body) for message in messages.input] == [
        ("user", {"role": "user", "parts": [{"type": "text", "content": "Tides?"}]})
    ]
    assert [(message.role, message.body) for message in messages.output] == [("assistant", None)]
    assert trace.messages(trace.spans[0].span_id).input == ()


def test_contents_of_a_span_come_by_name(opened: Source, team: ModuleType) -> None:
    trace = opened.trace(team.FIRST)
    paused = next(span for span in trace.spans if span.task_name == "approve")
    assert trace.contents(paused) == {"mas.interrupt.values": ["Publish this?"]}


def test_messages_are_refused_where_the_source_keeps_none(team: ModuleType) -> None:
    class Bare:
        location = "bare://"
        capabilities = Capabilities()

    bare: Any = Bare()
    with pytest.raises(UnsupportedQuery, match="bare:// has no messages"):
        Trace(team.research_traces()[0], bare).messages("4b00000000000001")


def test_the_graph_of_a_conversation_joins_pause_and_resume_across_traces(opened: Source, team: ModuleType) -> None:
    conversation = opened.conversation(team.THREAD)
    graph = conversation.graph()
    (resume,) = [edge for edge in graph.edges if edge.kind == "resume"]
    by_id = {span.span_id: span for span in graph.spans}
    assert by_id[resume.cause].trace_id == team.FIRST
    assert by_id[resume.effect].trace_id == team.SECOND
    assert resume.provenance == "metadata"
    assert graph.externals == ()
    assert graph is conversation.graph()


def test_a_cause_in_another_trace_is_external_to_one_trace_alone(opened: Source, team: ModuleType) -> None:
    assert opened.trace(team.SECOND).graph().externals == ("4b00000000000016",)


def test_the_networkx_graph_holds_spans_and_kinds(opened: Source, team: ModuleType) -> None:
    found = opened.trace(team.FIRST).graph().to_networkx()
    assert len(found.nodes) == 23
    assert found.nodes["4b00000000000001"]["span"].name == "invoke_workflow research_team"
    kinds = {data["kind"] for _, _, data in found.edges(data=True)}
    assert kinds == {"child", "trigger", "send"}


def test_path_and_cost_are_those_of_the_conversation(opened: Source, team: ModuleType) -> None:
    graph = opened.conversation(team.THREAD).graph()
    path = graph.critical_path()
    assert sum(step.end_ns - step.start_ns for step in path) == 66_500 * team.MS
    assert "waiting for input" in {step.kind for step in path}
    assert graph.cost().total.calls == 8
    assert repr(graph).startswith("<Graph 27 spans; 25 child, 1 resume, 5 send, ")


def test_what_the_source_knows_to_be_missing_is_a_problem(team: ModuleType) -> None:
    trace: Any = team.research()[0].trace(incomplete="3 spans were dropped")
    nowhere: Any = None
    assert Trace(trace, nowhere).problems == (f"trace {team.FIRST}: 3 spans were dropped",)


def test_reasons_of_decisions_come_by_span_where_content_is_kept(team: ModuleType) -> None:
    trace: Any = team.research()[0].trace()
    route = next(span for span in trace.spans if span.name.startswith("route"))

    class Keeping:
        location = "kept://"
        capabilities = Capabilities(content=True)

        def contents(self, trace_id: str, span_id: str) -> list[Content]:
            return [Content(trace_id, span_id, "mas.routing.reason", "It is about tides.")]

    class Bare:
        location = "bare://"
        capabilities = Capabilities()

    kept: Any = Keeping()
    bare: Any = Bare()
    assert Trace(trace, kept).reasons() == {route.span_id: "It is about tides."}
    assert Trace(trace, bare).reasons() == {}


def failed_span(span_id: str, message: str | None = None, description: str = "") -> Span:
    said = {} if message is None else {"exception.message": message}
    event = Event("exception", 5, {"exception.type": "ValueError", **said})
    body = SpanBody(attributes={"error.type": "ValueError"}, events=(event,), status_message=description)
    ids = {"trace_id": "aa" * 16, "span_id": span_id, "parent_span_id": None}
    return Span.complete(body, **ids, name="n", start_ns=1, end_ns=9, status=StatusCode.ERROR)


def test_the_message_of_an_error_is_read_where_it_is_stored_and_nothing_is_made_up() -> None:
    class Keeping:
        location = "kept://"
        capabilities = Capabilities(content=True)

        def contents(self, trace_id: str, span_id: str) -> list[Content]:
            return [Content(trace_id, span_id, "exception.message", "no card")] if span_id == "beside" else []

    class Bare:
        location = "bare://"
        capabilities = Capabilities()

    spans = (
        failed_span("beside"),
        failed_span("event", "no stock"),
        failed_span("status", None, "late"),
        failed_span("x"),
    )
    trace = model.Trace("aa" * 16, spans)
    kept: Any = Keeping()
    bare: Any = Bare()
    assert Trace(trace, kept).error_messages() == {"beside": "no card", "event": "no stock", "status": "late"}
    assert Trace(trace, bare).error_messages() == {"event": "no stock", "status": "late"}
