"""An app that saves its thread in a file, for segments that start from checkpoints: prints which node runs."""

from __future__ import annotations

import sys
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph

from tests.unit.replay.changed_app import said


class State(TypedDict, total=False):
    text: str


def build(saver: Any) -> Any:
    def step(name: str) -> Any:
        def run(state: State) -> State:
            print(f"ran {name}")
            return {"text": said(name, state["text"])}

        return run

    graph = StateGraph(State)
    before = START
    for name in ("one", "two", "three"):
        graph.add_node(name, step(name))
        graph.add_edge(before, name)
        before = name
    return graph.compile(name="saved", checkpointer=saver)


if __name__ == "__main__":
    with SqliteSaver.from_conn_string(sys.argv[1]) as opened:
        print(build(opened).invoke({"text": "x"}, {"configurable": {"thread_id": "a"}})["text"])
