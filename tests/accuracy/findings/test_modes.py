"""Amnesia, disagreement and needless series, found in runs of LangGraph; and near misses."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, TypedDict

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langgraph.graph import END, START, StateGraph

from otel_mas.model import Severity
from tests.accuracy.findings.conftest import Found
from tests.accuracy.topologies.model import ScriptedModel, listed, restates


class State(TypedDict, total=False):
    question: str
    opening: str
    cost: int
    plan: str
    answer: str


SAYS = ScriptedModel(script=restates("Report"))


def say(*lines: str) -> str:
    return str(SAYS.invoke([SystemMessage("You report."), HumanMessage("\n".join(lines))]).content)


def chain(**nodes: Any) -> None:
    """Run a graph of these nodes in a row."""
    graph = StateGraph(State)
    before = START
    for name, node in nodes.items():
        graph.add_node(name, node)
        graph.add_edge(before, name)
        before = name
    graph.add_edge(before, END)
    graph.compile(name="town").invoke({"question": "When can the tram line open?"})


# -- amnesia -----------------------------------------------------------------------------------------------------------


def researcher(state: State) -> State:
    return {"opening": "2041-05-03", "cost": 56_800}


def test_a_node_forgets_a_field(found: Found) -> None:
    chain(researcher=researcher, writer=lambda state: {"answer": say(listed(opening=None, cost=state["cost"]))})

    (one,) = found("causal-amnesia")
    assert (one.severity, one.subject) == (Severity.ERROR, "researcher -> writer: opening")
    assert "2041-05-03" in one.summary


def test_a_node_reads_all_of_it(found: Found) -> None:
    chain(
        researcher=researcher,
        writer=lambda state: {"answer": say(listed(opening=state["opening"], cost=state["cost"], riders=None))},
    )
    assert not found("causal-amnesia")


def test_a_field_that_was_cleared_is_not_forgotten(found: Found) -> None:
    chain(
        researcher=researcher,
        checker=lambda state: {"opening": None},
        writer=lambda state: {"answer": say(listed(opening=state["opening"]))},
    )
    assert not found("causal-amnesia")


# -- disagreement ------------------------------------------------------------------------------------------------------


def debate(judge: Any) -> None:
    """Two branches that contradict each other, and a judge."""
    graph = StateGraph(State)
    graph.add_node("advocate", lambda state: {"plan": say(listed(verdict="yes"))})
    graph.add_node("opponent", lambda state: {"opening": say(listed(verdict="no"))})
    graph.add_node("judge", judge)
    graph.add_edge(START, "advocate")
    graph.add_edge(START, "opponent")
    graph.add_edge(["advocate", "opponent"], "judge")
    graph.add_edge("judge", END)
    graph.compile(name="debate").invoke({"question": "When can the tram line open?"})


def test_a_judge_reads_one_side(found: Found) -> None:
    debate(lambda state: {"answer": say("- " + state["plan"].removeprefix("Report. "))})

    (one,) = found("emergent-disagreement")
    assert one.severity is Severity.ERROR
    assert one.subject == "advocate and opponent: verdict"
    assert "that of advocate prevailed" in one.summary


def test_a_judge_reads_both_sides(found: Found) -> None:
    debate(lambda state: {"answer": say(state["plan"], state["opening"])})

    (one,) = found("emergent-disagreement")
    assert one.severity is Severity.INFO
    assert "judge read both" in one.summary


def test_the_next_node_corrects_the_one_before(found: Found) -> None:
    chain(
        advocate=lambda state: {"plan": say(listed(verdict="yes"))},
        opponent=lambda state: {"plan": say(state["plan"], listed(verdict="no"))},
        judge=lambda state: {"answer": say(state["plan"])},
    )
    assert not found("emergent-disagreement")


# -- series ------------------------------------------------------------------------------------------------------------

TEXTS = {
    "Tell its history.": "The tram line closed long ago after sixty years of service",
    "Who complains?": "People near the depot complain about screeching wheels",
}


def slow(messages: Sequence[BaseMessage]) -> str:
    time.sleep(0.1)
    return TEXTS.get(str(messages[-1].content), "In short, it is about trams and wheels")


SLOW = ScriptedModel(script=slow)


def ask_slowly(prompt: str) -> str:
    return str(SLOW.invoke([HumanMessage(prompt)]).content)


def test_two_nodes_in_a_row_that_have_nothing_to_do_with_each_other(found: Found) -> None:
    chain(
        historian=lambda state: {"plan": ask_slowly("Tell its history.")},
        neighbour=lambda state: {"opening": ask_slowly("Who complains?")},
        writer=lambda state: {"answer": ask_slowly(f"Sum up: {state['plan']}; {state['opening']}")},
    )

    (one,) = found("latency-stacking", stacking_seconds=0.05)
    assert one.subject == "historian -> neighbour"
    assert one.saves_ns is not None
    assert one.saves_ns > 0.08e9
    assert not found("latency-stacking")


def test_a_node_that_reads_what_the_one_before_wrote(found: Found) -> None:
    chain(
        historian=lambda state: {"plan": ask_slowly("Tell its history.")},
        writer=lambda state: {"answer": ask_slowly(f"Sum up: {state['plan']}")},
    )
    assert not found("latency-stacking", stacking_seconds=0.05)


# -- corrections -------------------------------------------------------------------------------------------------------

ECHO = ScriptedModel(script=lambda messages: str(messages[-1].content))


def echo(text: str) -> str:
    return str(ECHO.invoke([HumanMessage(text)]).content)


def test_a_correction_that_the_writer_does_not_read(found: Found) -> None:
    chain(
        surveyor=lambda state: {"plan": echo("The bridge takes a cost of 30 million.")},
        reviewer=lambda state: {"opening": echo("Correction: the cost of the bridge is 40 million, not 30 million.")},
        writer=lambda state: {"answer": echo(f"In short: {state['plan']}")},
    )

    (one,) = found("retracted-statement-used")
    assert (one.severity, one.subject) == (Severity.ERROR, "reviewer -> writer: bridge")


def test_a_correction_that_the_writer_reads(found: Found) -> None:
    chain(
        surveyor=lambda state: {"plan": echo("The bridge takes a cost of 30 million.")},
        reviewer=lambda state: {"opening": echo("Correction: the cost of the bridge is 40 million, not 30 million.")},
        writer=lambda state: {"answer": echo(f"In short: {state['plan']} {state['opening']}")},
    )
    assert not found("retracted-statement-used")


# -- constraints -------------------------------------------------------------------------------------------------------


def test_a_constraint_gets_lost_on_the_way(found: Found) -> None:
    books = ScriptedModel(script=lambda messages: "The hotel costs 800 EUR.")
    chain(
        planner=lambda state: {"plan": echo("First a hotel. The hotel must not exceed 500 EUR.")[:14]},
        booker=lambda state: {"answer": str(books.invoke([HumanMessage(state["plan"])]).content)},
    )

    (one,) = found("causal-amnesia")
    assert (one.severity, one.subject) == (Severity.ERROR, "planner -> booker: constraint")


def test_a_constraint_that_is_handed_on(found: Found) -> None:
    books = ScriptedModel(script=lambda messages: "The hotel costs 800 EUR.")
    chain(
        planner=lambda state: {"plan": echo("First a hotel. The hotel must not exceed 500 EUR.")},
        booker=lambda state: {"answer": str(books.invoke([HumanMessage(state["plan"])]).content)},
    )
    assert not found("causal-amnesia")
