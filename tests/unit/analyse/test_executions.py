"""Executions of a run: what they are, what their time went into, which of them match."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.analyse.executions import Execution, executions
from otel_mas.causal import CausalGraph
from otel_mas.model import Query
from otel_mas.semconv import attributes as names
from tests.unit.analyse.profile.conftest import Made

COST = {names.MAS_COST_USD: 0.5}
made = Made()


def team() -> CausalGraph:
    """A researcher with a model and a tool, which asks a model as well; then a writer that fails."""
    return made.graph(
        made.span("run", 0, 1000, record_kind="WORKFLOW"),
        made.task("plan", 0, 90, "run"),
        made.agent("researcher1", 100, 500, "run", causes=[("trigger", "plan")]),
        made.task("look1", 110, 490, "researcher1"),
        made.call("chat1", 120, 320, "look1", **COST),
        made.tool("search1", 300, 480, "look1"),
        made.call("chat2", 400, 450, "search1", failed=True, **{names.ERROR_TYPE: "TimeoutError"}),
        made.agent(
            "writer1", 510, 900, "run", failed=True, causes=[("handoff", "researcher1")],
            **{names.MAS_TASK_OUTCOME: "error", names.ERROR_TYPE: "ValueError"},
        ),
        made.call("chat3", 520, 890, "writer1"),
    )  # fmt: skip


def named(found: tuple[Execution, ...], span_id: str) -> Execution:
    return next(one for one in found if one.span_id == span_id)


def test_tasks_agents_tools_and_model_calls_are_executions_and_the_run_is_none() -> None:
    found = executions(team())

    assert [(one.span_id, one.kind, one.name) for one in found] == [
        ("plan", "task", "plan"),
        ("researcher1", "agent", "researcher"),
        ("look1", "task", "look"),
        ("chat1", "model", "small"),
        ("search1", "tool", "search"),
        ("chat2", "model", "small"),
        ("writer1", "agent", "writer"),
        ("chat3", "model", "small"),
    ]


def test_an_error_that_passed_through_an_agent_has_the_type_it_had_where_it_happened() -> None:
    graph = made.graph(
        made.span("run", 0, 1000, record_kind="WORKFLOW"),
        made.agent("writer1", 10, 90, "run", failed=True, **{names.MAS_ERROR_SPAN: f"{'0' * 32}-search1"}),
        made.tool("search1", 20, 80, "writer1", failed=True, **{names.ERROR_TYPE: "TimeoutError"}),
        made.agent("editor1", 100, 110, "run", failed=True, **{names.MAS_ERROR_SPAN: f"{'0' * 32}-elsewhere"}),
    )
    assert [one.error_type for one in executions(graph)] == ["TimeoutError", "TimeoutError", None]


def test_each_knows_the_agent_it_works_for_and_its_task() -> None:
    found = executions(team())

    assert [one.agent for one in found] == [None, *["researcher"] * 5, "writer", "writer"]
    assert named(found, "chat2").task == "researcher#1/look#1"
    assert named(found, "chat2").node == "researcher/look"


def test_time_is_that_of_models_of_tools_and_the_rest() -> None:
    """The tool and the first call overlap for 20 ns, in which both ran; the tool's own time is without its call."""
    found = executions(team())
    researcher, search = named(found, "researcher1"), named(found, "search1")

    assert (researcher.duration_ns, researcher.model_ns, researcher.tool_ns) == (400, 200 + 50, 180 - 50)
    assert researcher.overhead_ns == 400 - (480 - 120)
    assert (search.model_ns, search.tool_ns, search.overhead_ns) == (50, 130, 0)
    assert (named(found, "chat1").model_ns, named(found, "plan").overhead_ns) == (200, 90)


def test_calls_tokens_and_prices_are_those_inside_it() -> None:
    researcher, writer = (named(executions(team()), name) for name in ("researcher1", "writer1"))

    assert (researcher.model_calls, researcher.tool_calls) == (2, 1)
    assert (researcher.input_tokens, researcher.output_tokens, researcher.cost_usd) == (20, 2, 0.5)
    assert (writer.model_calls, writer.tool_calls, writer.cost_usd) == (1, 0, None)


def test_a_status_is_the_outcome_of_a_task_or_whether_a_span_failed() -> None:
    found = executions(
        made.graph(
            made.task("a", 0, 10, **{names.MAS_TASK_OUTCOME: "handoff"}),
            made.task("b", 0, 10, **{names.MAS_TASK_OUTCOME: "something new"}),
            made.tool("c", 0, 10, failed=True),
            made.task("d", 0, 10, **{names.MAS_ERROR_SPAN: "t1-c"}),
            made.span("e", 0, None, record_kind="AGENT_TASK"),
        )
    )

    assert {one.span_id: one.status for one in found} == {
        "a": "handoff", "b": "ok", "c": "error", "d": "error", "e": "running",
    }  # fmt: skip
    assert (named(found, "e").end_ns, named(found, "e").duration_ns) == (None, None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "plan researcher1 look1 chat1 search1 chat2 writer1 chat3"),
        ({"agent": "researcher"}, "researcher1 look1 chat1 search1 chat2"),
        ({"agent": "research"}, ""),
        ({"status": "error"}, "chat2 writer1"),
        ({"tool": "search"}, "search1"),
        ({"model": "small"}, "chat1 chat2 chat3"),
        ({"operation": "invoke_agent"}, "researcher1 writer1"),
        ({"error_type": "TimeoutError"}, "chat2"),
        ({"error_type": "Timeout"}, ""),
        ({"min_duration_ns": 370}, "researcher1 look1 writer1 chat3"),
        ({"max_duration_ns": 89}, "chat2"),
        ({"since_ns": 400, "until_ns": 510}, "chat2 writer1"),
        ({"agent": "writer", "status": "ok"}, "chat3"),
        ({"conversation_id": "of the trace", "max_duration_ns": 89}, "chat2"),
    ],
)  # fmt: skip
def test_conditions_on_spans_are_held_against_each(asked: dict[str, Any], found: str) -> None:
    assert [one.span_id for one in executions(team(), Query(**asked))] == found.split()


def test_an_unfinished_execution_has_no_duration_to_match() -> None:
    graph = made.graph(made.span("a", 0, None, record_kind="AGENT_TASK"), made.task("b", 0, 50))

    assert [one.span_id for one in executions(graph, Query(min_duration_ns=0))] == ["b"]
    assert [one.span_id for one in executions(graph, Query(max_duration_ns=100))] == ["b"]


_piece = st.tuples(st.integers(0, 99), st.integers(0, 60), st.sampled_from("amts"), st.integers(0, 9))


@given(st.lists(_piece, max_size=12))
def test_model_tool_and_overhead_time_fit_in_the_duration(pieces: list[tuple[int, int, str, int]]) -> None:
    kinds = {"a": made.agent, "m": made.call, "t": made.tool, "s": made.task}
    spans = [made.task("root", 0, 200)]
    for number, (start, length, kind, parent) in enumerate(pieces):
        above = spans[min(parent, len(spans) - 1)].span_id
        spans.append(kinds[kind](f"{kind}x{number}", start, start + length, above))

    for one in executions(made.graph(*spans)):
        assert one.duration_ns is not None
        assert max(one.model_ns, one.tool_ns) <= one.duration_ns
        assert (
            one.overhead_ns + max(one.model_ns, one.tool_ns)
            <= one.duration_ns
            <= (one.overhead_ns + one.model_ns + one.tool_ns)
        )
