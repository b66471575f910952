"""Who called whom: the cause that was waited for, how deep, and why."""

from __future__ import annotations

from typing import Any

from otel_mas.analyse.call_chains import Call, call_chains
from otel_mas.analyse.content import RunContent
from otel_mas.analyse.executions import executions
from otel_mas.causal import CausalGraph
from otel_mas.model import Content, Query
from otel_mas.semconv import attributes as names
from tests.unit.analyse.profile.conftest import Made


def chains(graph: CausalGraph, query: Query | None = None, content: RunContent | None = None) -> dict[str, Call]:
    found = call_chains(graph, executions(graph, query), content or RunContent())
    return {call.execution.span_id: call for call in found}


def route(made: Made, span_id: str, at: int, parent: str, *choice: str) -> Any:
    return made.span(span_id, at, at, parent, record_kind="ROUTING_DECISION", **{names.MAS_ROUTING_CHOICE: choice})


def team(made: Made) -> CausalGraph:
    return made.graph(
        made.span("run", 0, 1000, record_kind="WORKFLOW"),
        made.task("boss1", 0, 90, "run", causes=[("trigger", "run")]),
        route(made, "route1", 80, "boss1", "writer"),
        made.agent("writer1", 100, 900, "run", causes=[("trigger", "boss1")]),
        made.task("outline1", 110, 200, "writer1", causes=[("trigger", "writer1")]),
        made.call("chat1", 120, 190, "outline1"),
        made.task("section1", 210, 300, "writer1", causes=[("send", "outline1")]),
        made.task("section2", 210, 400, "writer1", causes=[("send", "outline1")]),
        made.task("edit1", 410, 880, "writer1", causes=[("trigger", "section1"), ("trigger", "section2")]),
        made.task("boss2", 910, 990, "run", causes=[("message", "section1"), ("trigger", "writer1")]),
    )


def test_the_caller_is_the_cause_that_ended_last_and_the_first_inside_is_a_child() -> None:
    found = chains(team(Made()))

    assert {one: (call.caller, call.kind, call.depth) for one, call in found.items()} == {
        "boss1": (None, None, 0),
        "writer1": ("boss#1", "trigger", 1),
        "outline1": ("writer#1", "child", 2),
        "section1": ("writer#1/outline#1", "send", 3),
        "section2": ("writer#1/outline#1", "send", 3),
        "edit1": ("writer#1/section#2", "trigger", 4),
        "boss2": ("writer#1", "trigger", 2),
    }
    assert found["edit1"].others == ("writer#1/section#1",)
    assert (found["boss2"].others, found["edit1"].caller_id) == ((), "section2")


def test_a_reason_is_that_of_the_decision_which_chose_the_callee() -> None:
    content = RunContent.gathered(
        (), {}, [Content("t1", "route1", names.MAS_ROUTING_REASON, "nobody has written")], kept=True
    )
    found = chains(team(Made()), content=content)

    assert found["writer1"].reason == "nobody has written"
    assert {call.reason for one, call in found.items() if one != "writer1"} == {None}


def test_callers_are_found_among_all_executions_also_where_few_are_asked_for() -> None:
    found = chains(team(Made()), Query(agent="writer", min_duration_ns=400))

    assert {one: call.depth for one, call in found.items()} == {"writer1": 1, "edit1": 4}


def test_a_handoff_goes_before_a_trigger_and_a_resumption_comes_last() -> None:
    made = Made()
    found = chains(
        made.graph(
            made.task("a", 0, 10),
            made.task("b", 0, 20),
            made.task("c", 30, 40, causes=[("trigger", "b"), ("handoff", "a")]),
            made.task("d", 50, 60, causes=[("resume", "c"), ("trigger", "a")]),
        )
    )

    assert (found["c"].caller, found["c"].kind) == ("a#1", "handoff")
    assert (found["d"].caller, found["d"].others) == ("a#1", ("c#1",))


def test_a_cycle_of_causes_ends_and_a_cause_elsewhere_is_no_caller() -> None:
    made = Made()
    found = chains(
        made.graph(
            made.task("a", 0, 10, causes=[("trigger", "b")]),
            made.task("b", 0, 10, causes=[("trigger", "a")]),
            made.task("c", 0, 10, causes=[("trigger", "not here")]),
        )
    )

    assert sorted(call.depth for call in found.values())[0] == 0
    assert (found["c"].caller, found["c"].depth) == (None, 0)
