"""An app for replays with changes: prints when a model is really called, and its answer."""

from __future__ import annotations

from typing import Any, TypedDict

from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, StateGraph

from tests.accuracy.topologies.model import ScriptedModel


class State(TypedDict, total=False):
    left: str
    right: str
    report: str


def said(name: str, text: str) -> str:
    def script(messages: Any) -> str:
        print(f"really called {name}")
        return f"{name} of ({messages[-1].content})"

    return str(ScriptedModel(script=script).invoke([HumanMessage(text)]).content)


def stub(call: Any) -> str:
    return f"stub of {call.asked[-1].content}"


def build() -> Any:
    graph = StateGraph(State)
    graph.add_node("left", lambda state: {"left": said("left", "trams").upper()})
    graph.add_node("right", lambda state: {"right": said("right", "trams")})
    graph.add_node("report", lambda state: {"report": said("report", f"{state['left']} | {state['right']}")})
    graph.add_edge(START, "left")
    graph.add_edge(START, "right")
    graph.add_edge(["left", "right"], "report")
    graph.add_edge("report", END)
    return graph.compile(name="changed")


if __name__ == "__main__":
    print(build().invoke({})["report"])
