"""Apps that the blocks of docs/replay.md, docs/evaluate.md and docs/topology.md speak of."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.messages import AnyMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command

from tests.accuracy.topologies.model import ScriptedModel, ask
from tests.fixtures import publishing


class Priced(ScriptedModel):
    """A scripted model that has a list price."""

    model: str = "gpt-4.1-mini"

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_provider": "openai", "ls_model_name": self.model, "ls_model_type": "chat"}


class Writing(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    notes: str
    cost: int


@tool
def search(query: str) -> str:
    """Search the archive."""
    return f"{query}: 12 stops, 38 million"


def plan(state: Writing) -> Command[Literal["researcher", "writer"]]:
    return Command(goto="researcher", update={"cost": 40})


def researcher(state: Writing) -> Writing:
    query = ask(Priced(script=lambda _: "trams"), "Name a query.", str(state["messages"][-1].content))
    found = search.invoke({"query": query})
    return {"notes": ask(Priced(script=lambda _: "The line has 12 stops."), "Make notes.", found)}


def writer(state: Writing) -> Any:
    text = f"{state.get('notes')} It costs {state['cost']} million."
    return {"messages": [("ai", ask(Priced(script=lambda _: text), "Write.", text))]}


def _writing() -> Any:
    found = StateGraph(Writing)
    found.add_node("plan", plan)
    found.add_node("researcher", researcher)
    found.add_node("writer", writer)
    found.add_edge(START, "plan")
    found.add_edge("researcher", "writer")
    found.add_edge("writer", END)
    return found.compile(name="writing")


class Asked(TypedDict, total=False):
    question: str
    answer: str


def answer(state: Asked) -> Asked:
    found = search.invoke({"query": state["question"]})
    return {"answer": ask(Priced(script=lambda _: "Yes, and it costs 38 million."), "Answer.", found)}


def _asking() -> Any:
    found = StateGraph(Asked)
    found.add_node("supervisor", lambda state: {})
    found.add_node("researcher", answer)
    found.add_edge(START, "supervisor")
    found.add_edge("supervisor", "researcher")
    found.add_edge("researcher", END)
    return found.compile(name="asking")


graph = _writing()
state = {"messages": [("user", "Write about trams.")]}
stub = cheap_model = Priced(script=lambda _: "A stub's text.")
RUNS = {
    "writing": lambda: graph.invoke(state),
    "asking": lambda: _asking().invoke({"question": "Should Elmstead reopen its tram line?"}),
    "publishing": publishing.run,
}

if __name__ == "__main__":
    RUNS[sys.argv[1] if len(sys.argv) > 1 else "writing"]()
