"""Growth, budgets and failures that come with a modality, found in runs of LangGraph; and near misses."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage, RemoveMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

from tests.accuracy.findings.conftest import Found
from tests.accuracy.topologies.model import ScriptedModel

PARAGRAPH = "the tram runs along the river and back again " * 40
PICTURE = [
    {"type": "text", "text": "What is it?"},
    {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
]


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    notes: Annotated[list[str], operator.add]
    turns: int


def loop(turns: int, *, forget: bool = False) -> None:
    """An agent that reads all that it wrote, for so many turns; or only the last two messages."""
    model = ScriptedModel(script=lambda messages: f"{len(messages)} {PARAGRAPH}")

    def speaker(state: State) -> dict[str, Any]:
        done = state.get("turns", 0) + 1
        old = [RemoveMessage(id=str(one.id)) for one in state["messages"][:-2]] if forget else []
        return {"messages": [*old, model.invoke(state["messages"])], "turns": done}

    graph = StateGraph(State)
    graph.add_node("speaker", speaker)
    graph.add_edge(START, "speaker")
    graph.add_conditional_edges("speaker", lambda state: "speaker" if state["turns"] < turns else END)
    graph.compile().invoke({"messages": [HumanMessage(PARAGRAPH)]})


def test_a_history_that_is_never_cut_grows(found: Found) -> None:
    loop(7)

    (one,) = found("token-growth", token_growth_tokens=2000)
    assert one.subject == "speaker"
    assert "over 7 model calls" in one.summary
    assert len(found("memory-growth", memory_growth_size=10_000)) == 1


def test_a_history_that_is_cut_does_not(found: Found) -> None:
    loop(7, forget=True)

    assert not found("token-growth", token_growth_tokens=2000)
    assert not found("memory-growth", memory_growth_size=10_000)


def test_what_is_added_to_a_channel_grows(found: Found) -> None:
    def note(state: State) -> State:
        return {"notes": [PARAGRAPH], "turns": state.get("turns", 0) + 1}

    graph = StateGraph(State)
    graph.add_node("note", note)
    graph.add_edge(START, "note")
    graph.add_conditional_edges("note", lambda state: "note" if state["turns"] < 8 else END)
    graph.compile().invoke({"turns": 0})

    (one,) = found("memory-growth", memory_growth_size=10_000)
    assert (one.subject, one.confidence) == ("notes", 1.0)
    assert "over 8 writes, by note" in one.summary
    assert not found("memory-growth")


@pytest.mark.parametrize(("blind", "findings"), [(True, 1), (False, 0)])
def test_failures_that_come_with_pictures(found: Found, blind: bool, findings: int) -> None:
    def look(messages: Sequence[BaseMessage]) -> str:
        content = messages[-1].content
        number = int(str(content if isinstance(content, str) else content[-1]["text"]).rpartition("#")[2])
        if isinstance(content, list) if blind else number % 3 == 1:
            raise ValueError("400 unsupported content")
        return "a tram"

    model = ScriptedModel(script=look)

    def viewer(state: State) -> State:
        for number in range(8):
            for content in ([*PICTURE, {"type": "text", "text": f"#{number}"}], f"What is it? #{number}"):
                try:
                    model.invoke([HumanMessage(content)])
                except ValueError:
                    continue
        return {"turns": 1}

    graph = StateGraph(State)
    graph.add_node("viewer", viewer)
    graph.add_edge(START, "viewer")
    graph.compile().invoke({"turns": 0})

    told = found("modality-failures")
    assert len(told) == findings
    assert all(one.subject == "scripted-small: image" and "8 of 8" in one.summary for one in told)


def test_a_budget_is_overrun(found: Found) -> None:
    loop(3)

    assert not found("budget-overrun")
    (one,) = found("budget-overrun", budget_tokens=1000)
    assert one.subject.endswith(": tokens")
    assert not found("budget-overrun", budget_tokens=100_000, budget_seconds=600)
