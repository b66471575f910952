"""Causal order of the starts and ends of spans."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.analyse.log.order import Moment, causal_order
from otel_mas.causal import build
from otel_mas.model import Link, Resource, Span, Trace
from otel_mas.model.start_order import in_start_order
from otel_mas.semconv import attributes as names

TRACE = "a" * 32


def span(
    number: int,
    start: int,
    end: int | None,
    parent: int | None = None,
    causes: Sequence[tuple[str, int]] = (),
    process: str = "p",
    **columns: str,
) -> Span:
    return Span(
        TRACE,
        f"{number:016x}",
        None if parent is None else f"{parent:016x}",
        f"span {number}",
        start,
        end,
        links=tuple(Link(TRACE, f"{cause:016x}", kind) for kind, cause in causes),
        columns={f"mas.{name.replace('_', '.')}": value for name, value in columns.items()},
        resource=Resource({names.MAS_INSTANCE_ID: process}),
    )


def moments(*spans: Span) -> list[str]:
    graph = build((Trace(TRACE, in_start_order(spans)),))
    return [f"{int(one.span_id, 16)}{')' if is_end else '('}" for one, is_end in causal_order(graph)]


def test_without_causes_it_is_the_order_of_time() -> None:
    assert moments(span(1, 0, 100), span(2, 10, 60, 1), span(3, 20, 50, 1)) == ["1(", "2(", "3(", "3)", "2)", "1)"]


def test_inner_spans_end_first_at_the_same_time_and_outer_ones_start_first() -> None:
    assert moments(span(2, 0, 9, 1), span(1, 0, 9)) == ["1(", "2(", "2)", "1)"]
    assert moments(span(1, 0, 20), span(2, 0, 9, 1), span(3, 9, 12, 1)) == ["1(", "2(", "2)", "3(", "3)", "1)"]


def test_a_clock_that_is_behind_puts_no_effect_before_its_cause() -> None:
    spans = span(1, 0, 100), span(2, 10, 60, 1), span(3, 40, 50, 1, [("trigger", 2)], "other")
    assert moments(*spans) == ["1(", "2(", "2)", "3(", "3)", "1)"]


def test_a_child_on_another_clock_does_not_start_before_its_parent() -> None:
    assert moments(span(1, 10, 100), span(2, 0, 50, 1, (), "other")) == ["1(", "2(", "2)", "1)"]


def test_a_cause_of_the_same_process_that_goes_on_need_not_have_ended() -> None:
    assert moments(span(1, 0, 90), span(2, 10, 60, 1), span(3, 20, 50, 1, [("message", 2)])) == [
        "1(", "2(", "3(", "3)", "2)", "1)",
    ]  # fmt: skip


def test_a_caller_and_a_span_around_the_effect_have_not_ended() -> None:
    called = span(1, 0, 90), span(2, 10, 60, 1), span(3, 20, 30, 1, [("call", 2)], "other")
    assert moments(*called) == ["1(", "2(", "3(", "3)", "2)", "1)"]
    assert moments(span(1, 0, 90), span(2, 10, 60, 1, [("trigger", 1)], "other")) == ["1(", "2(", "2)", "1)"]


def test_an_open_span_has_no_end() -> None:
    assert moments(span(1, 0, None), span(2, 10, 20, 1)) == ["1(", "2(", "2)"]


def test_a_grade_comes_after_the_answer_that_gave_it() -> None:
    call = span(2, 10, 60, 1, record_kind="LLM_CALL")
    grade = span(3, 50, 55, 2, record_kind="EVALUATION")
    assert moments(span(1, 0, 90), call, grade) == ["1(", "2(", "2)", "3(", "3)", "1)"]


def test_links_in_a_circle_leave_nothing_out() -> None:
    circle = span(1, 0, 10, None, [("trigger", 2)]), span(2, 20, 30, None, [("trigger", 1)], "other")
    assert sorted(moments(*circle)) == ["1(", "1)", "2(", "2)"]


@given(st.data())
def test_nothing_comes_before_what_it_depends_on_whatever_the_clocks_say(data: st.DataObject) -> None:
    spans = []
    for number in range(1, data.draw(st.integers(1, 12)) + 1):
        start = data.draw(st.integers(0, 50))
        end = data.draw(st.none() | st.integers(start, 60))
        parent = data.draw(st.none() | st.integers(1, number - 1)) if number > 1 else None
        causes = data.draw(st.lists(st.integers(1, number - 1), max_size=2, unique=True)) if number > 1 else []
        process = data.draw(st.sampled_from("pq"))
        spans.append(span(number, start, end, parent, [("trigger", cause) for cause in causes], process))
    graph = build((Trace(TRACE, in_start_order(spans)),))
    order = list(causal_order(graph))
    place = {(one.span_id, is_end): number for number, (one, is_end) in enumerate(order)}
    assert len(place) == len(order) == sum(2 - (one.end_ns is None) for one in spans)
    # Spans refer to earlier ones only, so there is no circle.
    for one in spans:
        assert one.end_ns is None or place[one.span_id, False] < place[one.span_id, True]
        for edge in graph.causes_of(one.span_id):
            assert place[edge.cause, False] < place[one.span_id, False]
    assert order == list(causal_order(graph))
    assert all(isinstance(moment, Moment) for moment in order)
