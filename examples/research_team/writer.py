"""The writer: plans sections, writes them all at once, and puts them together."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send
from pydantic import BaseModel, Field

from examples.research_team.models import Models

OUTLINE = "Plan a short report: give the headings of its sections, four at most."
SECTION = "Write one section of a report, from the facts given, in plain prose, without its heading."
EDIT = "Sum up the sections of a report in three sentences, to stand at its top."


class Outline(BaseModel):
    """The plan of a report."""

    headings: list[str] = Field(description="The headings of the sections, in order.")


class WriterState(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    question: str
    headings: list[str]
    sections: Annotated[list[str], operator.add]
    report: str


class Section(TypedDict):
    """Input of `write_section`."""

    heading: str
    brief: str


def build_writer(models: Models) -> CompiledStateGraph[Any, Any, Any, Any]:
    planner = models.small().with_structured_output(Outline)
    author = models.small(streaming=True)

    def outline(state: WriterState) -> WriterState:
        plan = planner.invoke([SystemMessage(OUTLINE), HumanMessage(_brief(state))])
        assert isinstance(plan, Outline)
        return {"headings": plan.headings[:4]}

    def each_section(state: WriterState) -> list[Send]:
        brief = _brief(state)
        return [Send("write_section", Section(heading=heading, brief=brief)) for heading in state["headings"]]

    def write_section(state: Section) -> WriterState:
        asked = f"Section: {state['heading']}\n{state['brief']}"
        text = author.invoke([SystemMessage(SECTION), HumanMessage(asked)]).text
        return {"sections": [f"## {state['heading']}\n\n{text}"]}

    def edit(state: WriterState) -> WriterState:
        body = "\n\n".join(state["sections"])
        asked = f"Question: {state['question']}\n\n{body}"
        summary = author.invoke([SystemMessage(EDIT), HumanMessage(asked)]).text
        report = f"{summary}\n\n{body}"
        return {"report": report, "messages": [AIMessage(report, name="writer")]}

    graph = StateGraph(WriterState)
    graph.add_node("outline", outline)
    graph.add_node("write_section", write_section, input_schema=Section)
    graph.add_node("edit", edit)
    graph.add_edge(START, "outline")
    graph.add_conditional_edges("outline", each_section, ["write_section"])
    graph.add_edge("write_section", "edit")
    graph.add_edge("edit", END)
    return graph.compile(name="writer")


def _brief(state: WriterState) -> str:
    """The question, the researcher's facts, and the wish of the human, if any."""
    facts = next(message for message in reversed(state["messages"]) if message.name == "researcher")
    wishes = [message.text for message in state["messages"] if message.name == "reader"]
    wish = f"\nWish: {wishes[-1]}" if wishes else ""
    return f"Question: {state['question']}{wish}\nFacts:\n{facts.text}"
