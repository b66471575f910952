"""Records of a run: its spans with their causes, and the way back to the same run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import otel_mas
from otel_mas.analyse.content import RunContent
from otel_mas.analyse.records import records
from otel_mas.api import Conversation
from otel_mas.causal import build
from otel_mas.model import Event, Message, Span, SpanBody, StatusCode, Trace
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.record import EventType, Modality, TraceRecord
from otel_mas.trace_records.spans import traces_of
from tests.research_team import BEGIN, MS, THREAD, TraceBuilder

EXAMPLE = Path(__file__).parents[2] / "answers" / "example_team.jsonl.gz"


@pytest.fixture
def team_run(store: Path) -> Iterator[Conversation]:
    with otel_mas.open(store) as source:
        yield source.conversation(THREAD)


def test_there_is_a_record_for_each_span_in_the_order_of_time(team_run: Conversation) -> None:
    found = team_run.records()

    assert len(found) == len(team_run.spans)
    assert [record.timestamp for record in found] == sorted(record.timestamp for record in found)
    assert {record.span_id for record in found} == {span.span_id for span in team_run.spans}


@pytest.mark.parametrize("payload", [True, False])
def test_records_are_valid_though_their_fields_are_not_looked_at(payload: bool) -> None:
    with otel_mas.open(EXAMPLE) as source:
        found = source.conversation(source.latest().conversation_id or "").records(payload=payload)

    assert found
    for record in found:
        given = {**dict(record), "parents": [dict(parent) for parent in record.parents]}
        assert TraceRecord.model_validate(given) == record
        assert TraceRecord.from_json(record.to_json()) == record


def test_the_causal_parent_is_the_one_that_was_waited_for_and_parents_are_all(team_run: Conversation) -> None:
    found = team_run.records()
    by_id = {record.span_id: record for record in found}
    (collect,) = [record for record in found if record.task == "collect#1" and record.event_type == "AGENT_TASK"]
    chat = next(record for record in found if record.event_type is EventType.LLM_CALL)

    assert {(by_id[parent.span_id].task, parent.kind) for parent in collect.parents} == {
        (f"summarise#{number}", "trigger") for number in (1, 2, 3)
    }
    assert by_id[collect.parent_id or ""].task == "summarise#3"  # the last to end
    assert (chat.parents, chat.parent_id) == ((), chat.parent_span_id)


def test_causes_that_were_worked_out_are_told_apart(team_run: Conversation) -> None:
    (resumed,) = [parent for record in team_run.records() for parent in record.parents if parent.kind == "resume"]

    assert resumed.provenance == "metadata"
    assert resumed.trace_id == team_run.traces[0].trace_id


def test_the_agent_is_the_nearest_one_or_else_the_task(team_run: Conversation) -> None:
    agents = {record.task: record.agent_name for record in team_run.records()}

    assert agents["researcher#1/model#1"] == "researcher"
    assert agents["supervisor#1"] == "supervisor"
    assert agents[None] is None


def test_tokens_dollars_and_content_are_on_the_calls(team_run: Conversation) -> None:
    first = next(record for record in team_run.records() if record.event_type is EventType.LLM_CALL)

    assert first.token_cost is not None
    assert (first.token_cost.prompt, first.token_cost.completion) == (412, 18)
    assert first.token_cost.usd == pytest.approx((412 * 0.15 + 18 * 0.6) / 1e6)
    assert first.payload["input"] == [{"role": "user", "parts": [{"type": "text", "content": "Tides?"}]}]


def test_without_payload_nothing_that_was_said_is_in_it() -> None:
    with otel_mas.open(EXAMPLE) as source:
        found = source.conversation("tram").records(payload=False)

    assert {record.payload["choice"][0] for record in found if record.event_type is EventType.ROUTING_DECISION} > {
        "writer"
    }
    assert all(record.payload is None for record in found if record.event_type is EventType.LLM_CALL)
    assert b"tram line" not in b"".join(record.to_json() for record in found)


def test_a_long_payload_is_cut_and_marked() -> None:
    with otel_mas.open(EXAMPLE) as source:
        found = source.conversation("tram").records(max_payload_bytes=400)

    cut = [record for record in found if record.payload_truncated]
    assert cut
    assert max(len(record.to_json()) for record in found) < 8_000


def test_the_way_back_gives_the_same_run_and_the_same_records() -> None:
    with otel_mas.open(EXAMPLE) as source:
        run = source.conversation("tram")
        found = run.records()
    back = build(traces_of(found), whole=True)

    assert back.edges == run.graph().edges
    assert back.labels() == run.graph().labels()
    assert back.critical_path().sections[-1].why == run.graph().critical_path().sections[-1].why
    assert back.problems == ()
    assert records(back) == found


def failing(**body: object) -> Trace:
    builder = TraceBuilder("4bf92f3577b34da6a3ce929d0e0e4736")
    run = builder.workflow(0, 100, "error")
    tool = builder.tool("search", 10, 90, run)
    failed = replace(tool, status=StatusCode.ERROR)
    failed._body = SpanBody(attributes=tool.attributes, **body)  # type: ignore[arg-type]
    return Trace(builder.trace_id, (run, failed))


def test_a_change_of_state_has_what_was_kept_and_says_that_more_was_cut() -> None:
    builder = TraceBuilder("d" * 32)
    digests = ("1" * 32, "2" * 32, "3" * 32, "opaque")
    wrote = {names.MAS_STATE_CHANGED: ("a", "b", "c", "d"), names.MAS_STATE_DIGESTS: digests}
    builder.span("task", 0, 1, attributes=wrote)
    found = {
        digests[0]: Message(digests[0], "state", {"value": {"$bytes": "AQ=="}}),
        digests[1]: Message(digests[1], "user", {"role": "user", "parts": []}),
        digests[2]: Message(digests[2], "state", {"size": 70_000}),
    }

    state = records(build((builder.trace(),)), RunContent(messages=found, kept=True))[-1]

    assert state.event_type is EventType.STATE
    assert state.payload == {"a": b"\x01", "b": {"role": "user", "parts": []}}
    assert state.payload_truncated


def test_an_error_is_a_record_of_its_own_in_the_span_where_it_happened() -> None:
    event = Event("exception", BEGIN + 50 * MS, {names.EXCEPTION_TYPE: "ValueError", names.EXCEPTION_MESSAGE: "no"})
    found = records(build([failing(events=(event,))]))

    (error,) = [record for record in found if record.event_type is EventType.ERROR]
    (tool,) = [record for record in found if record.event_type is EventType.TOOL_CALL]
    assert (error.span_id, error.timestamp) == (tool.span_id, BEGIN + 50 * MS)
    assert error.payload == {"type": "ValueError", "message": "no"}
    assert records(build(traces_of(found))) == found


def test_a_run_without_errors_has_no_record_of_one(team_run: Conversation) -> None:
    assert [record for record in team_run.records() if record.event_type is EventType.ERROR] == []


@pytest.mark.parametrize(
    ("kinds", "modality"),
    [
        (("text",), "text"),
        (("text", "image"), "multimodal"),
        (("audio",), "audio"),
        ((), "text"),
        (("file",), "multimodal"),
    ],
)
def test_the_modality_is_that_of_what_went_in_and_came_out(kinds: tuple[str, ...], modality: str) -> None:
    builder = TraceBuilder("4bf92f3577b34da6a3ce929d0e0e4736")
    builder.span("chat", 0, 1, attributes={names.MAS_INPUT_MODALITIES: kinds})
    (record,) = records(build([builder.trace()]))

    assert record.modality is Modality(modality)


def test_a_model_call_of_other_instrumentation_is_one() -> None:
    builder = TraceBuilder("4bf92f3577b34da6a3ce929d0e0e4736")
    builder.span("call", 0, 1, attributes={"openinference.span.kind": "LLM", "llm.token_count.prompt": 7})
    (record,) = records(build([builder.trace()]))

    assert record.event_type is EventType.LLM_CALL
    assert record.token_cost is not None
    assert record.token_cost.prompt == 7
    assert records(build(traces_of([record]))) == [record]


def test_any_other_span_is_one_and_an_open_one_says_so() -> None:
    builder = TraceBuilder("4bf92f3577b34da6a3ce929d0e0e4736")
    builder.span("GET /", 0, None)
    (record,) = records(build([builder.trace()]))

    assert (record.event_type, record.is_open) == (EventType.SPAN, True)
    (back,) = traces_of([record])[0].spans
    assert isinstance(back, Span)
    assert back.end_ns is None
