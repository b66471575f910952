"""Three outcomes: what was not recorded is neither there nor missing."""

from __future__ import annotations

import pytest

from otel_mas.causal import build
from otel_mas.evaluate import Outcome
from otel_mas.evaluate.topology import assert_topology, match, topology_of
from otel_mas.semconv import attributes as names
from tests.unit.evaluate.topology.runs import RUN, RunBuilder, chain

PASSED, FAILED, INSUFFICIENT = Outcome.PASSED, Outcome.FAILED, Outcome.INSUFFICIENT_EVIDENCE


def _foreign() -> RunBuilder:
    run = RunBuilder()
    del run.spans[0].columns[names.MAS_RECORD_KIND]
    for name in ("planner", "writer"):
        agent = run.foreign(name)
    run.tool("search", agent)
    return run


@pytest.mark.parametrize(
    ("statement", "outcome"),
    [
        ("planner -> writer", INSUFFICIENT),
        ("never planner -> writer", INSUFFICIENT),
        ("planner before writer", INSUFFICIENT),
        ("never writer before planner", INSUFFICIENT),
        ("writer joins planner", INSUFFICIENT),
        ("$a -> $b", INSUFFICIENT),
        ("planner -> END", INSUFFICIENT),
        ("nothing else; planner, writer; writer => search", INSUFFICIENT),
        ("planner -> editor", FAILED),
        ("editor -> writer", FAILED),
        ("planner{2}", FAILED),
        ("planner, writer", PASSED),
        ("never editor", PASSED),
        ("writer => search; never planner => search", PASSED),
    ],
)
def test_a_trace_without_causes_tells_of_agents_and_tools_alone(statement: str, outcome: Outcome) -> None:
    assert match(statement, _foreign().graph()).outcome is outcome


@pytest.mark.parametrize(
    ("statement", "outcome"),
    [
        ("plan -> write", PASSED),
        ("plan before write", INSUFFICIENT),  # another one may have written before it
        ("plan -> publish", INSUFFICIENT),
        ("never publish", INSUFFICIENT),
        ("write{1}", INSUFFICIENT),
        ("write{1,}", PASSED),
        ("write{0}", FAILED),
        ("never plan -> write", FAILED),
        ("nothing else; plan -> write", INSUFFICIENT),
    ],
)
def test_of_an_incomplete_trace_what_is_there_is_certain_and_what_is_not_is_unknown(
    statement: str, outcome: Outcome
) -> None:
    graph = chain("plan", "write").graph("incomplete: 2 spans were dropped")

    result = match(statement, graph)

    assert result.outcome is outcome
    assert (outcome is INSUFFICIENT) == any("2 spans were dropped" in one for one in result.evidence)


def test_a_run_that_has_not_ended_may_go_on() -> None:
    run = chain("plan")
    run.task("write", "t1-1", end=None)

    assert match("write -> publish", run.graph()).outcome is INSUFFICIENT
    assert match("plan -> write", run.graph()).outcome is PASSED


def test_a_cause_in_another_trace_may_be_any() -> None:
    run = RunBuilder()
    run.spans[0].columns[names.GEN_AI_CONVERSATION_ID] = "thread"
    run.task("publish", run.task("approval", "t0-9"))

    assert match("approval -> publish", run.graph()).outcome is PASSED
    for statement in ("supervisor -> approval", "never publish before supervisor", "START -> approval"):
        result = match(statement, run.graph())
        assert result.outcome is INSUFFICIENT, statement
        assert "a cause of approval#1 lies in a trace that is not here" in result.text


def test_the_other_trace_tells_once_it_is_there() -> None:
    first, second = RunBuilder(), RunBuilder("t2")
    second.task("publish", first.task("supervisor"), inside=second.run)

    graph = build([first.trace(), second.trace()], whole=True)

    assert match("supervisor -> publish", graph).outcome is PASSED


def test_the_order_of_calls_in_code_is_no_cause() -> None:
    run = RunBuilder()
    team = run.marked("team")
    run.tool("check", run.marked("reviewer", team))
    run.marked("publisher", team)

    graph = run.graph()

    assert match("team -> reviewer, publisher", graph).outcome is PASSED
    assert match("reviewer before publisher", graph).outcome is INSUFFICIENT
    assert match("tool:check before publisher", graph).outcome is INSUFFICIENT
    assert match("publisher before reviewer", graph).outcome is FAILED
    assert match("reviewer -> publisher", graph).outcome is FAILED


def test_insufficient_evidence_is_no_assertion_that_holds() -> None:
    with pytest.raises(AssertionError, match="cannot be told from this trace"):
        assert_topology(_foreign().graph(), "planner -> writer")


def test_discovery_states_nothing_that_was_not_recorded() -> None:
    assert topology_of(_foreign().graph()).splitlines() == ["planner", "writer", "writer => search"]


def test_a_task_without_a_link_has_a_cause_that_was_lost() -> None:
    run = chain("plan", "write")
    run.spans[-1].links = ()

    result = match("plan -> write; never START -> write", run.graph())

    assert [one.outcome for one in result.verdicts] == [INSUFFICIENT, INSUFFICIENT]
    assert "no cause of write#1 is recorded" in result.text


def test_an_agent_inside_the_task_of_its_name_is_that_task() -> None:
    run = RunBuilder()
    task = run.task("writer")
    model = run.task("model", inside=run.marked("writer", task))
    run.task("publish", task)

    assert (
        match("START -> agent:writer{1} -> publish; writer -> model; never writer/writer", run.graph()).outcome
        is PASSED
    )
    assert model


def test_an_agent_that_a_tool_calls_is_called_by_the_agent_around_the_tool() -> None:
    run = RunBuilder()
    lead = run.task("lead", agent="lead")
    model = run.task("model", inside=lead)
    tools = run.task("tools", model, inside=lead, kind="send")
    run.marked("searcher", run.tool("ask_searcher", tools))

    assert match("lead -> searcher; lead => ask_searcher; never START -> searcher", run.graph()).outcome is PASSED
    assert "lead -> searcher" in topology_of(run.graph())
    assert RUN
