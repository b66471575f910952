"""Records of other programs become spans: what they leave out is worked out by rules that can be told."""

from __future__ import annotations

from typing import Any

from otel_mas.analyse.cost import cost
from otel_mas.causal import CausalGraph, build
from otel_mas.model import StatusCode
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.ids import otel_span_id, otel_trace_id
from otel_mas.trace_records.record import TraceRecord
from otel_mas.trace_records.spans import traces_of


def record(span: str, kind: str, start: int, took: int = 0, **fields: Any) -> TraceRecord:
    return TraceRecord(trace_id="run", span_id=span, event_type=kind, timestamp=start, duration_ns=took, **fields)


def graph(*records: TraceRecord) -> CausalGraph:
    (trace,) = traces_of(records)
    return build([trace])


def edges(*records: TraceRecord) -> set[tuple[str, str, str]]:
    found = graph(*records)
    named = {span.span_id: span.get(names.MAS_RECORD_SPAN_ID) for span in found.spans}
    return {(named[edge.cause], edge.kind, named[edge.effect]) for edge in found.edges}


def test_ids_of_opentelemetry_stay_and_others_are_hashed() -> None:
    assert otel_trace_id("4BF92F3577B34DA6A3CE929D0E0E4736") == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert otel_trace_id("4bf92f35-77b3-4da6-a3ce-929d0e0e4736") == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert otel_span_id("t", "00F067AA0BA902B7") == "00f067aa0ba902b7"
    assert len(otel_trace_id("run 7")) == 32
    assert otel_span_id("a", "1") != otel_span_id("b", "1")
    assert otel_span_id("a", "0" * 16) != "0" * 16


def test_a_causal_parent_that_goes_on_until_its_effect_has_ended_encloses_it() -> None:
    assert edges(record("agent", "AGENT_TASK", 0, 100), record("call", "LLM_CALL", 10, 20, parent_id="agent")) == {
        ("agent", "child", "call")
    }


def test_a_causal_parent_that_ended_before_is_a_trigger_beside_it() -> None:
    found = edges(
        record("all", "WORKFLOW", 0, 300),
        record("plan", "AGENT_TASK", 10, 50, parent_id="all"),
        record("write", "AGENT_TASK", 80, 50, parent_id="plan"),
    )

    assert found == {("all", "child", "plan"), ("all", "child", "write"), ("plan", "trigger", "write")}


def test_several_causes_alone_lie_in_what_encloses_the_first() -> None:
    found = edges(
        record("all", "WORKFLOW", 0, 300),
        record("one", "AGENT_TASK", 10, 50, parent_id="all"),
        record("two", "AGENT_TASK", 10, 90, parent_id="all"),
        record("join", "AGENT_TASK", 100, 50, parents=[{"span_id": "one"}, {"span_id": "two"}]),
    )

    assert {edge for edge in found if edge[2] == "join"} == {
        ("all", "child", "join"), ("one", "trigger", "join"), ("two", "trigger", "join")
    }  # fmt: skip


def test_what_follows_a_send_was_sent() -> None:
    found = edges(
        record("plan", "AGENT_TASK", 10, 50),
        record("message", "SEND", 40, parent_id="plan"),
        record("write", "AGENT_TASK", 80, 50, parent_id="message"),
    )

    assert found == {("plan", "child", "message"), ("message", "send", "write")}


def test_parents_are_links_of_their_kinds_across_traces() -> None:
    parents = [{"span_id": "a"}, {"span_id": "b", "kind": "retry"}, {"span_id": "c", "trace_id": "other"}]
    (trace,) = traces_of([record("z", "AGENT_TASK", 0, parents=parents)])

    (span,) = trace.spans
    assert [(link.kind, link.trace_id) for link in span.links] == [
        ("trigger", otel_trace_id("run")),
        ("retry", otel_trace_id("run")),
        ("trigger", otel_trace_id("other")),
    ]


def test_a_parent_that_is_not_there_is_external_and_a_circle_of_parents_ends() -> None:
    assert len(graph(record("a", "AGENT_TASK", 0, parent_id="nowhere")).externals) == 1
    assert len(graph(record("a", "SPAN", 0, 5, parent_id="b"), record("b", "SPAN", 0, 5, parent_id="a")).spans) == 2


def test_the_critical_path_and_the_labels_follow_from_the_least_that_a_record_has() -> None:
    found = graph(
        record("a", "AGENT_TASK", 0, 100, agent_name="planner"),
        record("b", "AGENT_TASK", 100, 400, agent_name="writer", parent_id="a"),
        record("c", "AGENT_TASK", 100, 100, agent_name="critic", parent_id="a"),
        record("d", "AGENT_TASK", 500, 100, agent_name="editor", parents=[{"span_id": "b"}, {"span_id": "c"}]),
    )

    assert [span.agent for span in found.critical_path().spans] == ["planner", "writer", "editor"]
    assert sorted(found.labels().values()) == ["critic#1", "editor#1", "planner#1", "writer#1"]


def test_fields_become_the_attributes_that_answers_are_made_from() -> None:
    call = record(
        "a", "LLM_CALL", 0, agent_name="writer", name="chat gpt-5", token_cost={"prompt": 3, "usd": 0.5},
        conversation_id="t", payload="Hello", service="press", modality="image",
    )  # fmt: skip
    (span,) = traces_of([call])[0].spans

    assert (span.agent, span.conversation_id, span.service, span.name) == ("writer", "t", "press", "chat gpt-5")
    assert span.attributes[names.GEN_AI_REQUEST_MODEL] == "gpt-5"
    assert span.attributes[names.GEN_AI_USAGE_INPUT_TOKENS] == 3
    assert span.attributes[names.MAS_COST_USD] == 0.5
    assert "Hello" in span.attributes[names.GEN_AI_OUTPUT_MESSAGES]


def test_the_attributes_that_are_given_go_before_those_of_the_fields() -> None:
    (span,) = traces_of([record("a", "TOOL_CALL", 0, name="f", attributes={names.GEN_AI_TOOL_NAME: "g"})])[0].spans

    assert span.attributes[names.GEN_AI_TOOL_NAME] == "g"


def test_an_error_belongs_to_the_span_of_its_id_in_whatever_order_they_come() -> None:
    failed = record("a", "ERROR", 9, payload={"type": "ValueError", "message": "no"})
    call = record("a", "TOOL_CALL", 0, 10, name="f")
    for found in (traces_of([call, failed]), traces_of([failed, call])):
        (span,) = found[0].spans

        assert (span.status, span.attributes[names.ERROR_TYPE], span.duration_ns) == (
            StatusCode.ERROR,
            "ValueError",
            10,
        )
        assert [dict(event.attributes) for event in span.events] == [
            {names.EXCEPTION_TYPE: "ValueError", names.EXCEPTION_MESSAGE: "no"}
        ]


def test_an_error_without_a_span_is_one() -> None:
    (span,) = traces_of([record("a", "ERROR", 9, payload="it broke")])[0].spans

    assert span.status is StatusCode.ERROR
    assert span.events[0].attributes[names.EXCEPTION_MESSAGE] == "it broke"


def test_a_change_of_state_belongs_to_the_span_of_its_id() -> None:
    (span,) = traces_of([record("a", "AGENT_TASK", 0, 5), record("a", "STATE", 5, payload={"plan": [1]})])[0].spans

    assert span.attributes[names.MAS_STATE_CHANGED] == ("plan",)
    assert span.record_kind == "AGENT_TASK"


def test_a_record_that_comes_twice_counts_once() -> None:
    assert len(traces_of([record("a", "SPAN", 0), record("a", "SPAN", 0)])[0].spans) == 1


FOREIGN_CALL = {"openinference.span.kind": "LLM", "llm.model_name": "m", "llm.token_count.prompt": 3}


def test_the_cost_that_a_record_of_a_foreign_call_states_counts() -> None:
    call = record(
        "a", "LLM_CALL", 0, 1, complete=True, token_cost={"prompt": 3, "usd": 0.5}, attributes=FOREIGN_CALL
    )  # fmt: skip
    (span,) = traces_of([call])[0].spans

    assert span.get(names.MAS_COST_USD) == 0.5
    assert names.MAS_COST_USD not in span.attributes, "the attributes are those of the other program"
    assert cost([span]).total.usd == 0.5


def test_a_foreign_span_of_a_process_that_we_recorded_too_is_no_second_task() -> None:
    metadata = '{"langgraph_node": "writer", "langgraph_step": 1, "langgraph_checkpoint_ns": "writer:1"}'
    given: dict[str, Any] = {
        "complete": True,
        "name": "writer",
        "scope": "openinference.instrumentation.langchain",
        "attributes": {"openinference.span.kind": "CHAIN", "metadata": metadata},
    }
    (alone,) = traces_of([record("a", "AGENT_TASK", 0, 1, **given)])[0].spans
    (beside,) = traces_of([record("a", "AGENT_TASK", 0, 1, **given, resource={names.MAS_INSTANCE_ID: "i"})])[0].spans

    assert (alone.get(names.MAS_RECORD_KIND), beside.get(names.MAS_RECORD_KIND)) == ("AGENT_TASK", None)
