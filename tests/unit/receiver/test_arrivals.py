"""Whatever the order and the batches in which records come, they make the spans that they make together."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.model import Span
from otel_mas.receiver.arrivals import Arrivals
from otel_mas.trace_records.ids import otel_trace_id
from otel_mas.trace_records.record import TraceRecord
from otel_mas.trace_records.spans import spans_of


def record(span: str, kind: str, start: int, took: int = 0, **fields: Any) -> TraceRecord:
    return TraceRecord(trace_id="run", span_id=span, event_type=kind, timestamp=start, duration_ns=took, **fields)


RUN = (
    record("all", "WORKFLOW", 0, 1000),
    record("plan", "AGENT_TASK", 10, 200, parent_id="all", agent_name="planner"),
    record("call", "LLM_CALL", 20, 100, parent_id="plan", payload="Hello"),
    record("call", "ERROR", 119, payload="no"),
    record("plan", "STATE", 209, payload={"todo": 1}),
    record("note", "SEND", 205, parent_id="plan"),
    record("write", "AGENT_TASK", 300, 500, parent_id="note", agent_name="writer"),
    record("tool", "TOOL_CALL", 400, 50, parent_id="write", name="f"),
)
TOGETHER = spans_of(otel_trace_id("run"), RUN)


def told(spans: list[Span]) -> dict[str, object]:
    return {
        span.span_id: (
            span.parent_span_id,
            span.status,
            span.attributes,
            span.events,
            [link.kind for link in span.links],
        )
        for span in spans
    }


@given(st.permutations(RUN), st.lists(st.integers(1, 4)))
def test_they_are_the_same_in_any_order_where_errors_and_states_come_before_their_spans(
    order: list[TraceRecord], sizes: list[int]
) -> None:
    order = sorted(order, key=lambda one: one.event_type not in ("ERROR", "STATE"))
    arrivals, found = Arrivals(10**18, 1_000), []
    for size in sizes:
        batch, order = order[:size], order[size:]
        found += arrivals.add(batch, 0)
    found += arrivals.add(order, 0)

    assert len(arrivals) == 0
    assert told(found) == told(TOGETHER)


def test_an_error_of_a_span_that_is_written_is_a_span_inside_of_it() -> None:
    arrivals = Arrivals(10**18, 1_000)
    (call,) = arrivals.add([record("call", "LLM_CALL", 20, 100)], 0)
    (error,) = arrivals.add([record("call", "ERROR", 50, payload="no")], 0)

    assert (error.parent_span_id, error.status.name) == (call.span_id, "ERROR")
    assert error.span_id != call.span_id


def test_nothing_waits_longer_than_it_may_or_in_greater_number() -> None:
    arrivals = Arrivals(100, 2)
    lost = [record(str(number), "SPAN", number, parent_id="never") for number in range(5)]

    assert arrivals.add(lost[:2], 0) == []
    assert len(arrivals.add(lost[2:4], 50)) == 2  # the oldest, since only two may wait
    assert len(arrivals.add([], 150)) == 2
    assert arrivals.add(lost[4:], 160) == []
    assert len(arrivals.add([], 161, all_of_them=True)) == 1
    assert len(arrivals) == 0
