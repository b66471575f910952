"""Agents that take turns without anything new are a loop; rounds that add something, and polls, are none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from otel_mas.analyse.findings.handoff_loop import handoff_loop
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

GRAPH = {names.GEN_AI_OPERATION_NAME: "invoke_workflow", names.GEN_AI_AGENT_NAME: "press"}
ROUNDS = ("boss", "writer")


def turns(
    texts: Sequence[str],
    *,
    nodes: Sequence[str] = ROUNDS,
    model: bool = True,
    error: str | None = None,
    more: Sequence[Span] = (),
    **thresholds: float,
) -> list[Finding]:
    """Findings about nodes that take turns, each step writing one of these texts."""
    ended = {"failed": True, names.ERROR_TYPE: error} if error else {}
    run = made.span("run", 0, 10_000, **GRAPH, **ended)
    tasks = [
        made.agent(f"{nodes[i % len(nodes)]}{i}", 10 * i, 10 * i + 5, "run", task_step=i, task_id=f"id{i}")
        for i in range(len(texts))
    ]
    calls = [made.call(f"call{i}", 10 * i + 1, 10 * i + 4, task.span_id) for i, task in enumerate(tasks)]
    spans = [run, *tasks, *(calls if model else ()), *more]
    wrote = {task.span_id: [text] for task, text in zip(tasks, texts, strict=True)}
    return list(handoff_loop(facts(*spans, wrote=wrote, **thresholds)))


def test_turns_without_anything_new_are_a_loop() -> None:
    (found,) = turns(["go on", "what?"] * 4)

    assert (found.severity, found.confidence, found.subject) == (Severity.WARNING, 1.0, "boss -> writer")
    assert found.summary == "boss and writer took turns 3 times without anything new"
    assert found.spans == ("boss2", "writer3", "boss4", "writer5", "boss6", "writer7")
    assert found.saves_ns == 30


def test_two_rounds_are_no_loop_and_the_threshold_can_be_set() -> None:
    assert turns(["go on", "what?"] * 3) == []
    assert len(turns(["go on", "what?"] * 3, handoff_loop_rounds=2)) == 1


def test_a_round_that_adds_something_is_none() -> None:
    assert turns([text for i in range(6) for text in ("go on", f"draft {i}")]) == []


def test_three_agents_in_a_circle() -> None:
    (found,) = turns(["a", "b", "c"] * 4, nodes=("boss", "writer", "critic"))
    assert found.summary == "boss, writer and critic took turns 3 times without anything new"


def test_a_poll_without_a_model_is_none() -> None:
    assert turns(["pending", "wait"] * 6, model=False) == []


def test_tools_whose_results_change_are_something_new() -> None:
    tools = [made.tool(f"search{i}", 10 * i + 2, 10 * i + 3, f"writer{i}") for i in range(1, 8, 2)]
    assert turns(["go on", "what?"] * 4, more=tools) == []


def test_several_at_once_are_no_turns() -> None:
    beside = [made.agent(f"critic{i}", 10 * i, 10 * i + 5, "run", task_step=i) for i in range(1, 8, 2)]
    assert turns(["go on", "what?"] * 4, more=beside) == []


def test_ids_and_histories_of_tool_calls_are_nothing_new() -> None:
    """Each hand-off of a swarm calls a tool by a new id, and its `Command` repeats a conversation that grows."""
    nodes = ("boss", "writer")
    tasks = [made.agent(f"{nodes[i % 2]}{i}", 10 * i, 10 * i + 5, "run", task_step=i) for i in range(8)]
    tools = [made.tool(f"hand{i}", 10 * i + 2, 10 * i + 3, task.span_id) for i, task in enumerate(tasks)]
    calls = [made.call(f"call{i}", 10 * i + 1, 10 * i + 2, task.span_id) for i, task in enumerate(tasks)]
    history = [[f"said {number}" for number in range(i)] for i in range(8)]
    commands = {
        tool.span_id: {names.GEN_AI_TOOL_CALL_RESULT: {"goto": nodes[(i + 1) % 2], "update": {"messages": history[i]}}}
        for i, tool in enumerate(tools)
    }
    run = facts(
        made.span("run", 0, 10_000, **GRAPH),
        *tasks,
        *tools,
        *calls,
        messages={f"id{i}": ("assistant", f"calls to_{nodes[(i + 1) % 2]}()") for i in range(8)},
        wrote={call.span_id: [f"id{i}"] for i, call in enumerate(calls)},
        contents=commands,
    )
    (found,) = handoff_loop(run)
    assert found.summary == "boss and writer took turns 3 times without anything new"


def test_one_agents_own_model_and_tools_are_no_hand_over() -> None:
    agent = made.agent("boss1", 0, 900, "run")
    steps = [made.task(f"{('model', 'tools')[i % 2]}{i}", 10 * i, 10 * i + 5, "boss1", task_step=i) for i in range(8)]
    calls = [made.call(f"call{i}", 10 * i + 1, 10 * i + 4, f"model{i}") for i in range(0, 8, 2)]
    run = made.span("run", 0, 10_000, **GRAPH)
    texts = {"again": ("assistant", "calls status()")}
    assert list(handoff_loop(facts(run, agent, *steps, *calls, messages=texts))) == []


@pytest.mark.parametrize("error", ["langgraph.errors.GraphRecursionError", "GraphRecursionError"])
def test_turns_until_the_recursion_limit_are_an_error(error: str) -> None:
    (found,) = turns([str(i) for i in range(8)], error=error)

    assert (found.severity, found.confidence) == (Severity.ERROR, 0.8)
    assert found.summary == "boss and writer took turns 4 times, until the recursion limit"
    assert turns([str(i) for i in range(8)], error="ValueError") == []
    assert turns([str(i) for i in range(4)], error=error) == []


def test_an_agent_alone_takes_no_turns() -> None:
    assert turns(["same"] * 10, nodes=("boss",)) == []
