"""A team that pauses in one process and is resumed by another: `paused_team.py THREAD DB [ANSWER]`."""

from __future__ import annotations

import sys
from typing import Any

from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt


def says(text: str) -> Any:
    return lambda state: {"messages": [FakeListChatModel(responses=[text]).invoke(state["messages"])]}


def approval(state: MessagesState) -> Any:
    return {"messages": [HumanMessage(interrupt("shall we?"))]}


def team() -> StateGraph[Any]:
    """The researcher speaks before the pause, the writer after it."""
    graph = StateGraph(MessagesState)
    graph.add_node("researcher", says("trams are long"))
    graph.add_node("approval", approval)
    graph.add_node("writer", says("a report on trams"))
    graph.add_edge(START, "researcher")
    graph.add_edge("researcher", "approval")
    graph.add_edge("approval", "writer")
    return graph


def main(thread: str, database: str, answer: str | None = None) -> None:
    with SqliteSaver.from_conn_string(database) as saver:
        given: Any = {"messages": [HumanMessage("trams?")]} if answer is None else Command(resume=answer)
        team().compile(saver, name="team").invoke(given, {"configurable": {"thread_id": thread}})


if __name__ == "__main__":
    main(*sys.argv[1:])
