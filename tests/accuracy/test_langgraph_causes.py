"""The control edges of LangGraph apps, edge by edge, against truths written by hand from reading the apps.

The apps and their truths are those of `../shared/prototypes/langgraph`. A truth names a task `name#k`, the how-manieth
distinct task of that name; `outer#1/inner#1` in a subgraph. `__start__` is no span: it stands for what encloses it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from langgraph.types import Command

import otel_mas

CONTROL = {"trigger", "send", "handoff", "call", "error_handler"}


@pytest.fixture(scope="module")
def apps(shared_data: Callable[[str], Path]) -> Iterator[ModuleType]:
    path = shared_data("../prototypes/langgraph/apps.py")
    spec = importlib.util.spec_from_file_location("prototype_apps", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["prototype_apps"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["prototype_apps"]


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


def enclosing(label: str) -> str | None:
    """What a `__start__` stands for: the enclosing task, or at the outermost level the workflow, which is no task."""
    head, _, last = label.rpartition("/")
    if not last.startswith("__start__#"):
        return label
    return head or None


def expected(apps: ModuleType, app: str) -> set[tuple[str, str]]:
    edges = ((enclosing(cause), enclosing(effect)) for cause, effect in getattr(apps, f"{app}_TRUTH"))
    return {(cause, effect) for cause, effect in edges if cause is not None and effect is not None}


@pytest.mark.parametrize("way", [invoke, ainvoke, stream, astream], ids=lambda way: way.__name__)
@pytest.mark.parametrize("app", RUNS)
def test_the_control_edges_are_those_of_the_app(
    app: str, way: Callable[..., None], apps: ModuleType, recorded: Path
) -> None:
    thread = run_app(apps, app, way)
    assert otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        graph = source.conversation(thread).graph()
    labels = graph.labels()
    found = {(labels[e.cause], labels[e.effect]) for e in graph.control_edges() if e.kind in CONTROL}
    assert found == expected(apps, app)
    assert not graph.problems


def test_a_resumed_task_is_linked_to_its_pause_and_keeps_its_triggers(apps: ModuleType, recorded: Path) -> None:
    thread = run_app(apps, "E", invoke)
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        graph = source.conversation(thread).graph()
    labels = graph.labels()
    edges = [(labels[e.cause], labels[e.effect], e.kind) for e in graph.control_edges()]
    assert edges.count(("review#1", "review#1", "resume")) == 1
    assert edges.count(("review#2", "review#2", "resume")) == 1
    # Once where it paused, once where it went on.
    assert edges.count(("draft#1", "review#1", "trigger")) == 2


def test_a_handoff_is_no_error_and_names_its_mechanism(apps: ModuleType, recorded: Path) -> None:
    thread = run_app(apps, "C", invoke)
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        conversation = source.conversation(thread)
        graph = conversation.graph()
    labels = graph.labels()
    handoffs = {(labels[e.cause], labels[e.effect]) for e in graph.control_edges() if e.kind == "handoff"}
    assert handoffs == {("alice#1", "bob#1"), ("bob#1", "alice#2")}
    assert not [s.name for s in graph.spans if s.status.name == "ERROR"]
