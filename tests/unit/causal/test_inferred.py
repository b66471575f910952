"""Causes of LangGraph's tasks as OpenInference and OpenLLMetry record them: no links, but its public metadata."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.causal import build
from otel_mas.causal.graph import CausalGraph
from otel_mas.model import Event, Scope, Span, SpanBody, Trace
from otel_mas.semconv import attributes as names

THEIRS = Scope("openinference.instrumentation.langchain")
RUN = Span("t", "run", None, "LangGraph", 0, 1000, scope=THEIRS)


def task(
    name: str,
    step: int,
    start: int,
    *,
    span_id: str = "",
    trace: str = "t",
    parent: str | None = "run",
    task_id: str = "",
    triggers: Sequence[str] = (),
    path: Sequence[Any] = (),
    output: Any = None,
    namespace: str = "",
    outcome: str = "ok",
    thread: str | None = None,
    events: tuple[Event, ...] = (),
    scope: Scope = THEIRS,
    **attributes: Any,
) -> Span:
    """A task's span of 10 ns, as dialects translate it."""
    columns = {
        names.MAS_TASK_ID: task_id or f"id of {span_id or name}",
        names.MAS_TASK_NAME: name,
        names.MAS_TASK_STEP: step,
        names.MAS_TASK_NAMESPACE: namespace,
        names.MAS_TASK_OUTCOME: outcome,
        names.MAS_TASK_TRIGGERS: tuple(triggers) or (f"branch:to:{name}",),
        names.GEN_AI_CONVERSATION_ID: thread,
    }
    said = {"metadata": json.dumps({"langgraph_path": list(path)}), **attributes}
    if output is not None:
        said["output.value"] = json.dumps(output)
    body = SpanBody(attributes=said, events=events)
    return Span(trace, span_id or name, parent, name, start, start + 10, columns=columns, scope=scope, _body=body)


def graph_of(*spans: Span) -> CausalGraph:
    traces = dict.fromkeys(span.trace_id for span in spans)
    return build([Trace(one, tuple(span for span in spans if span.trace_id == one)) for one in traces])


def causes(graph: CausalGraph, effect: str) -> list[tuple[str, str, str, float | None]]:
    """Cause, kind, provenance and probability of what led to a span, its parent left aside."""
    edges = graph.causes_of(effect)
    return [(one.cause, one.kind, one.provenance, one.probability) for one in edges if one.kind != "child"]


def certain(*found: str, kind: str = "trigger") -> list[tuple[str, str, str, None]]:
    return [(cause, kind, "metadata", None) for cause in found]


def test_the_only_task_of_the_step_before_is_the_cause_and_the_first_one_follows_from_the_run() -> None:
    graph = graph_of(RUN, task("plan", 1, 1), task("write", 2, 20))
    assert causes(graph, "plan") == certain("run")
    assert causes(graph, "write") == certain("plan")


def test_the_only_task_is_no_certain_cause_where_it_names_another_node_or_where_spans_are_missing() -> None:
    command = {"graph": None, "update": None, "resume": None, "goto": "d"}
    graph = graph_of(RUN, task("a", 1, 1, output=command), task("c", 2, 20), task("d", 2, 21))
    assert causes(graph, "c") == [("a", "trigger", "inferred", 0.6)]
    assert causes(graph, "d") == certain("a")
    orphan = Span("t", "orphan", "lost", "model", 5, 6, scope=THEIRS)
    graph = graph_of(RUN, task("a", 1, 1), orphan, task("c", 2, 20))
    assert causes(graph, "c") == [("a", "trigger", "inferred", 0.95)]


def test_of_several_tasks_each_may_be_the_cause_and_none_is_an_edge() -> None:
    graph = graph_of(RUN, task("a", 1, 1), task("b", 1, 2), task("c", 2, 20), task("d", 2, 21))
    assert causes(graph, "c") == []
    assert [(one.cause, one.effect, one.provenance, one.probability) for one in graph.possible_edges] == [
        (cause, effect, "inferred", 0.45) for effect in "cd" for cause in "ab"
    ]


def test_what_a_task_returned_tells_where_it_leads() -> None:
    command = {"graph": None, "update": None, "resume": None, "goto": "c"}
    graph = graph_of(RUN, task("a", 1, 1, output=command), task("b", 1, 2), task("c", 2, 20), task("d", 2, 21))
    to_c, to_d = causes(graph, "c"), causes(graph, "d")
    assert [one for one in to_c if one[3] is not None and one[3] >= 0.9] == [("a", "trigger", "inferred", 0.95)]
    assert [one for one in to_d if one[3] is not None and one[3] >= 0.9] == [("b", "trigger", "inferred", 0.9)]


def test_a_function_of_a_conditional_edge_tells_too() -> None:
    body = SpanBody(attributes={"output.value": "c"})
    route = Span("t", "route", "a", "route", 5, 6, scope=THEIRS, _body=body)
    graph = graph_of(RUN, task("a", 1, 1), task("b", 1, 2), route, task("c", 2, 20), task("d", 2, 21))
    assert ("a", "trigger", "inferred", 0.95) in causes(graph, "c")


def test_edges_that_the_run_lists_leave_out_what_they_do_not_connect() -> None:
    body = SpanBody(attributes={"gen_ai.workflow.edges": ("a -> c", "b -> d")})
    run = Span("t", "run", None, "invoke_agent LangGraph", 0, 1000, scope=THEIRS, _body=body)
    graph = graph_of(run, task("a", 1, 1), task("b", 1, 2), task("c", 2, 20), task("d", 2, 21))
    assert causes(graph, "c") == [("a", "trigger", "inferred", 0.9)]


def test_a_join_names_its_sources_whenever_they_ran() -> None:
    graph = graph_of(
        RUN,
        task("short", 1, 1),
        task("long", 1, 2),
        task("longer", 2, 20),
        task("gather", 3, 40, triggers=("branch:to:gather", "join:short+longer:gather")),
    )
    assert causes(graph, "gather") == certain("short", "longer")


def test_a_join_that_is_not_complete_made_nothing_run() -> None:
    graph = graph_of(
        RUN,
        task("a", 1, 1),
        task("gather", 2, 20, triggers=("branch:to:gather", "join:a+b:gather")),
    )
    assert causes(graph, "gather") == certain("a")


@pytest.mark.parametrize("text", [False, True], ids=["numbers", "text"])
def test_a_packet_has_the_sender_at_its_place(text: bool) -> None:
    def sending(*nodes: str) -> dict[str, Any]:
        return {
            "graph": None,
            "update": None,
            "resume": None,
            "goto": [f"Send(node='{node}', arg=1)" for node in nodes],
        }

    def sent(place: int) -> Span:
        path = ["__pregel_push", str(place) if text else place, "False" if text else False]
        return task("work", 2, 20 + place, span_id=f"work {place}", triggers=("__pregel_push",), path=path)

    senders = (
        task("b", 1, 1, path=("__pregel_pull", "b"), output=sending("work")),
        task("a", 1, 2, path=("__pregel_pull", "a"), output=sending("work", "work")),
    )
    graph = graph_of(RUN, *senders, sent(0), sent(1), sent(2))
    found = [causes(graph, f"work {place}") for place in range(3)]
    assert found == [[(one, "send", "inferred", 0.97)] for one in ("a", "a", "b")]


def test_a_call_and_an_error_handler_have_their_task_in_their_namespace() -> None:
    graph = graph_of(
        RUN,
        task("flow", 0, 1, triggers=("__start__",), task_id="7"),
        task("fetch", 0, 3, triggers=("__pregel_push",), path=("__pregel_push", 0, True), namespace="flow:7"),
        task("bad", 0, 4, task_id="8", outcome="error", triggers=("__start__",)),
        task(
            "rescue",
            0,
            20,
            triggers=("__pregel_push",),
            path=("__pregel_pull", "bad", "node_error_handler", False),
            namespace="bad:8",
        ),
    )
    assert causes(graph, "fetch") == certain("flow", kind="call")
    assert causes(graph, "rescue") == certain("bad", kind="error_handler")


def test_a_command_to_the_parent_graph_is_a_handoff_of_the_task_that_it_left() -> None:
    message = "Command(graph='alice:1', update={'count': 1}, goto='bob')"
    raised = Event("exception", 5, {"exception.type": "langgraph.errors.ParentCommand", "exception.message": message})
    graph = graph_of(
        RUN,
        task("alice", 1, 1, task_id="1", outcome="handoff", events=(raised,)),
        task("leave", 1, 2, parent="alice", namespace="alice:1", outcome="handoff"),
        task("bob", 2, 20),
    )
    assert causes(graph, "bob") == certain("alice", kind="handoff")
    assert causes(graph, "leave") == certain("alice")


def test_an_attempt_follows_the_one_before_and_from_what_made_that_run() -> None:
    graph = graph_of(
        RUN,
        task("flaky", 1, 1, span_id="first", task_id="1", outcome="error"),
        task("flaky", 1, 20, span_id="second", task_id="1"),
        task("after", 2, 40),
    )
    assert causes(graph, "second") == [*certain("run"), *certain("first", kind="retry")]
    assert causes(graph, "after") == certain("second")


def test_a_resumed_task_goes_on_from_its_pause_and_keeps_what_made_it_run() -> None:
    again = Span("u", "again", None, "LangGraph", 100, 200, scope=THEIRS)
    graph = graph_of(
        RUN,
        task("plan", 1, 1, thread="x"),
        task("ask", 2, 20, task_id="1", outcome="interrupted", thread="x"),
        again,
        task("ask", 2, 110, span_id="asked", task_id="1", trace="u", parent="again", thread="x"),
        task("write", 3, 130, trace="u", parent="again", thread="x"),
    )
    assert sorted(causes(graph, "asked")) == sorted([*certain("ask", kind="resume"), *certain("plan")])
    assert causes(graph, "write") == certain("asked")


@pytest.mark.parametrize("chosen", [False, True], ids=["the last one", "a chosen one"])
def test_a_run_goes_on_from_the_last_step_of_its_thread_unless_its_checkpoint_was_chosen(chosen: bool) -> None:
    path = {"langgraph_path": ["__pregel_pull", "write"]}
    metadata = json.dumps({**path, "checkpoint_id": "c"} if chosen else path)
    given = SpanBody(attributes={"input.value": "null"})
    again = Span("u", "again", None, "LangGraph", 100, 200, scope=THEIRS, _body=given)
    graph = graph_of(
        RUN,
        task("plan", 1, 1, thread="x"),
        again,
        task("write", 2, 110, trace="u", parent="again", thread="x", metadata=metadata),
    )
    assert causes(graph, "write") == ([] if chosen else certain("plan"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("null", []),
        ('{"graph": null, "update": null, "resume": "yes", "goto": []}', []),
        ('{"count": 1}', [("run", "trigger", "inferred", 0.9)]),
        (None, [("run", "trigger", "inferred", 0.7)]),
    ],
)
def test_a_run_that_begins_later_in_its_thread_follows_from_its_input_if_it_had_one(given: Any, expected: Any) -> None:
    body = SpanBody(attributes={} if given is None else {"input.value": given})
    run = Span("t", "run", None, "LangGraph", 0, 1000, scope=THEIRS, _body=body)
    assert causes(graph_of(run, task("write", 7, 1, thread="x")), "write") == expected


def test_tasks_with_recorded_causes_and_those_that_we_recorded_are_left_as_they_are() -> None:
    ours = Scope("otel_mas")
    graph = graph_of(RUN, task("plan", 1, 1, scope=ours), task("write", 2, 20, scope=ours))
    assert [edge.kind for edge in graph.edges] == ["child", "child"]


def test_the_graph_that_a_node_is_has_no_causes_of_its_own() -> None:
    graph = graph_of(
        RUN,
        task("inner", 1, 1, task_id="1"),
        task("inner", 1, 2, span_id="its graph", parent="inner", task_id="1"),
        task("first", 1, 3, parent="its graph", namespace="inner:1"),
    )
    assert causes(graph, "its graph") == []
    assert causes(graph, "first") == certain("its graph")


def test_of_many_tasks_before_many_others_nothing_is_said_and_before_a_single_one_all_are() -> None:
    before = [task(f"a{number}", 1, 1 + number) for number in range(20)]
    graph = graph_of(RUN, *before, *(task(f"b{number}", 2, 50 + number) for number in range(20)))
    assert causes(graph, "b0") == []
    graph = graph_of(RUN, *before, task("gather", 2, 50))
    assert causes(graph, "gather") == [(f"a{number}", "trigger", "inferred", 0.9) for number in range(20)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        names.MAS_TASK_ID,
        names.MAS_TASK_NAME,
        names.MAS_TASK_STEP,
        names.MAS_TASK_NAMESPACE,
        names.MAS_TASK_TRIGGERS,
        names.MAS_TASK_OUTCOME,
        names.GEN_AI_CONVERSATION_ID,
        names.GEN_AI_TOOL_CALL_ID,
        names.GEN_AI_TOOL_NAME,
        names.GEN_AI_INPUT_MESSAGES,
        names.GEN_AI_OUTPUT_MESSAGES,
        names.GEN_AI_TOOL_CALL_ARGUMENTS,
        names.GEN_AI_TOOL_CALL_RESULT,
        "metadata",
        "output.value",
        "input.value",
        "gen_ai.workflow.edges",
        "langgraph.command.goto_node",
        "openinference.span.kind",
    ]
)
VALUES = JSON | JSON.map(json.dumps) | st.sampled_from(["__pregel_push", "join:a+b:c", "Send(node='a'", "{'a': 1}"])
SPANS = st.lists(
    st.tuples(
        st.dictionaries(NAMES, VALUES, max_size=8),
        st.sampled_from(["LLM_CALL", "TOOL_CALL", "AGENT_TASK", None]),
        st.integers(0, 6),
        st.integers(0, 20),
    ),
    max_size=8,
)


@given(SPANS)
def test_whatever_others_write_into_their_spans_a_graph_is_built(written: list[Any]) -> None:
    spans = []
    for number, (attributes, kind, parent, start) in enumerate(written):
        columns = {**attributes, names.MAS_RECORD_KIND: kind}
        above = f"s{parent}" if parent < number else None
        body = SpanBody(attributes)
        spans.append(Span("t", f"s{number}", above, "x", start, start + 5, columns=columns, scope=THEIRS, _body=body))
    graph = build([Trace("t", tuple(sorted(spans, key=lambda span: span.start_ns)))])
    assert all(edge.probability is None or 0.5 <= edge.probability <= 1 for edge in graph.edges)
    assert all(edge.probability is not None and edge.probability < 0.5 for edge in graph.possible_edges)


def test_a_value_that_is_nested_a_thousand_deep_is_a_text_like_any_other() -> None:
    deep = "[" * 900 + "]" * 900
    attributes = {names.GEN_AI_TOOL_CALL_RESULT: deep, names.GEN_AI_TOOL_NAME: "look"}
    columns = {**attributes, names.MAS_RECORD_KIND: "TOOL_CALL"}
    found = Span("t", "s", None, "x", 1, 2, columns=columns, scope=THEIRS, _body=SpanBody(attributes))
    assert not graph_of(found).problems
