"""Expected topologies held against real runs of apps of each topology."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import otel_mas
from otel_mas.api.trace import Trace
from otel_mas.evaluate import Outcome
from otel_mas.evaluate.topology import assert_topology, match, topology_of
from tests.accuracy.cases import CASES
from tests.accuracy.cases.case import invoke
from tests.accuracy.topologies import TOPOLOGIES, build

EXPECTED = {
    "pipeline": "START -> intake -> researcher -> analyst -> writer -> END; researcher => {census, timetable}{2}",
    "supervisor": """
        supervisor -> statistician -> supervisor; supervisor -> surveyor -> supervisor; supervisor -> clerk -> END
        statistician => census; surveyor => estimate; never clerk before statistician; never clerk before surveyor
        each supervisor -> *{1}; supervisor -> $worker -> supervisor; $worker => census
    """,
    "hierarchy": """
        chief -> agent:research_team -> agent:writing_team -> END; research_team -> engineer, planner, searcher
        accountant joins {engineer, planner, searcher}{3}; drafter -> proofreader; {searcher, engineer} before drafter
        searcher => census; never writing_team => {tools}
    """,
    "debate": """
        START -> moderator{1} -> advocate{2}, opponent{2} -> gate{2}; gate -> moderator; gate -> judge{1} -> END
        gate joins {advocate, opponent}{2}; advocate => survey{2}; never advocate -> opponent; opponent before judge
    """,
    "map_reduce": """
        planner -send-> counter{2,5}; adder joins counter*; counter -> adder{1} -> reporter; each counter => register{1}
        never reporter before adder; nothing else; adder => add
    """,
    "swarm": "receptionist -> scheduler -> counsellor -> END; never counsellor -> *; scheduler => timetable",
    "blackboard": """
        each {demographer, engineer, scheduler} -> controller{1}; controller{4}; controller{1} -> reporter{1}
        controller -> $expert -> controller; $expert => timetable; never reporter before scheduler
    """,
    "functional": """
        council -call-> count_people, estimate_cost, compare, write; count_people => census
        never count_people -> write; START -> council -> END
    """,
}
"""Topology of each app, as a person writes it who knows the app."""
NEAR_MISSES = {
    "pipeline": ["researcher -> writer", "intake -> analyst", "writer before analyst", "analyst => census"],
    "supervisor": ["statistician -> surveyor", "each supervisor -> statistician", "supervisor -> clerk{2}"],
    "hierarchy": ["chief -> writing_team", "accountant joins drafter", "task:research_team", "engineer before planner"],
    "debate": ["gate -> judge{2}", "each gate -> judge", "advocate before opponent", "gate joins advocate{2}"],
    "map_reduce": [
        "counter -> reporter",
        "counter -> adder{2}",
        "reporter joins counter",
        "planner -handoff-> counter",
    ],
    "swarm": ["scheduler -> receptionist", "receptionist -> counsellor", "{agents}", "receptionist => timetable"],
    "blackboard": ["demographer -> engineer", "controller{3}", "$a -> $b -> $c -> $a", "never engineer => estimate"],
    "functional": ["count_people -> compare", "START -> write", "council -> write{2}", "compare => census"],
}
"""Statements that resemble the topology of each app, and are not true of it."""


@pytest.fixture
def run(recorded: Path) -> Callable[[str], Trace]:
    def run(topology: str) -> Trace:
        build(topology, 1).run()
        otel_mas.flush(30)
        with otel_mas.open(recorded) as source:
            (summary,) = source.traces()
            return source.trace(summary.trace_id)

    return run


@pytest.mark.parametrize("topology", EXPECTED)
def test_a_run_has_the_topology_of_its_app_and_none_that_resembles_it(
    topology: str, run: Callable[[str], Trace]
) -> None:
    trace = run(topology)

    assert_topology(trace, EXPECTED[topology])
    for statement in NEAR_MISSES[topology]:
        assert match(statement, trace).outcome is Outcome.FAILED, statement


@pytest.mark.parametrize("topology", [one for one in TOPOLOGIES if one != "team"])
def test_a_discovered_topology_holds_of_its_run(topology: str, run: Callable[[str], Trace]) -> None:
    trace = run(topology)

    for inside in (False, True):
        for counts in (False, True):
            assert_topology(trace, topology_of(trace, inside=inside, counts=counts) + "\nnothing else")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "supervisor_and_an_agent",
            "START -> supervisor{1} -handoff-> research{1} -> supervisor{1}; research => weather",
        ),
        ("swarm", "START -> alice{1} -handoff-> bob{1}; never bob -> alice; START -> bob{1}; never bob => weather"),
        ("several_senders", "{a, b, c} -send-> worker{6}; a -> worker{2}; c -> worker{1}; gather joins worker{6}"),
        (
            "tasks_that_call_tasks",
            "flow -call-> outer{2} -call-> inner{2}; each outer -> inner{1}; never flow -> inner",
        ),
    ],
)
def test_apps_of_prebuilt_parts_have_their_topologies(name: str, expected: str, recorded: Path) -> None:
    (case,) = (one for one in CASES if one.name == name)
    if case.lacks:
        pytest.skip(case.lacks)
    thread = case.execute(invoke)
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        assert_topology(source.conversation(thread), expected)
