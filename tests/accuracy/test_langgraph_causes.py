"""The control edges of LangGraph apps, edge by edge, against truths written by hand from reading the apps.

The apps and their truths are those of `../shared/prototypes/langgraph`. A truth names a task `name#k`, the how-manieth
distinct task of that name; `outer#1/inner#1` in a subgraph. `__start__` is no span: it stands for what encloses it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import otel_mas
from tests.accuracy.prototypes import RUNS, ainvoke, astream, invoke, run_app, stream

CONTROL = {"trigger", "send", "handoff", "call", "error_handler"}


def enclosing(label: str) -> str | None:
    """The task that a `__start__` stands for: the enclosing one, or None where that is the workflow."""
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
