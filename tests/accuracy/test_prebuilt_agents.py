"""Prebuilt agents, beyond their causes: tools with their calls, errors where they happened, agents by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.model import Span, StatusCode
from otel_mas.semconv import attributes as names
from tests.accuracy.cases import CASES
from tests.accuracy.cases.agents import broken, weather, with_tool_node
from tests.accuracy.cases.case import Case, Way, ainvoke, astreamed, invoke, streamed
from tests.accuracy.cases.teams import supervised
from tests.accuracy.features import react_agent
from tests.accuracy.scripted import calls, says

BY_NAME = {case.name: case for case in CASES}
WAYS = pytest.mark.parametrize("way", [invoke, ainvoke, streamed(), astreamed()], ids=lambda way: way.__name__)
ASKED = {"messages": [("user", "How is the weather?")]}


def of_case(name: str, expected: object) -> Any:
    """A parameter for each case that this LangGraph can run."""
    return pytest.param(name, expected, marks=BY_NAME[name].mark, id=name)


def spans_of(store: Path, thread: str | None = None) -> list[Span]:
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        graph = source.latest().graph() if thread is None else source.conversation(thread).graph()
    assert graph.problems == ()
    return list(graph.spans)


def tools_of(spans: list[Span]) -> list[tuple[str, str, str]]:
    """Every tool's span, as (tool, id of its call, the task it is directly in)."""
    by_id = {span.span_id: span for span in spans}
    return sorted(
        (
            span.get(names.GEN_AI_TOOL_NAME),
            span.get(names.GEN_AI_TOOL_CALL_ID),
            str(by_id[str(span.parent_span_id)].task_name),
        )
        for span in spans
        if span.record_kind == "TOOL_CALL"
    )


def called(case: Case, way: Way, store: Path) -> list[Span]:
    return spans_of(store, case.execute(way))


@WAYS
@pytest.mark.parametrize(
    ("name", "tools"),
    [
        of_case("agent_with_tools_in_parallel", ["population", "weather"]),
        of_case("react_agent_with_tools_in_parallel", ["population", "weather"]),
        of_case("tools_of_which_one_fails_and_is_handled", ["broken", "weather"]),
        of_case("agent_as_a_node", ["weather"]),
        of_case("swarm", ["transfer_to_bob"]),
        of_case("swarm_of_react_agents", ["transfer_to_bob"]),
    ],
)
def test_a_tool_has_the_id_of_its_call_and_is_in_the_task_that_ran_it(
    name: str, tools: list[str], way: Way, recorded: Path
) -> None:
    found = tools_of(called(BY_NAME[name], way, recorded))
    assert [one for one, _, _ in found] == tools
    assert all(str(call).startswith("call-") for _, call, _ in found)
    assert len({call for _, call, _ in found}) == len(tools)
    assert {task for _, _, task in found} == {"tools"}


@WAYS
def test_a_tool_s_error_that_is_handled_is_one_error_of_the_tool_and_of_nothing_else(way: Way, recorded: Path) -> None:
    spans = called(BY_NAME["tools_of_which_one_fails_and_is_handled"], way, recorded)
    (failed,) = [span for span in spans if span.status is StatusCode.ERROR]
    assert (failed.get(names.GEN_AI_TOOL_NAME), failed.get(names.ERROR_TYPE)) == ("broken", "ValueError")
    assert [event.name for event in failed.events] == ["exception"]
    assert not [span for span in spans if span.get(names.MAS_ERROR_SPAN)]


@WAYS
def test_a_tool_s_error_that_nobody_handles_is_one_error_that_its_ancestors_point_to(way: Way, recorded: Path) -> None:
    app = with_tool_node(calls("weather", "broken", city="Oslo"), weather, broken, handle_tool_errors=False)
    with pytest.raises(ValueError, match="no Oslo"):
        way(app, ASKED, {"configurable": {"thread_id": "broken"}})
    spans = spans_of(recorded, "broken")
    (failed,) = [span for span in spans if span.status is StatusCode.ERROR]
    assert failed.get(names.GEN_AI_TOOL_NAME) == "broken"
    pointing = {span.name for span in spans if str(span.get(names.MAS_ERROR_SPAN)).endswith(failed.span_id)}
    assert pointing == {"task tools", "invoke_workflow LangGraph"}


@WAYS
@pytest.mark.parametrize(
    ("name", "agents"),
    [
        of_case("agent_with_tools_in_parallel", {"guide"}),
        of_case("react_agent_with_tools_in_parallel", {"guide"}),
        of_case("agent_as_a_node", {"guide"}),
        of_case("agent_as_a_tool", {"guide", "expert"}),
        of_case("supervisor_and_an_agent", {"supervisor", "research"}),
        of_case("swarm", {"alice", "bob"}),
        of_case("swarm_of_react_agents", {"alice", "bob"}),
    ],
)
def test_agents_are_called_what_the_app_calls_them(name: str, agents: set[str], way: Way, recorded: Path) -> None:
    spans = called(BY_NAME[name], way, recorded)
    found = {span.agent for span in spans if span.get(names.GEN_AI_OPERATION_NAME) == "invoke_agent"}
    assert found == agents
    assert not [span for span in spans if span.status is StatusCode.ERROR]


@WAYS
def test_of_parallel_handoffs_the_one_that_langgraph_takes_is_recorded_and_the_others_are_no_errors(
    way: Way, recorded: Path
) -> None:
    """Each handoff is a task that leaves to the graph around; the first to leave ends the agent, the rest is lost."""
    first = calls("transfer_to_research", "transfer_to_math")
    research, math = react_agent(says("It rains."), name="research"), react_agent(says("Twice."), name="math")
    way(supervised(says(first, "Done."), research, math), ASKED, {"configurable": {"thread_id": "both"}})
    spans = spans_of(recorded, "both")
    assert not [span for span in spans if span.status is StatusCode.ERROR]
    (chosen,) = [
        span.get(names.MAS_ROUTING_CHOICE)
        for span in spans
        if span.record_kind == "ROUTING_DECISION" and span.get(names.MAS_ROUTING_FUNCTION) == "Command"
    ]
    assert [span.task_name for span in spans if span.task_name in ("research", "math")] == list(chosen)
