"""Answers as JSON: the documented fields, and nothing that JSON cannot hold."""

from __future__ import annotations

import json as stdlib
from itertools import pairwise
from types import ModuleType
from typing import Any, get_args, get_type_hints, is_typeddict

import pytest

from otel_mas.analyse.cost import cost
from otel_mas.causal import build
from otel_mas.model import Event, Span, SpanBody, TraceSummary
from otel_mas.report import json


def has_exactly(form: Any, document: Any) -> None:
    """The document has the fields of the form, all of them, at every level."""
    hints = get_type_hints(form)
    assert list(document) == list(hints)
    for name, hint in hints.items():
        inner = next((one for one in (hint, *get_args(hint)) if is_typeddict(one)), None)
        if inner is not None:
            for item in document[name] if isinstance(document[name], list) else [document[name]]:
                has_exactly(inner, item)


@pytest.fixture
def documents(team: ModuleType) -> dict[Any, Any]:
    graph = build(team.research_traces())
    summary = TraceSummary(team.FIRST, "n", "s", 1, 3, "ok", 2, cost_usd=0.1)
    return {
        json.TracesDocument: json.traces([summary]),
        json.SpansDocument: json.spans(graph.spans, ["p"]),
        json.GraphDocument: json.graph(graph, []),
        json.CriticalPathDocument: json.critical_path(graph, graph.critical_path(), []),
        json.CostDocument: json.cost(cost(graph.spans), []),
    }


def test_every_document_has_exactly_its_documented_fields(documents: dict[Any, Any]) -> None:
    for form, document in documents.items():
        has_exactly(form, document)
        stdlib.dumps(document, allow_nan=False)


def test_every_field_says_what_it_is(documents: dict[Any, Any]) -> None:
    for form in documents:
        for hint in get_type_hints(form, include_extras=True).values():
            assert isinstance(get_args(hint)[1], str)


def test_the_graph_holds_edges_with_kind_and_provenance(documents: dict[Any, Any]) -> None:
    graph = documents[json.GraphDocument]
    resumes = [edge for edge in graph["edges"] if edge["kind"] == "resume"]
    assert resumes == [
        {
            "cause": "4b00000000000017",
            "effect": "5c00000000000002",
            "kind": "resume",
            "provenance": "metadata",
            "probability": None,
            "cause_label": "approve",
            "effect_label": "approve",
            "gap_ns": 59_020_000_000,
        }
    ]
    assert [node["label"] for node in graph["nodes"] if node["task_id"]][:3] == ["supervisor", "researcher", "model#1"]


def test_the_steps_of_the_path_are_end_to_end_and_sum_to_the_total(documents: dict[Any, Any]) -> None:
    path = documents[json.CriticalPathDocument]
    steps = path["steps"]
    assert sum(step["end_ns"] - step["start_ns"] for step in steps) == path["total_ns"] == 66_500_000_000
    assert all(one["end_ns"] == following["start_ns"] for one, following in pairwise(steps))


def test_values_that_json_lacks_are_written_in_words_it_has() -> None:
    body = SpanBody(
        attributes={"raw": b"\x01\xff", "nested": {"list": (1, b"\x00")}}, events=(Event("e", 5, {"n": 1}),)
    )
    span = Span.complete(body, trace_id="a", span_id="b", parent_span_id=None, name="n", start_ns=1, end_ns=None)
    (written,) = json.spans([span], [])["spans"]
    assert written["attributes"] == {"raw": "01ff", "nested": {"list": [1, "00"]}}
    assert written["events"] == [{"name": "e", "time_ns": 5, "attributes": {"n": 1}}]
    assert written["end_ns"] is None


def test_who_held_a_step_is_named_in_the_graph_and_on_the_path(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    run = built.workflow(0, 5000, "ok")
    quick = built.task("quick", 1, 500, run, step=1)
    slow = built.task("slow", 1, 2500, run, step=1)
    after = built.task("after", 2501, 2600, run, ("trigger", quick), step=2)
    graph = build([built.trace()])
    nodes = json.graph(graph, [])["nodes"]
    assert {node["span_id"]: node["held_by"] for node in nodes if node["held_by"]} == {after.span_id: slow.span_id}
    steps = json.critical_path(graph, graph.critical_path(), [])["steps"]
    assert [step["held_by"] for step in steps if step["held_by"]] == [slow.span_id]


def test_why_a_span_decided_so_is_beside_it(team: ModuleType) -> None:
    span = team.research_traces()[0].spans[0]
    assert json.spans([span], [], (), {span.span_id: "why"})["spans"][0]["reason"] == "why"
    assert json.spans([span], [])["spans"][0]["reason"] is None


def test_messages_of_errors_are_beside_spans_and_traces(team: ModuleType) -> None:
    span = team.research_traces()[0].spans[0]
    assert json.spans([span], [], (), None, {span.span_id: "no card"})["spans"][0]["error_message"] == "no card"
    assert json.spans([span], [])["spans"][0]["error_message"] is None
    summary = TraceSummary(team.FIRST, "n", "s", 1, 3, "error", 2)
    assert json.traces([summary], None, {team.FIRST: "no card"})["traces"][0]["error_message"] == "no card"
    assert json.traces([summary])["traces"][0]["error_message"] is None
