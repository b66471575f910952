"""Agents that wait in a circle, all that is open waiting for who has ended, and joins that cannot fill."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from otel_mas.analyse.findings.deadlock import deadlock
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

S = 10**9
PEER, KIND = names.MAS_MESSAGE_PEER, names.MAS_RECORD_KIND
GRAPH = {names.GEN_AI_OPERATION_NAME: "invoke_workflow", names.GEN_AI_AGENT_NAME: "press"}


def agent(name: str, end: int | None = None) -> Span:
    return made.agent(f"{name}1", S, end, "run")  # type: ignore[arg-type]


def exchange(kind: str, name: str, peer: str, at_s: int = 2) -> Span:
    return made.span(f"{kind} {name} {at_s}", at_s * S, at_s * S, f"{name}1", **{KIND: kind, PEER: peer})


def open_run(*spans: Span, now_s: int = 200, **thresholds: float) -> list[Finding]:
    return list(deadlock(facts(made.span("run", 0, None), *spans, now_ns=now_s * S, **thresholds)))


CIRCLE = (agent("buyer"), agent("seller"), exchange("SEND", "buyer", "seller"), exchange("SEND", "seller", "buyer"))


def test_agents_that_wait_in_a_circle() -> None:
    (found,) = open_run(*CIRCLE)

    assert (found.severity, found.subject) == (Severity.ERROR, "buyer -> seller")
    assert found.summary == "buyer waits for seller waits for buyer, for 3m 18s now"
    assert found.spans[:2] == ("SEND buyer 2", "SEND seller 2")
    assert "inferred" in found.rests_on


def test_a_moment_is_no_deadlock_and_the_threshold_can_be_set() -> None:
    assert open_run(*CIRCLE, now_s=30) == []
    assert len(open_run(*CIRCLE, now_s=30, deadlock_after_s=10)) == 1


@pytest.mark.parametrize(
    "more",
    [
        exchange("RECEIVE", "seller", "buyer", at_s=3),
        made.call("call1", 3 * S, None, "seller1"),  # type: ignore[arg-type]
        made.call("call1", 3 * S, 4 * S, "seller1"),
    ],
    ids=["has heard of it", "is at work", "worked after sending"],
)
def test_who_does_something_else_does_not_wait(more: Span) -> None:
    assert open_run(*CIRCLE, more) == []


def test_all_that_is_open_waits_for_who_has_ended() -> None:
    waiting = (agent("buyer"), exchange("SEND", "buyer", "seller"))
    (found,) = open_run(*waiting, agent("seller", end=2 * S))

    assert found.summary == "all that is open waits: buyer waits for seller, which has ended"
    assert open_run(*waiting) == [], "of the seller nothing is known"
    assert open_run(*waiting, agent("seller", end=2 * S), agent("lawyer")) == [], "the lawyer is at work"


def graph(acted: Sequence[str], edges: Sequence[str], outcome: str = "ok", choice: str | None = None) -> list[Finding]:
    """Findings about a run of a graph of nodes a, b, c and joined, in which some of them acted."""
    nodes = {names.MAS_GRAPH_NODES: ("a", "b", "c", "joined"), names.MAS_GRAPH_EDGES: tuple(edges)}
    run = made.span("run", 0, 100, run_outcome=outcome, **GRAPH, **nodes)
    tasks = [
        made.task(f"{name}1", 10 * i + 1, 10 * i + 9, "run", task_name=name, task_step=1, task_outcome="ok")
        for i, name in enumerate(acted)
    ]
    chosen = {KIND: "ROUTING_DECISION", names.MAS_ROUTING_CHOICE: (choice,)}
    decisions = [made.span("route", 18, 19, "b1", **chosen)] if choice else []
    return list(deadlock(facts(run, *tasks, *decisions)))


STARTS = ("edge|__start__|a", "edge|__start__|b", "join|a|c|joined")
AFTER_ITSELF = (*STARTS, "edge|joined|c")
OTHER_BRANCH = (*STARTS, "branch|b|c", "branch|b|__end__", "branch|b|a")


def test_a_join_that_waits_for_what_comes_after_it() -> None:
    (found,) = graph(["a", "b"], AFTER_ITSELF)

    assert (found.severity, found.confidence, found.subject) == (Severity.ERROR, 1.0, "c -> joined")
    assert found.summary == "joined never ran: its join waits for c, which can only run after joined"
    assert found.spans[0] == "a1"


def test_a_join_whose_other_branch_was_not_taken() -> None:
    (found,) = graph(["a", "b"], OTHER_BRANCH, choice="a")

    assert (found.severity, found.confidence) == (Severity.WARNING, 0.6)
    assert found.summary == "joined never ran: its join waits for c, which did not run"


def test_a_branch_that_chose_the_end_meant_it() -> None:
    assert graph(["a", "b"], OTHER_BRANCH, choice="__end__") == []


def test_a_join_that_filled_or_never_began_to_is_none() -> None:
    assert graph(["a", "b", "c", "joined"], OTHER_BRANCH) == []
    assert graph(["b"], OTHER_BRANCH) == []


@pytest.mark.parametrize("outcome", ["error", "interrupted", "cancelled", "abandoned"])
def test_a_run_that_did_not_end_well_is_none(outcome: str) -> None:
    assert graph(["a", "b"], AFTER_ITSELF, outcome) == []
