"""The apps of `../shared/prototypes/langgraph`, and the ways in which a person runs them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from langgraph.types import Command


def invoke(graph: Any, given: Any, config: dict[str, Any]) -> None:
    graph.invoke(given, config)


def ainvoke(graph: Any, given: Any, config: dict[str, Any]) -> None:
    asyncio.run(graph.ainvoke(given, config))


def stream(graph: Any, given: Any, config: dict[str, Any]) -> None:
    for _ in graph.stream(given, config, stream_mode=["updates", "messages"], subgraphs=True):
        pass


def astream(graph: Any, given: Any, config: dict[str, Any]) -> None:
    async def consume() -> None:
        async for _ in graph.astream(given, config, stream_mode="values"):
            pass

    asyncio.run(consume())


# app → (inputs of its invocations, the error that it ends with)
RUNS: dict[str, tuple[list[Any], type[Exception] | None]] = {
    "A": ([None], None),
    "B": ([None], None),
    "C": ([None], None),
    "D": ([None], ValueError),
    "E": ([{}, Command(resume="no"), Command(resume="yes")], None),
    "G": ([2, Command(resume="yes")], None),
}


def run_app(apps: ModuleType, app: str, way: Callable[..., None]) -> str:
    """Run every invocation of an app on a new thread, and return the thread."""
    graph = getattr(apps, f"build_{app}")()
    thread = str(uuid.uuid4())
    inputs, error = RUNS[app]
    for given in inputs:
        config = {"configurable": {"thread_id": thread}}
        given = getattr(apps, f"{app}_IN") if given is None else given
        if error is None:
            way(graph, given, config)
        else:
            with pytest.raises(error):
                way(graph, given, config)
    return thread
