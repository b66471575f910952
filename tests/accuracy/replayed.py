"""An app whose thread is replayed, by another process, from a checkpoint at which a join is half full."""

from __future__ import annotations

import sys

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START

import otel_mas
from tests.accuracy.cases.building import graph_of

EDGES = [(START, "left"), (START, "right"), ("left", "longer"), (["longer", "right"], "join")]


def main(what: str, store: str, checkpoints: str) -> None:
    otel_mas.instrument(store=store)
    with SqliteSaver.from_conn_string(checkpoints) as saver:
        graph = graph_of("left right longer join", EDGES).compile(saver)
        config = {"configurable": {"thread_id": "t"}}
        if what == "first":
            graph.invoke({}, config, durability="sync")
        else:
            half_full = next(state for state in graph.get_state_history(config) if state.next == ("longer",))
            graph.invoke(None, half_full.config, durability="sync")
    otel_mas.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
