"""The table of truth itself: what it says, and that it tells a recording that differs from one that does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from otel_mas.causal.graph import Edge
from otel_mas.model import Event, Span, SpanBody, StatusCode
from otel_mas.semconv import attributes as names
from tests.accuracy.cases.truth import differences, stated


def span(span_id: str, outcome: str, parent: str | None = "run", **more: Any) -> Span:
    key = names.MAS_RUN_OUTCOME if span_id == "run" else names.MAS_TASK_OUTCOME
    attributes = {key: outcome, **more.pop("attributes", {})}
    body = SpanBody(attributes=attributes, events=more.pop("events", ()))
    parent = None if span_id == "run" else parent
    return Span.complete(
        body, trace_id="t", span_id=span_id, parent_span_id=parent, name=span_id, start_ns=1, end_ns=2, **more
    )


def graph(*spans: Span, edges: tuple[tuple[str, str, str], ...] = (), **labels: str) -> Any:
    return SimpleNamespace(
        spans=(span("run", "ok"), *spans),
        edges=tuple(Edge(cause, effect, kind, "recorded") for cause, kind, effect in edges),
        labels=lambda: labels,
    )


def test_a_list_of_causes_and_effects_stands_for_each_pair_and_a_range_for_each_number() -> None:
    assert sorted(stated("a, b --send--> c#1..2")) == [
        "START: ok",
        *["a --send--> c", "a --send--> c#2", "a: ok", "b --send--> c", "b --send--> c#2", "b: ok", "c#2: ok", "c: ok"],
    ]


def test_a_task_that_ran_several_times_is_told_apart_by_which_time_it_was() -> None:
    assert sorted(stated("a@1 --retry--> a@2\na: error, ok")) == [
        "START: ok",
        "a --retry--> a@2",
        "a: error",
        "a@2: ok",
    ]


def test_a_line_that_says_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not a statement: 'a -> b'"):
        list(stated("a -> b"))


def test_a_missing_cause_another_kind_and_a_span_too_many_are_differences() -> None:
    found = graph(
        *[span("a", "ok"), span("b", "ok"), span("b2", "ok")],
        edges=(("run", "trigger", "a"), ("a", "send", "b"), ("a", "send", "b2")),
        a="a#1",
        b="b#1",
        b2="b#1",
    )
    assert differences("START --trigger--> a\na --trigger--> b", found) == [
        "- a --trigger--> b",
        "+ a --send--> b",
        "+ a --send--> b@2",
        "+ b@2: ok",
    ]
    assert differences("START --trigger--> a\na --send--> b@1..2", found) == []


def test_an_error_is_one_only_with_its_status_and_its_one_exception_event() -> None:
    event = Event("exception", 1, {names.EXCEPTION_TYPE: "ValueError"})
    attributes = {"attributes": {names.ERROR_TYPE: "ValueError"}}
    right = span("a", "error", status=StatusCode.ERROR, events=(event,), **attributes)
    twice = span("a", "error", status=StatusCode.ERROR, events=(event, event), **attributes)
    assert differences("a: error", graph(right, a="a#1")) == []
    assert len(differences("a: error", graph(twice, a="a#1"))) == 2
    assert len(differences("a: error", graph(span("a", "error"), a="a#1"))) == 2
    assert len(differences("a: ok", graph(span("a", "ok", status=StatusCode.ERROR), a="a#1"))) == 2


def test_an_error_further_inside_is_named_where_it_happened() -> None:
    event = Event("exception", 1, {names.EXCEPTION_TYPE: "ValueError"})
    inner = span(
        "b", "error", "a", status=StatusCode.ERROR, events=(event,), attributes={names.ERROR_TYPE: "ValueError"}
    )
    outer = span("a", "error", attributes={names.MAS_ERROR_SPAN: "t-b"})
    assert differences("a: error in a/b\na/b: error", graph(outer, inner, a="a#1", b="a#1/b#1")) == []
    assert differences("a: error in c\na/b: error", graph(outer, inner, a="a#1", b="a#1/b#1")) == [
        "- a: error in c",
        "+ a: error in a/b",
    ]
