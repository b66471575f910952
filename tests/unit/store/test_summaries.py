"""One line about each trace, and finding traces."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_mas.errors import TraceNotFound, UnsupportedQuery
from otel_mas.model import Query, SummaryBuilder, TraceSummary
from otel_mas.model.dropped import Dropped
from otel_mas.semconv import attributes as names
from otel_mas.store.rows import Batch, DropRow

SECOND = 1_000_000_000
TRACE = bytes(range(16))


def _trace(number: int) -> bytes:
    return number.to_bytes(16, "big")


def _llm(**given: Any) -> dict[str, Any]:
    short = {"input": names.GEN_AI_USAGE_INPUT_TOKENS, "output": names.GEN_AI_USAGE_OUTPUT_TOKENS}
    short["cost"] = names.MAS_COST_USD
    return {names.MAS_RECORD_KIND: "LLM_CALL", **{short[name]: value for name, value in given.items()}}


def test_a_summary_describes_the_trace_and_sums_its_model_spans(bench: Any) -> None:
    writer = bench.writer(service="fallback")
    resource = writer.resource({"service.name": "shop"}, "", b"")
    root = bench.span(
        name="invoke_workflow team",
        resource=resource,
        start_ns=bench.now_ns,
        end_ns=bench.now_ns + 9 * SECOND,
        attributes={
            names.GEN_AI_CONVERSATION_ID: "thread",
            names.GEN_AI_USAGE_INPUT_TOKENS: 999,  # an agent's sum of its calls, which must not be counted twice
            names.MAS_RECORD_KIND: "WORKFLOW",
            names.GEN_AI_OPERATION_NAME: "invoke_workflow",
            names.GEN_AI_AGENT_NAME: "team",  # of the workflow, which is no agent
        },
    )
    spans = [
        bench.span(parent_span_id=root.span_id, attributes=_llm(input=10, output=5, cost=0.5)),
        bench.span(parent_span_id=root.span_id, attributes=_llm(input=20, cost=0.25), status=2),
        bench.span(parent_span_id=root.span_id, attributes=_llm(input=1, output=2)),
        bench.span(parent_span_id=root.span_id, attributes=_llm()),
        *(bench.span(parent_span_id=root.span_id, attributes={names.GEN_AI_AGENT_NAME: name}) for name in "bab"),
    ]
    for row in (*spans, root):  # a root ends last
        writer.write(Batch(spans=[row]))
    assert bench.reader().traces(Query()) == [
        TraceSummary(
            trace_id=TRACE.hex(),
            name="invoke_workflow team",
            service="shop",
            start_ns=root.start_ns,
            end_ns=root.end_ns,
            status="error",
            span_count=8,
            error_count=1,
            agents=("a", "b"),
            conversation_id="thread",
            input_tokens=31,
            output_tokens=7,
            cost_usd=0.75,
            unpriced_calls=1,
        )
    ]


def test_without_any_price_the_cost_is_unknown_and_not_zero(bench: Any, write: Any) -> None:
    write(bench.span(attributes=_llm(input=1)))
    (summary,) = bench.reader().traces(Query())
    assert (summary.cost_usd, summary.unpriced_calls) == (None, 1)


def test_a_trace_with_an_open_span_of_a_living_process_is_running(bench: Any) -> None:
    writer = bench.writer()
    root = bench.open_span(name="root")
    writer.write(Batch(opened=[root], spans=[bench.span(name="child", parent_span_id=root.span_id, status=2)]))
    (summary,) = bench.reader().traces(Query())
    assert (summary.status, summary.name, summary.end_ns, summary.span_count) == ("running", "root", None, 2)
    assert summary.incomplete is None


@pytest.mark.parametrize("finished", [True, False], ids=["the process finished", "its heart stopped"])
def test_open_spans_of_a_dead_process_make_a_trace_incomplete(bench: Any, finished: bool) -> None:
    writer = bench.writer()
    root = bench.open_span()
    child = bench.span(parent_span_id=b"1" * 8)
    writer.write(Batch(opened=[root, bench.open_span(parent_span_id=root.span_id, name="two")], spans=[child]))
    if finished:
        writer.finish((), 0)
    else:
        bench.now_ns += 60 * SECOND
    reader = bench.reader()
    (summary,) = reader.traces(Query())
    assert summary.status == "stopped"
    assert summary.incomplete is not None
    assert summary.incomplete.startswith("the process stopped (no sign of life since ")
    assert summary.incomplete.endswith(" UTC) while in two")
    assert [one.trace_id for one in reader.traces(Query(status="stopped"))] == [summary.trace_id]
    trace = reader.trace(TRACE.hex())
    assert trace.incomplete == summary.incomplete
    assert (SummaryBuilder.of(trace).status, SummaryBuilder.of(trace).summary().end_ns) == (
        summary.status,
        summary.end_ns,
    )


def test_an_open_span_of_a_dead_process_lasts_until_its_last_heartbeat(bench: Any) -> None:
    writer = bench.writer()
    began = bench.now_ns
    writer.write(Batch(opened=[bench.open_span(start_ns=began)]))
    for _ in range(3):
        bench.now_ns += SECOND
        writer.write(Batch())
    bench.now_ns += 60 * SECOND
    reader = bench.reader()
    (summary,) = reader.traces(Query())
    (span,) = reader.trace(TRACE.hex()).spans
    assert summary.duration_ns == 3 * SECOND
    assert (span.end_ns, span.stopped, span.last_ns) == (None, True, began + 3 * SECOND)


@pytest.mark.parametrize("outcome", ["ok", "interrupted", "error", "cancelled", "abandoned"])
def test_the_status_is_the_outcome_of_the_root_run(bench: Any, outcome: str) -> None:
    writer = bench.writer()
    root = bench.span(attributes={names.MAS_RUN_OUTCOME: outcome})
    inner = bench.span(
        parent_span_id=root.span_id, end_ns=root.end_ns + 1, status=2, attributes={names.MAS_RUN_OUTCOME: "error"}
    )
    for rows in ([inner], [root]):
        writer.write(Batch(spans=rows))
    reader = bench.reader()
    (summary,) = reader.traces(Query(status=outcome))
    assert (summary.status, summary.error_count) == (outcome, 1)
    assert SummaryBuilder.of(reader.trace(TRACE.hex())).status == outcome


def test_a_root_that_is_no_run_has_failed_if_any_span_has(bench: Any) -> None:
    writer = bench.writer()
    root = bench.span()
    inner = bench.span(parent_span_id=root.span_id, status=2, attributes={names.MAS_RUN_OUTCOME: "ok"})
    writer.write(Batch(spans=[inner, root]))
    reader = bench.reader()
    assert reader.traces(Query())[0].status == SummaryBuilder.of(reader.trace(TRACE.hex())).status == "error"


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [(["interrupted"], "interrupted"), (["interrupted", "ok"], "ok"), (["ok", "interrupted"], "interrupted")],
)
def test_a_trace_is_interrupted_by_the_run_that_ended_last(bench: Any, outcomes: list[str], status: str) -> None:
    writer = bench.writer()
    for outcome in outcomes:
        writer.write(Batch(spans=[bench.span(attributes={names.MAS_RUN_OUTCOME: outcome})]))
    assert bench.reader().traces(Query())[0].status == status


def test_a_pause_counts_for_more_than_an_error_that_it_outlived(bench: Any, write: Any) -> None:
    write(bench.span(status=2, attributes={names.MAS_RUN_OUTCOME: "interrupted"}))
    assert bench.reader().traces(Query())[0].status == "interrupted"


def test_reasons_for_being_incomplete_are_gathered_once_each(bench: Any) -> None:
    writer = bench.writer()
    for reason in ("3 spans were dropped", "3 spans were dropped", "a batch was lost"):
        writer.write(Batch(spans=[bench.span()], incomplete={TRACE: reason}))
    assert bench.reader().traces(Query())[0].incomplete == "3 spans were dropped; a batch was lost"


@settings(max_examples=settings().max_examples // 5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(5)), st.integers(1, 5))
def test_the_order_of_arrival_does_not_change_a_summary(bench: Any, order: list[int], size: int) -> None:
    number = next(bench._ids)
    rows = [
        bench.span(
            trace_id=_trace(number),
            span_id=bytes([7, place]) * 4,
            parent_span_id=None if place == 2 else b"p" * 8,
            name=f"span {place}",
            start_ns=bench.now_ns + place,
            end_ns=bench.now_ns + 10 * (place + 1),
            attributes={
                names.GEN_AI_CONVERSATION_ID: "root's" if place == 2 else "x",
                names.MAS_RUN_OUTCOME: ["ok", "interrupted"][place % 2],
                **_llm(input=place, cost=0.5),
            },
        )
        for place in range(5)
    ]
    writer = bench.writer(instance=number.to_bytes(16, "big"))
    for start in range(0, 5, size):
        writer.write(Batch(spans=[rows[place] for place in order[start : start + size]]))
    (summary,) = [one for one in bench.reader().traces(Query(limit=-1)) if one.trace_id == _trace(number).hex()]
    assert (summary.name, summary.conversation_id, summary.status) == ("span 2", "root's", "ok")
    assert (summary.start_ns, summary.end_ns) == (bench.now_ns, bench.now_ns + 50)
    assert (summary.span_count, summary.input_tokens, summary.cost_usd) == (5, 10, 2.5)
    writer.close()


@pytest.fixture
def four(bench: Any) -> Any:
    """Trace 1 is the oldest; 1 and 2 are of the service shop, 3 of bank; 4 is still running."""
    for number, service in ((1, "shop"), (2, "shop"), (3, "bank")):
        writer = bench.writer(instance=_trace(number), run_id=f"run {number % 2}", service=service)
        resource = writer.resource({}, "", b"")
        row = bench.span(
            trace_id=_trace(number),
            resource=resource,
            start_ns=bench.now_ns + number * 10 * SECOND,
            end_ns=bench.now_ns + number * 11 * SECOND,
            status=2 if number == 2 else 0,
            attributes={names.GEN_AI_CONVERSATION_ID: "t", names.GEN_AI_AGENT_NAME: f"agent {number}"},
        )
        writer.write(Batch(spans=[row]))
        writer.finish((), 0)
    bench.now_ns += 100 * SECOND
    opened = bench.open_span(trace_id=_trace(4), start_ns=bench.now_ns - 50 * SECOND)
    bench.writer().write(Batch(opened=[opened]))
    return bench


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), [4, 3, 2, 1]),
        (Query(limit=2), [4, 3]),
        (Query(service="shop"), [2, 1]),
        (Query(service="shop", status="ok"), [1]),
        (Query(agent="agent 3"), [3]),
        (Query(status="error"), [2]),
        (Query(status="running"), [4]),
        (Query(conversation_id="t"), [3, 2, 1]),
        (Query(run_id="run 1"), [3, 1]),
        (Query(min_duration_ns=3 * SECOND), [4, 3]),
        (Query(since_ns=1_800_000_000 * SECOND + 20 * SECOND), [4, 3, 2]),
        (Query(agent="nobody"), []),
    ],
)
def test_traces_are_found_by_each_field_the_newest_first(four: Any, query: Query, found: list[int]) -> None:
    assert [int(summary.trace_id, 16) for summary in four.reader().traces(query)] == found


def test_an_unknown_status_is_refused(four: Any) -> None:
    with pytest.raises(UnsupportedQuery, match=r"'failed'.*ok, interrupted, error, .*running, stopped"):
        four.reader().traces(Query(status="failed"))


def test_a_conversation_is_its_traces_oldest_first_of_one_service(four: Any) -> None:
    reader = four.reader()
    assert [int(trace.trace_id, 16) for trace in reader.conversation("t", None)] == [1, 2, 3]
    assert [int(trace.trace_id, 16) for trace in reader.conversation("t", "shop")] == [1, 2]
    assert reader.conversation("nothing", None) == []


def test_a_run_covers_its_processes_and_their_losses(bench: Any) -> None:
    for number, (dropped, withheld) in enumerate([(2, 0), (1, 4)]):
        writer = bench.writer(instance=_trace(number), run_id="run")
        writer.write(Batch(spans=[bench.span(trace_id=_trace(number))]))
        writer.finish([Dropped("queue full", dropped, 0), Dropped("disk full", number, 0)], withheld)
    killed = bench.writer(instance=b"killed", run_id="run")
    killed.write(Batch(opened=[bench.open_span(trace_id=_trace(2))]))
    bench.writer(instance=b"other", run_id="other").write(Batch(spans=[bench.span(trace_id=_trace(9))]))
    bench.now_ns += 60 * SECOND
    run = bench.reader().run("run")
    assert [int(trace.trace_id, 16) for trace in run.traces] == [0, 1, 2]
    assert (run.dropped_spans, run.withheld_contents, run.processes) == (4, 4, 3)
    assert run.problems == (
        f"trace {_trace(2).hex()}: the process stopped (no sign of life since 2027-01-15 08:00:00 UTC) while in span 3",
        "4 spans were dropped: queue full (3), disk full (1)",
        "4 contents were withheld because they could not be redacted",
        "1 of 3 processes have not said that they ended: what they recorded last may be missing",
    )
    assert bench.reader().run("unknown").traces == ()


def test_a_trace_is_found_by_a_unique_prefix(bench: Any, write: Any) -> None:
    first, second = bytes.fromhex("abcdef12" + "0" * 24), bytes.fromhex("abcdff12" + "0" * 24)
    write(bench.span(trace_id=first), bench.span(trace_id=second))
    reader = bench.reader()
    assert reader.trace("ABCDE").trace_id == first.hex()
    assert reader.trace(second.hex()).trace_id == second.hex()
    with pytest.raises(TraceNotFound, match=r"several traces .* begin with abcd: give more digits"):
        reader.trace("abcd")
    with pytest.raises(TraceNotFound, match=r"no trace abce in .*otel-mas traces"):
        reader.trace("abce")
    for wrong in ("abc", "", "xyzw", "0" * 33):
        with pytest.raises(TraceNotFound, match="is no trace id"):
            reader.trace(wrong)


def test_drops_of_a_trace_are_counted_by_reason(bench: Any) -> None:
    writer = bench.writer()
    kept, lost = bench.span(), bench.open_span()
    writer.write(Batch(spans=[kept], opened=[lost]))
    for reason, spans, contents in (("queue full", 2, 0), ("queue full", 3, 1), ("disk full", 7, 0)):
        total = [Dropped(reason, spans, contents)]
        drops = [DropRow(TRACE, reason, spans, contents)]
        writer.write(Batch(drops=drops, dropped_spans=[(TRACE, lost.span_id)], dropped=total))
    writer.close()
    bench.now_ns += 60 * SECOND  # the process is gone, and nothing of it is taken for a span that never ended
    dropped = "12 spans and 1 content were dropped: disk full (7), queue full (5)"
    reader = bench.reader()
    [summary] = reader.traces(Query())
    assert (summary.incomplete, summary.status) == (dropped, "ok")
    assert reader.trace(TRACE.hex()).incomplete == dropped
    assert [span.name for span in reader.trace(TRACE.hex()).spans] == [kept.name]


def test_a_trace_of_which_every_span_was_dropped_is_not_listed(bench: Any) -> None:
    bench.writer().write(Batch(incomplete=dict(itertools.product([TRACE], ["all dropped"]))))
    assert bench.reader().traces(Query()) == []
