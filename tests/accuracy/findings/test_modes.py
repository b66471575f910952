"""Amnesia, disagreement and needless series, found in runs of LangGraph; and near misses."""

from __future__ import annotations

from typing import Any, TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
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
