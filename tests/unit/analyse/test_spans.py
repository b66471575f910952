"""Spans by what people call them, and everything about one span."""

from __future__ import annotations

from types import ModuleType

import pytest

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.spans import alike, find_spans, span_details
from otel_mas.causal import CausalGraph, build
from otel_mas.model import Content, Event, Message, MessageRef, SpanBody, StatusCode
from otel_mas.semconv import attributes as names


@pytest.fixture(scope="module")
def graph(team: ModuleType) -> CausalGraph:
    return build(team.research_traces())


def test_a_span_is_found_by_its_id_the_beginning_of_it_and_the_label_of_its_task(graph: CausalGraph) -> None:
    task = next(span for span in graph.spans if graph.labels().get(span.span_id) == "researcher#1/model#2")
    assert find_spans(graph, task.span_id) == [task]
    assert find_spans(graph, task.span_id.upper()) == [task]
    assert find_spans(graph, "researcher#1/model#2") == [task]
    assert [span.task_name for span in find_spans(graph, "plan")] == ["plan"]
    assert len(find_spans(graph, "approve#1")) == 2
    assert find_spans(graph, "model#2") == [task]


@pytest.mark.parametrize("name", ["researcher/model", "model", "odel#2", "nobody", "4bf9", "", "4b0"])
def test_a_name_of_several_tasks_or_of_none_finds_nothing(graph: CausalGraph, name: str) -> None:
    assert find_spans(graph, name) == []


def test_names_that_resemble_it_are_known(graph: CausalGraph) -> None:
    assert alike(graph, "suprvisor#1") == ["supervisor#1"]
    assert alike(graph, "researcher/model") == ["researcher#1/model#1", "researcher#1/model#2"]
    assert alike(graph, "model") == ["researcher#1/model#1", "researcher#1/model#2"]
    assert len(alike(graph, "4b")) == 5
    assert alike(graph, "zzz") == []


def test_everything_about_a_span_is_there(team: ModuleType) -> None:
    builder = team.TraceBuilder(team.FIRST)
    run = builder.workflow(0, 100, "ok")
    first = builder.task("one", 5, 10, run)
    task = builder.task("two", 20, 90, run, ("trigger", first), agent=True)
    tool = builder.tool("gauge", 30, 40, task)
    later = builder.task("three", 95, 99, run, ("trigger", task))
    tool.status = StatusCode.ERROR
    tool._body = SpanBody(tool.attributes, (Event("exception", 1, {names.EXCEPTION_STACKTRACE: "File x"}),))
    content = RunContent.gathered(
        [MessageRef(tool.trace_id, tool.span_id, side, 0, one) for side, one in (("output", "a"), ("input", "b"))],
        {"a": Message("a", "tool", {"role": "tool", "parts": []})},
        [
            Content(tool.trace_id, tool.span_id, names.GEN_AI_TOOL_CALL_ARGUMENTS, {"at": "noon"}),
            Content(tool.trace_id, tool.span_id, names.EXCEPTION_MESSAGE, "no gauge"),
        ],
        kept=True,
    )
    graph = build((builder.trace(),))
    one, around = span_details(graph, tool, content), span_details(graph, task, content)
    assert (one.label, one.agent) == ("two#1", "two")
    assert [span.name for span in one.above] == ["invoke_workflow research_team", "invoke_agent two"]
    assert (one.wrote, one.read) == ((content.messages["a"],), (Message("b", "", None),))
    assert one.contents == {names.GEN_AI_TOOL_CALL_ARGUMENTS: {"at": "noon"}}
    assert (one.error_message, one.error_stack) == ("no gauge", "File x")
    assert one.groups["gen_ai.tool"] == {names.GEN_AI_TOOL_NAME: "gauge"}
    assert [(cause.edge.kind, cause.label, cause.span) for cause in around.causes] == [("trigger", "one#1", first)]
    assert [(effect.label, effect.span) for effect in around.effects] == [("three#1", later)]
    assert around.children == (tool,)


def test_a_cause_in_another_trace_is_named_by_its_id(graph: CausalGraph, team: ModuleType) -> None:
    second = build(team.research_traces()[1:])
    approved = next(span for span in second.spans if span.task_name == "approve")
    (cause,) = span_details(second, approved, RunContent()).causes
    assert (cause.span, cause.label) == (None, f"span {cause.edge.cause} of another trace")
