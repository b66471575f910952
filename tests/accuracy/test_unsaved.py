"""Runs whose checkpoints or writes cannot be saved, which LangGraph does in the background."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START

import otel_mas
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RunOutcome
from tests.accuracy.cases.building import State, graph_of


class NoCheckpoints(InMemorySaver):
    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        if metadata["step"] >= 1:
            raise OSError("disk full")
        return super().put(config, checkpoint, metadata, new_versions)


class NoWrites(InMemorySaver):
    def put_writes(self, *args: Any, **kwargs: Any) -> None:
        raise OSError("disk full")


def nothing(state: State) -> State:
    return {}


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("saver", "durability"),
    [
        (NoCheckpoints, "sync"),
        (NoCheckpoints, "async"),
        (NoCheckpoints, "exit"),
        (NoWrites, "sync"),
        (NoWrites, "async"),
    ],
)
def test_a_run_that_raised_what_its_saver_raised_has_failed(
    saver: type[InMemorySaver], durability: Any, asynchronous: bool, recorded: Path
) -> None:
    graph = graph_of("", [(START, "a"), ("a", "b")], a=nothing, b=nothing).compile(checkpointer=saver())
    thread: Any = {"configurable": {"thread_id": "1"}}

    def run() -> None:
        if asynchronous:
            asyncio.run(graph.ainvoke({}, thread, durability=durability))
        else:
            graph.invoke({}, thread, durability=durability)

    with pytest.raises(OSError, match="disk full"):
        run()
    otel_mas.flush()
    with otel_mas.open(recorded) as source:
        root, *_ = source.latest().spans
        (summary,) = source.traces()
    assert root.get(names.MAS_RUN_OUTCOME) == RunOutcome.ERROR
    assert (root.get(names.ERROR_TYPE), summary.status) == ("OSError", "error")
