"""An app that asks a person and ends; called again with the answer it goes on: `paused_app.py DATABASE [ANSWER]`."""

from __future__ import annotations

import sys
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt

from tests.accuracy.replay.witness import Witness


class Talk(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def talk(_: Talk) -> Any:
    before = Witness(of="before").invoke("the same").content
    answer = interrupt("go on?")
    after = Witness(of="after").invoke("the same").content
    return {"messages": [HumanMessage(f"{before}; {answer}; {after}")]}


def main() -> None:
    graph = StateGraph(Talk)
    graph.add_node("talk", talk)
    graph.add_edge(START, "talk")
    graph.add_edge("talk", END)
    config: Any = {"configurable": {"thread_id": "the thread"}}
    with SqliteSaver.from_conn_string(sys.argv[1]) as saver:
        app = graph.compile(checkpointer=saver)
        given: Any = Command(resume=sys.argv[2]) if len(sys.argv) > 2 else {"messages": [HumanMessage("begin")]}
        app.invoke(given, config)
        print([message.content for message in app.get_state(config).values["messages"]])


if __name__ == "__main__":
    main()
