"""A small LangGraph app that knows nothing of otel-mas: parallel researchers with a tool, a join, a routed reviewer."""

import operator
import sys
from typing import Annotated, TypedDict

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    messages: Annotated[list[AnyMessage], operator.add]
    rounds: int


@tool
def search(query: str) -> str:
    """Look something up."""
    return f"about {query}: api_key=sk-live-0123456789abcdef0123"


def says(text: str) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([AIMessage(text)]))


def plan(state: State) -> dict:
    return {"messages": [says("look at north and south").invoke(state["messages"])]}


def north(state: State) -> dict:
    return {"messages": [HumanMessage(search.invoke({"query": "north"}))]}


def south(state: State) -> dict:
    return {"messages": [HumanMessage(search.invoke({"query": "south"}))]}


def write(state: State) -> dict:
    text = "".join(part.content for part in says("it is colder up there").stream(state["messages"]))
    return {"messages": [AIMessage(text)], "rounds": state["rounds"] + 1}


def enough(state: State) -> str:
    return "done" if state["rounds"] > 1 else "again"


graph = StateGraph(State)
for node in (plan, north, south, write):
    graph.add_node(node)
graph.add_edge(START, "plan")
graph.add_edge("plan", "north")
graph.add_edge("plan", "south")
graph.add_edge(["north", "south"], "write")
graph.add_conditional_edges("write", enough, {"again": "plan", "done": END})
team = graph.compile(checkpointer=InMemorySaver(), name="team")

if __name__ == "__main__":
    config = {"configurable": {"thread_id": "thread-1"}}
    for message in team.invoke({"messages": [HumanMessage("compare")], "rounds": 0}, config)["messages"]:
        print(message.type, message.content)
    sys.exit(3)
