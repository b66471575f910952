"""Every source means the same by a question, or refuses it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from otel_mas.errors import TraceNotFound, UnsupportedQuery
from otel_mas.model import Query
from otel_mas.semconv import attributes as names
from otel_mas.sources import Source
from tests.conformance.lunch import ASKING, FOREIGN, RESUMED, RUN, SERVICE, SUMMARIES, THREAD
from tests.conformance.messages import BASE_NS, MS, trace_id
from tests.conformance.oddities import TRACE as ODD
from tests.conformance.places import Place

S = 1_000 * MS


def query_id(value: Query | list[int]) -> str:
    """The fields that are asked for, with a time as the distance from BASE_NS: the same in every worker."""
    if not isinstance(value, Query):
        return ""
    asked = {f.name: getattr(value, f.name) for f in fields(Query) if getattr(value, f.name) != f.default}
    times = {"since_ns", "until_ns", "ended_since_ns"}
    return str({name: found - BASE_NS if name in times else found for name, found in asked.items()})


@pytest.mark.parametrize("trace", [ASKING, RESUMED, FOREIGN])
def test_a_trace_is_summed_up_the_same_everywhere(source: Source, trace: int) -> None:
    found = {summary.trace_id: summary for summary in source.traces(Query())}

    assert found[trace_id(trace)] == SUMMARIES[trace]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), [FOREIGN, RESUMED, ASKING, ODD]),
        (Query(limit=1), [FOREIGN]),
        (Query(limit=3), [FOREIGN, RESUMED, ASKING]),
        (Query(service=SERVICE), [RESUMED, ASKING]),
        (Query(service="kitchen"), [FOREIGN]),
        (Query(service="cant"), []),
        (Query(service="no such service"), []),
        (Query(agent="waiter"), [RESUMED]),
        (Query(agent="chef"), [FOREIGN]),
        (Query(agent="chef", service="gateway"), [FOREIGN]),
        (Query(agent="chef", service=SERVICE), []),
        (Query(agent="che.*"), []),
        (Query(status="interrupted"), [ASKING]),
        (Query(status="ok", limit=1), [FOREIGN]),
        (Query(status="error", service=SERVICE), [RESUMED]),
        (Query(conversation_id=THREAD), [RESUMED, ASKING]),
        (Query(conversation_id=THREAD, status="interrupted"), [ASKING]),
        (Query(conversation_id="table"), []),
        (Query(run_id=RUN), [ASKING]),
        (Query(run_id="run"), []),
        (Query(min_duration_ns=1 * S), [RESUMED, ASKING, ODD]),
        (Query(min_duration_ns=1 * S + 1), [RESUMED, ODD]),
        (Query(since_ns=BASE_NS + 60 * S), [FOREIGN, RESUMED]),
        (Query(since_ns=BASE_NS + 60 * S + 1), [FOREIGN]),
        (Query(since_ns=BASE_NS + 3600 * S), []),
        (Query(until_ns=BASE_NS + 60 * S), [RESUMED, ASKING, ODD]),
        (Query(until_ns=BASE_NS + 60 * S - 1), [ASKING, ODD]),
        (Query(until_ns=BASE_NS + 60 * S, since_ns=BASE_NS + 60 * S), [RESUMED]),
        (Query(ended_since_ns=BASE_NS + 62 * S), [FOREIGN, RESUMED]),
        (Query(ended_since_ns=BASE_NS + 62 * S + 1), [FOREIGN]),
        (Query(max_duration_ns=1 * S), [FOREIGN, ASKING]),
        (Query(max_duration_ns=1 * S - 1), [FOREIGN]),
        (Query(operation="execute_tool"), [RESUMED]),
        (Query(operation="execute"), []),
        (Query(tool="tray"), [RESUMED]),
        (Query(tool="tray", agent="waiter", operation="invoke_workflow"), [RESUMED]),
        (Query(tool="tray", model="local"), []),
        (Query(model="gpt-5"), [ASKING]),
        (Query(model="local", status="interrupted"), [ASKING]),
        (Query(model="gpt"), []),
        (Query(error_type="*.Error"), []),
        (Query(error_type="kitchen.TrayDropped"), [RESUMED]),
        (Query(attributes=(("service.instance.id", "g-1"),)), [FOREIGN]),
        (Query(attributes=(("service.instance.id", "g-2"),)), []),
        (Query(attributes=((names.MAS_TASK_STEP, "1"),)), [RESUMED, ASKING]),
        (Query(attributes=((names.GEN_AI_RESPONSE_FINISH_REASONS, "stop"),)), [ASKING]),
        (Query(attributes=((names.GEN_AI_TOOL_NAME, "tray"), (names.SERVICE_NAME, SERVICE))), [RESUMED]),
        (Query(attributes=((names.GEN_AI_TOOL_NAME, "tray"), (names.SERVICE_NAME, "kitchen"))), []),
        (Query(attributes=(("no.such.attribute", ""),)), []),
        (Query(service=SERVICE, since_ns=BASE_NS + 1, min_duration_ns=S, status="error", agent="waiter"), [RESUMED]),
    ],
    ids=query_id,
)
def test_the_newest_that_match_are_listed_or_refused(source: Source, query: Query, expected: list[int]) -> None:
    if query.asked().keys() - source.capabilities.filters:
        with pytest.raises(UnsupportedQuery):
            source.traces(query)
        return
    assert [summary.trace_id for summary in source.traces(query)] == [trace_id(trace) for trace in expected]


def test_every_field_that_is_asked_here_is_one_that_the_source_says_it_answers(source: Source) -> None:
    server = set() if source.capabilities.local else {"ended_since_ns"}

    assert source.capabilities.filters == {field.name for field in fields(Query)} - {"limit"} - server


@pytest.mark.parametrize("service", [None, SERVICE])
def test_a_conversation_is_its_traces_oldest_first(source: Source, service: str | None) -> None:
    found = source.conversation(THREAD, service)

    assert [trace.trace_id for trace in found] == [trace_id(ASKING), trace_id(RESUMED)]
    assert [len(trace.spans) for trace in found] == [7, 5]


@pytest.mark.parametrize(("thread", "service"), [("no such thread", None), (THREAD, "kitchen")])
def test_a_conversation_that_is_not_there_has_no_traces(source: Source, thread: str, service: str | None) -> None:
    assert list(source.conversation(thread, service)) == []


@pytest.mark.parametrize("trace", [trace_id(99), "f" * 32, "0" * 32])
def test_a_trace_that_is_not_there_is_not_found(source: Source, trace: str) -> None:
    with pytest.raises(TraceNotFound, match=trace):
        source.trace(trace)


@pytest.mark.parametrize("trace", ["", "abc", "x" * 32, "../etc", "a" * 33])
def test_what_is_no_id_is_not_found(source: Source, trace: str) -> None:
    with pytest.raises(TraceNotFound):
        source.trace(trace)


def test_an_id_may_be_in_capitals(source: Source) -> None:
    assert source.trace(trace_id(ASKING).upper()).trace_id == trace_id(ASKING)


def test_a_status_that_no_trace_has_is_refused(source: Source) -> None:
    with pytest.raises(UnsupportedQuery):
        source.traces(Query(status="fine"))


def test_what_is_running_is_found_or_refused(source: Source, place: Place) -> None:
    if place.remote:
        with pytest.raises(UnsupportedQuery, match="ended"):
            source.traces(Query(status="running"))
    else:
        assert list(source.traces(Query(status="running"))) == []


def test_what_is_not_among_its_capabilities_is_refused(source: Source, place: Place) -> None:
    can = source.capabilities

    assert (can.content, can.runs, can.id_prefixes) == (True, not place.remote, place.id_prefixes)
    if place.remote:
        with pytest.raises(UnsupportedQuery, match="by their trace"):
            source.messages(["0a" * 16])
        with pytest.raises(UnsupportedQuery):
            source.run(RUN)


def test_the_unique_beginning_of_an_id_is_enough_or_refused(source: Source, place: Place) -> None:
    beginning = trace_id(ASKING)[:-1]  # of every trace of the lunch

    with pytest.raises(TraceNotFound, match="begin with" if place.id_prefixes else "32 hex digits"):
        source.trace(beginning)
