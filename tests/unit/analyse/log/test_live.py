"""Spans that become known one after the other, while their run goes on."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.analyse.log.live import LiveTasks, LiveTrace
from otel_mas.analyse.log.order import Moment
from otel_mas.model import Link, Resource, Span
from otel_mas.model.start_order import in_start_order
from otel_mas.semconv import attributes as names

TRACE = "a" * 32
NOW = 10**12
ELSEWHERE = Resource({names.MAS_INSTANCE_ID: "of another process"})


def span(number: int, start: int, end: int | None, parent: int | None = None, *causes: tuple[str, int]) -> Span:
    return Span(
        TRACE,
        f"{number:016x}",
        None if parent is None else f"{parent:016x}",
        f"span {number}",
        start,
        end,
        links=tuple(Link(TRACE, f"{cause:016x}", kind) for kind, cause in causes),
    )


def opened(one: Span) -> Span:
    """The span as the store has it while it is open: references in place of its links."""
    references = tuple(f"{link.kind}|{link.trace_id}-{link.span_id}" for link in one.links)
    return replace(one, end_ns=None, links=(), columns={names.MAS_CAUSE_REFS: references})


def come(trace: LiveTrace, late_ns: int = 0, complete: bool = True) -> list[str]:
    moments = trace.ready(lambda one: complete, late_ns)
    return [f"{int(one.span_id, 16)}{')' if is_end else '('}" for one, is_end in moments]


def test_a_start_is_known_before_its_end() -> None:
    trace = LiveTrace()
    trace.add(opened(span(1, 0, 9)), NOW)
    assert come(trace) == ["1("]
    trace.add(span(1, 0, 9), NOW)
    assert come(trace) == ["1)"]
    assert come(trace) == []


def test_an_effect_waits_for_a_cause_that_may_still_come_and_not_for_ever() -> None:
    trace = LiveTrace()
    trace.add(span(1, 0, 90), NOW)
    trace.add(replace(opened(span(2, 5, 10, 1)), resource=ELSEWHERE), NOW)
    trace.add(opened(span(3, 20, 30, 1, ("trigger", 2))), NOW)
    assert come(trace) == ["1(", "2(", "1)"]
    trace.add(replace(span(2, 5, 10, 1), resource=ELSEWHERE), NOW)
    assert come(trace) == ["2)", "3("]
    trace.add(opened(span(4, 40, 50, 1, ("trigger", 9))), NOW)
    assert come(trace, NOW) == []
    assert come(trace, NOW + 1) == ["4("]


def test_an_effect_comes_at_once_after_the_start_of_a_cause_of_its_process_that_was_open() -> None:
    trace = LiveTrace()
    trace.add(opened(span(1, 5, 10)), NOW)
    trace.add(opened(span(2, 7, 30, None, ("trigger", 1))), NOW)
    assert come(trace) == ["1(", "2("]


def test_it_waits_for_content() -> None:
    trace = LiveTrace()
    trace.add(span(1, 0, 90), NOW)
    assert come(trace, NOW + 1, complete=False) == []
    assert come(trace) == ["1(", "1)"]


def test_what_comes_later_waits_for_a_moment_whose_content_comes_late() -> None:
    trace = LiveTrace()
    for one in (span(1, 0, 90), span(2, 2, 80, 1), span(3, 5, 10, 2), span(4, 70, 75, 1)):
        trace.add(one, NOW)
    moments = list(trace.ready(lambda one: one.moment.span.span_id != f"{3:016x}", 0))
    assert [(int(one.span_id, 16), is_end) for one, is_end in moments] == [(1, False), (2, False)]
    assert come(trace) == ["3(", "3)", "4(", "4)", "2)", "1)"]


def test_links_in_a_circle_hold_nothing_back_for_ever() -> None:
    trace = LiveTrace()
    trace.add(span(1, 0, 10, None, ("trigger", 2)), NOW)
    trace.add(span(2, 20, 30, None, ("trigger", 1)), NOW)
    assert come(trace, NOW + 1) == []
    assert sorted(come(trace, NOW + 2 * 10**9)) == ["1(", "1)", "2(", "2)"]


def test_tasks_are_named_and_numbered_as_in_the_graph() -> None:
    def task(number: int, name: str, parent: int | None = None) -> Span:
        columns = {names.MAS_TASK_ID: f"id {number}", names.MAS_TASK_NAME: name}
        return replace(span(number, number, 50, parent), columns=columns)

    traces = {TRACE: LiveTrace()}
    spans = [span(1, 0, 60), task(2, "work", 1), task(3, "work", 1), task(4, "inner", 3), span(5, 5, 6, 4)]
    for one in spans:
        traces[TRACE].add(one, NOW)
    tasks = LiveTasks(traces)
    assert [tasks.task(one) for one in spans] == ["span 1", "work#1", "work#2", "work#2/inner#1", "work#2/inner#1"]


@given(st.data())
def test_every_moment_comes_once_after_what_it_depends_on_however_the_spans_arrive(data: st.DataObject) -> None:
    spans = []
    for number in range(1, data.draw(st.integers(1, 10)) + 1):
        start = data.draw(st.integers(0, 50))
        parent = data.draw(st.none() | st.integers(1, number - 1)) if number > 1 else None
        causes = data.draw(st.lists(st.integers(1, number - 1), max_size=2, unique=True)) if number > 1 else []
        spans.append(
            span(number, start, start + data.draw(st.integers(0, 9)), parent, *(("trigger", c) for c in causes))
        )
    news = data.draw(st.permutations([*spans, *map(opened, data.draw(st.lists(st.sampled_from(spans))))]))
    trace, order = LiveTrace(), list[Moment]()
    while news:
        size = data.draw(st.integers(1, len(news)))
        for one in in_start_order(news[:size]):
            trace.add(one, NOW)
        news = news[size:]
        order += trace.ready(lambda one: True, 0)
    place = {(one.span_id, is_end): number for number, (one, is_end) in enumerate(order)}
    assert len(place) == len(order) == 2 * len(spans)
    for one in spans:
        assert place[one.span_id, False] < place[one.span_id, True]
        for before in [one.parent_span_id, *(link.span_id for link in one.links)]:
            assert before is None or place[before, False] < place[one.span_id, False]
