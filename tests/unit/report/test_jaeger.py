"""Jaeger's JSON and Zipkin's, as they are written and read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from otel_mas.causal import build
from otel_mas.model import Event, Link, Resource, Scope, Span, SpanBody, SpanKind, StatusCode
from otel_mas.report.jaeger import jaeger
from otel_mas.report.zipkin import zipkin
from otel_mas.semconv import attributes as names
from otel_mas.sources import open_source

TRACE, OTHER = "0af7651916cd43dd8448eb211c80319c", "f" * 32
ROOT, FIRST, SECOND = "b7ad6b7169203331", "00f067aa0ba902b7", "00f067aa0ba902b8"
START = 1_796_041_479_501_212_999


def span(span_id: str, name: str, start: int, took: int, parent: str | None, **more: Any) -> Span:
    attributes = more.pop("attributes", {})
    links = more.pop("links", ())
    body = SpanBody(
        attributes=attributes, links=links, events=more.pop("events", ()), status_message=more.pop("message", "")
    )
    return Span.complete(
        body, trace_id=TRACE, span_id=span_id, parent_span_id=parent, name=name, start_ns=START + start,
        end_ns=START + start + took, links=links, **more,
    )  # fmt: skip


def caused(by: str, kind: str, trace: str = TRACE) -> dict[str, Any]:
    """Links and attributes of an effect, as recording writes them."""
    attributes = {names.MAS_CAUSE_SPANS: (f"{trace}-{by}",), names.MAS_CAUSE_KINDS: (kind,)}
    return {"attributes": attributes, "links": (Link(trace, by, kind, {names.MAS_LINK_KIND: kind}),)}


TEAM = {"resource": Resource({"service.name": "team", "host.name": "a"}), "service": "team"}
SPANS = [
    span(ROOT, "invoke_workflow team", 0, 9_000, None, **TEAM, scope=Scope("otel-mas", "0.2.0")),
    span(FIRST, "task plan", 1_000, 2_000, ROOT, **TEAM, kind=SpanKind.CLIENT),
    span(SECOND, "task cook", 4_000, 5_000, ROOT, **TEAM, **caused(FIRST, "trigger")),
]


def document(*spans: Span, content: bool = False) -> dict[str, Any]:
    """As a program reads it."""
    found: dict[str, Any] = json.loads(json.dumps(jaeger(spans, content=content)))
    return found


def test_a_link_is_a_reference_after_that_to_the_parent() -> None:
    (trace,) = document(*SPANS)["data"]
    effect = next(one for one in trace["spans"] if one["spanID"] == SECOND)

    assert effect["references"] == [
        {"refType": "CHILD_OF", "traceID": TRACE, "spanID": ROOT},
        {"refType": "FOLLOWS_FROM", "traceID": TRACE, "spanID": FIRST},
    ]
    ids = {one["spanID"] for one in trace["spans"]}
    assert {one["spanID"] for span in trace["spans"] for one in span["references"]} <= ids


def test_each_process_is_described_once_and_each_trace_is_one_of_the_data() -> None:
    there = Span.complete(
        SpanBody(attributes={}), trace_id=OTHER, span_id=ROOT, parent_span_id=None, name="x", start_ns=1, end_ns=2
    )
    found = document(*SPANS, there)

    assert [trace["traceID"] for trace in found["data"]] == [TRACE, OTHER]
    host = {"key": "host.name", "type": "string", "value": "a"}
    assert found["data"][0]["processes"] == {"p1": {"serviceName": "team", "tags": [host]}}
    assert {one["processID"] for one in found["data"][0]["spans"]} == {"p1"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, ("bool", True)),
        (7, ("int64", 7)),
        (0.5, ("float64", 0.5)),
        ("x", ("string", "x")),
        (("a", "b"), ("string", '["a","b"]')),
        ({"a": b"\x00"}, ("string", '{"a":"AA=="}')),
        (float("nan"), ("string", "nan")),
        (b"\x00", ("string", "AA==")),
    ],
)
def test_a_tag_has_the_type_of_its_value(value: Any, expected: tuple[str, Any]) -> None:
    found = document(span(ROOT, "x", 0, 1, None, attributes={"my.name": value}), content=True)
    (tag,) = [tag for tag in found["data"][0]["spans"][0]["tags"] if tag["key"] == "my.name"]

    assert (tag["type"], tag["value"]) == expected


def test_content_is_written_where_it_is_asked_for() -> None:
    secret = span(
        ROOT, "execute_tool x", 0, 1, None, status=StatusCode.ERROR, message="secret 1", kind=SpanKind.SERVER,
        attributes={names.GEN_AI_TOOL_CALL_ARGUMENTS: "secret 2", names.GEN_AI_TOOL_NAME: "x"},
        events=(Event("exception", START, {names.EXCEPTION_MESSAGE: "secret 3", names.EXCEPTION_TYPE: "E"}),),
    )  # fmt: skip

    for written in (jaeger, zipkin):
        assert "secret" not in json.dumps(written([secret]))
    for written in (jaeger, zipkin):
        assert json.dumps(written([secret], content=True)).count("secret") == 3


def test_what_paused_a_foreign_task_comes_back_from_an_annotation_of_zipkin(tmp_path: Path) -> None:
    task = span(
        ROOT, "human", 0, 1, None, status=StatusCode.OK,
        attributes={"openinference.span.kind": "CHAIN", "metadata": '{"langgraph_node":"human","langgraph_step":1}'},
        events=(Event("exception", START, {names.EXCEPTION_TYPE: "GraphInterrupt"}), Event('"odd', START)),
    )  # fmt: skip
    (tmp_path / "spans.json").write_text(json.dumps(zipkin([task], content=True)))
    (read,) = open_source(tmp_path / "spans.json").trace(TRACE).spans

    assert read.get(names.MAS_TASK_OUTCOME) == task.get(names.MAS_TASK_OUTCOME) == "interrupted"
    assert [(one.name, dict(one.attributes)) for one in read.events] == [
        ("exception", {names.EXCEPTION_TYPE: "GraphInterrupt"}),
        ('"odd', {}),
    ]


@pytest.mark.parametrize("written", [jaeger, zipkin])
def test_a_file_that_is_read_again_has_the_same_graph(written: Any, tmp_path: Path) -> None:
    (tmp_path / "spans.json").write_text(json.dumps(written(SPANS)))
    trace = open_source(tmp_path / "spans.json").trace(TRACE)
    before, after = build_of(SPANS), build([trace])

    assert {(edge.cause, edge.effect, edge.kind) for edge in after.edges} == before
    assert [one.scope for one in trace.spans[:1]] == [Scope("otel-mas", "0.2.0")]
    assert [one.kind for one in trace.spans] == [SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.INTERNAL]
    assert trace.incomplete is None
    # Whole µs, cut so that what lies in its parent still does.
    assert [one.start_ns - START // 1_000 * 1_000 for one in trace.spans] == [0, 1_000, 4_000]
    assert [one.duration_ns for one in trace.spans] == [9_000, 2_000, 5_000]


def build_of(spans: list[Span]) -> set[tuple[str, str, str]]:
    from otel_mas.model import Trace

    return {(edge.cause, edge.effect, edge.kind) for edge in build([Trace(TRACE, tuple(spans))]).edges}
