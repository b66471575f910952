"""A small team: a plan, three sections written at once with a tool, and an editor who joins them."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

ASPECTS = ("cost", "riders", "risks")


@tool
def figures(aspect: str) -> str:
    """Look up the figures of one aspect of the tram line."""
    known = {"cost": "38 million", "riders": "5,100 a day", "risks": "one weak bridge"}
    return known[aspect]


class Report(TypedDict, total=False):
    subject: str
    plan: str
    sections: Annotated[list[str], operator.add]
    report: str


class Section(TypedDict):
    aspect: str
    plan: str


def build_team(model: Any = None) -> Any:
    """The team as a compiled graph of LangGraph; by default with a model of OpenAI."""
    chat = model if model is not None else ChatOpenAI(model="gpt-4o-mini")

    def plan(state: Report) -> Report:
        return {"plan": str(chat.invoke(f"Plan a report on {state['subject']}.").content)}

    def write_section(section: Section) -> Report:
        known = figures.invoke({"aspect": section["aspect"]})
        text = chat.invoke(f"Write a sentence on {section['aspect']}: {known}. The plan: {section['plan']}").content
        return {"sections": [f"{section['aspect']}: {text}"]}

    def edit(state: Report) -> Report:
        return {"report": "\n".join(sorted(state["sections"]))}

    def sections(state: Report) -> list[Send]:
        return [Send("write_section", {"aspect": aspect, "plan": state["plan"]}) for aspect in ASPECTS]

    graph = StateGraph(Report)
    graph.add_node("plan", plan)
    graph.add_node("write_section", write_section)
    graph.add_node("edit", edit)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", sections, ["write_section"])
    graph.add_edge("write_section", "edit")
    graph.add_edge("edit", END)
    return graph.compile(name="report_team")
