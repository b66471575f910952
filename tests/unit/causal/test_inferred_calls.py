"""Causes of calls that others recorded: ids of tool calls, contents of messages, order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_mas.causal import build
from otel_mas.causal.graph import CausalGraph
from otel_mas.model import Scope, Span, SpanBody, Trace
from otel_mas.semconv import attributes as names

THEIRS = Scope("opentelemetry.instrumentation.somebody")
QUESTION = {"role": "user", "parts": [{"type": "text", "content": "How is the weather in Oslo today?"}]}


def asks(call: str | None = None, city: str = "Oslo") -> dict[str, Any]:
    """A model's answer that asks for a tool call."""
    part = {"type": "tool_call", "id": call, "name": "weather", "arguments": {"city": city}}
    return {"role": "assistant", "parts": [part]}


def result(call: str | None, text: str = "It rains in Oslo.") -> dict[str, Any]:
    """A tool's result, as a model reads it."""
    return {"role": "tool", "parts": [{"type": "tool_call_response", "id": call, "response": text}]}


def says(text: str, role: str = "assistant") -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _span(span_id: str, start: int, end: int, parent: str, operation: str, **attributes: Any) -> Span:
    given = {names.GEN_AI_OPERATION_NAME: operation, **attributes}
    kind = {"chat": "LLM_CALL", "execute_tool": "TOOL_CALL", "invoke_agent": "AGENT_TASK"}[operation]
    columns = {names.MAS_RECORD_KIND: kind, **given}
    return Span("t", span_id, parent, span_id, start, end, columns=columns, scope=THEIRS, _body=SpanBody(given))


def agent(name: str, start: int, end: int) -> Span:
    return _span(name, start, end, "root", "invoke_agent", **{names.GEN_AI_AGENT_NAME: name})


def model(span_id: str, start: int, read: list[Any], wrote: list[Any], *, parent: str = "agent") -> Span:
    texts = {names.GEN_AI_INPUT_MESSAGES: json.dumps(read), names.GEN_AI_OUTPUT_MESSAGES: json.dumps(wrote)}
    return _span(span_id, start, start + 5, parent, "chat", **texts)


def tool(span_id: str, start: int, *, parent: str = "agent", **attributes: Any) -> Span:
    return _span(span_id, start, start + 5, parent, "execute_tool", **{names.GEN_AI_TOOL_NAME: "weather", **attributes})


def graph_of(*spans: Span) -> CausalGraph:
    root = Span("t", "root", None, "run", 0, 1000, scope=THEIRS)
    ordered = sorted((root, *spans), key=lambda span: span.start_ns)
    return build([Trace("t", tuple(ordered))])


def causes(graph: CausalGraph, effect: str) -> list[tuple[str, str, str, float | None]]:
    edges = graph.causes_of(effect)
    return [(one.cause, one.kind, one.provenance, one.probability) for one in edges if one.kind != "child"]


def possible(graph: CausalGraph, effect: str) -> list[tuple[str, float | None]]:
    return [(one.cause, one.probability) for one in graph.possible_edges if one.effect == effect]


def test_an_id_leads_from_the_model_to_its_tool_and_on_to_the_next_model_call() -> None:
    graph = graph_of(
        agent("agent", 1, 100),
        model("first", 10, [QUESTION], [asks("c1")]),
        tool("weather", 20, **{names.GEN_AI_TOOL_CALL_ID: "c1"}),
        model("second", 30, [QUESTION, asks("c1"), result("c1")], [says("It rains.")]),
    )
    assert causes(graph, "weather") == [("first", "trigger", "metadata", None)]
    assert causes(graph, "second") == [("weather", "message", "metadata", None)]


def test_the_id_in_a_message_that_the_tool_returned_is_its_id() -> None:
    returned = json.dumps({"type": "tool", "data": {"content": "It rains in Oslo.", "tool_call_id": "c1"}})
    graph = graph_of(
        agent("agent", 1, 100),
        model("first", 10, [QUESTION], [asks("c0"), asks("c1")]),
        tool("weather", 20, **{names.GEN_AI_TOOL_CALL_RESULT: returned}),
        model("second", 30, [QUESTION, result("c1")], []),
    )
    assert causes(graph, "weather") == [("first", "trigger", "metadata", None)]
    assert causes(graph, "second") == [("weather", "message", "metadata", None)]


def test_an_id_that_comes_again_in_the_next_run_is_another_call() -> None:
    graph = graph_of(
        agent("one", 1, 100),
        model("first", 10, [QUESTION], [asks("c1")], parent="one"),
        tool("weather", 20, parent="one", **{names.GEN_AI_TOOL_CALL_ID: "c1"}),
        agent("two", 101, 200),
        model("second", 110, [says("And in Bergen?", "user")], [asks("c1")], parent="two"),
        tool("again", 120, parent="two", **{names.GEN_AI_TOOL_CALL_ID: "c1"}),
        model(
            "third", 130, [says("And in Bergen?", "user"), result("c1", "It always rains in Bergen.")], [], parent="two"
        ),
    )
    assert causes(graph, "weather") == [("first", "trigger", "metadata", None)]
    assert causes(graph, "again") == [("second", "trigger", "metadata", None)]
    assert causes(graph, "third") == [("again", "message", "metadata", None)]


def test_agents_that_use_the_same_ids_at_the_same_time_have_calls_of_their_own() -> None:
    graph = graph_of(
        agent("one", 1, 100),
        agent("two", 1, 100),
        model("first", 10, [QUESTION], [asks("c1")], parent="one"),
        model("second", 11, [says("And in Bergen?", "user")], [asks("c1")], parent="two"),
        tool("weather", 20, parent="one", **{names.GEN_AI_TOOL_CALL_ID: "c1"}),
        tool("again", 21, parent="two", **{names.GEN_AI_TOOL_CALL_ID: "c1"}),
        model("third", 30, [QUESTION, result("c1")], [], parent="one"),
        model("fourth", 31, [says("And in Bergen?", "user"), result("c1", "It pours.")], [], parent="two"),
    )
    assert causes(graph, "weather") == [("first", "trigger", "metadata", None)]
    assert causes(graph, "again") == [("second", "trigger", "metadata", None)]
    assert causes(graph, "third") == [("weather", "message", "metadata", None)]
    assert causes(graph, "fourth") == [("again", "message", "metadata", None)]


def test_a_call_that_another_agent_made_has_been_made() -> None:
    graph = graph_of(
        agent("asker", 1, 30),
        model("first", 10, [QUESTION], [asks("c1")], parent="asker"),
        agent("executor", 30, 100),
        tool("weather", 40, parent="executor", **{names.GEN_AI_TOOL_CALL_ID: "c1"}),
        tool("more", 50, parent="executor"),
    )
    assert causes(graph, "weather") == [("first", "trigger", "metadata", None)]
    assert causes(graph, "more") == []


def test_without_ids_arguments_tell_and_else_the_name() -> None:
    graph = graph_of(
        agent("agent", 1, 100),
        model("first", 10, [QUESTION], [asks("c1", "Bergen"), asks("c2", "Oslo")]),
        tool("one", 20, **{names.GEN_AI_TOOL_CALL_ARGUMENTS: "{'city': 'Oslo'}"}),
        tool("other", 21),
        tool("third", 22),
    )
    assert causes(graph, "one") == [("first", "trigger", "inferred", 0.95)]
    assert causes(graph, "other") == [("first", "trigger", "inferred", 0.7)]
    assert causes(graph, "third") == []


def test_the_text_of_a_result_tells_where_no_id_does() -> None:
    graph = graph_of(
        agent("agent", 1, 100),
        tool("weather", 10, **{names.GEN_AI_TOOL_CALL_RESULT: "It rains in Oslo."}),
        model("second", 30, [result(None)], []),
    )
    assert causes(graph, "second") == [("weather", "message", "inferred", 0.9)]


@pytest.mark.parametrize(("text", "probability"), [("Oslo has rain until Tuesday.", 0.9), ("Rain.", 0.6)])
def test_an_agent_reads_what_another_one_wrote_once(text: str, probability: float) -> None:
    graph = graph_of(
        agent("writer", 1, 20),
        model("writing", 2, [QUESTION], [says(text)], parent="writer"),
        agent("reader", 30, 90),
        model("reading", 31, [QUESTION, says(text)], [says("Then take an umbrella with you.")], parent="reader"),
        model("again", 41, [QUESTION, says(text), says("Then take an umbrella with you.")], [], parent="reader"),
    )
    assert causes(graph, "reading") == [("writing", "message", "inferred", probability)]
    assert causes(graph, "again") == []  # its own history


def test_what_two_wrote_came_from_either() -> None:
    text = "Oslo has rain until Tuesday."
    graph = graph_of(
        agent("a", 1, 20),
        model("one", 2, [], [says(text)], parent="a"),
        agent("b", 1, 20),
        model("other", 3, [], [says(text)], parent="b"),
        agent("reader", 30, 90),
        model("reading", 31, [says(text)], [], parent="reader"),
    )
    assert causes(graph, "reading") == []
    assert possible(graph, "reading") == [("one", 0.45), ("other", 0.45)]


def test_order_alone_makes_nothing_but_a_possible_cause() -> None:
    graph = graph_of(agent("a", 1, 20), agent("b", 30, 40), agent("c", 35, 50))
    assert [edge.kind for edge in graph.edges] == ["child"] * 3
    assert possible(graph, "b") == [("a", 0.3)]
    assert possible(graph, "c") == [("a", 0.3)]


def test_calls_that_we_recorded_are_left_as_they_are() -> None:
    ours = Scope("otel_mas")
    spans = (
        model("first", 10, [QUESTION], [asks("c1")]),
        tool("weather", 20, **{names.GEN_AI_TOOL_CALL_ID: "c1"}),
    )
    for span in spans:
        span.scope = ours
    graph = graph_of(agent("agent", 1, 100), *spans)
    assert causes(graph, "weather") == []
    assert possible(graph, "weather") == []
