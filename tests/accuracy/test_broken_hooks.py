"""A hook that does not fit, or whose own work fails, harms neither the app nor what the others record."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.instrumentation.install import FRAMEWORKS, hook_table
from otel_mas.instrumentation.langchain.models import ModelCalls
from otel_mas.instrumentation.langgraph.hook_table import UPDATES
from otel_mas.instrumentation.langgraph.runs import GraphRun, TaskRun
from otel_mas.instrumentation.langgraph.schedule import TASK_RUNS, Schedule
from otel_mas.instrumentation.langgraph.updates import StateUpdate
from otel_mas.instrumentation.patches import Hook
from otel_mas.model import StatusCode
from otel_mas.record import Recorder
from tests.accuracy import broken

HOOKS = [(framework, hook) for framework in FRAMEWORKS for hook in hook_table(framework).hooks]
WAYS: dict[str, Callable[[str], list[Any]]] = {"sync": broken.run, "async": broken.arun}
MISFITS: dict[str, Callable[[Hook], Hook]] = {
    "gone": lambda hook: hook._replace(name=f"{hook.name}_renamed", optional=False),
    "other parameters": lambda hook: hook._replace(parameters=("something", "else")),
}


def label(value: Any) -> str:
    framework, hook = value
    return f"{framework} {hook.owner}.{hook.name}"


@pytest.fixture(scope="module")
def expected() -> dict[str, list[Any]]:
    """The result for callers where nothing is instrumented."""
    otel_mas.shutdown(30)
    return {way: run("bare") for way, run in WAYS.items()}


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user runs it: what fails inside is logged, not raised."""
    monkeypatch.delenv("OTEL_MAS_STRICT")


@pytest.fixture
def store(tmp_path: Path, lenient: None) -> Iterator[Path]:
    yield tmp_path / "runs.db"
    otel_mas.shutdown(30)


def with_hook(framework: str, hook: Hook, changed: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change one hook in the framework's table."""
    table = hook_table(framework)
    changed_table = replace(table, hooks=[changed if one is hook else one for one in table.hooks])
    monkeypatch.setattr(sys.modules[f"otel_mas.instrumentation.{framework}.hook_table"], "HOOK_TABLE", changed_table)


def has_module(hook: Hook) -> bool:
    """Whether the installed framework has the module of a hook."""
    try:
        importlib.import_module(hook.module)
    except ModuleNotFoundError:
        return False
    return True


def is_here(hook: Hook) -> bool:
    """Whether the installed framework has the place of an optional hook."""
    if not has_module(hook):
        return False
    owner: Any = importlib.import_module(hook.module)
    return hasattr(getattr(owner, hook.owner, None) if hook.owner else owner, hook.name)


def misfits() -> list[Any]:
    """A function with other parameters is there; a missing one is reported wherever its module is there."""
    return [
        pytest.param(
            which,
            misfit,
            marks=pytest.mark.skipif(
                not (has_module if misfit == "gone" else is_here)(which[1]),
                reason=f"this version has no {which[1].place}",
            ),
            id=f"{label(which)}-{misfit}",
        )
        for which in HOOKS
        for misfit in MISFITS
    ]


@pytest.mark.parametrize(("which", "misfit"), misfits())
def test_a_hook_that_does_not_fit_is_left_off_and_said_once(
    which: tuple[str, Hook],
    misfit: str,
    store: Path,
    expected: dict[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    framework, hook = which
    changed = MISFITS[misfit](hook)
    with_hook(framework, hook, changed, monkeypatch)
    with caplog.at_level(logging.WARNING, "otel_mas"):
        otel_mas.instrument(store=str(store))
        seen = {way: run(way) for way, run in WAYS.items()}
    assert seen == expected
    warned = [record.getMessage() for record in caplog.records if "does not know this version" in record.getMessage()]
    assert [one.count(changed.place) for one in warned] == [1]
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        for way in WAYS:
            check(source, way, whole=hook.group != UPDATES)


WORK = {
    "a run begins": (GraphRun, "__init__"),
    "first": (Schedule, "first"),
    "ticked": (Schedule, "ticked"),
    "explain": (Schedule, "_explain"),
    "before_writes": (Schedule, "before_writes"),
    "after_writes": (Schedule, "after_writes"),
    "step_over": (Schedule, "step_over"),
    "saved": (Schedule, "saved"),
    "pushed": (Schedule, "pushed"),
    "cache_hit": (Schedule, "cache_hit"),
    "the loop ends": (Schedule, "finish"),
    "a run ends": (GraphRun, "finish"),
    "begin of a task": (TaskRun, "begin"),
    "end of a task": (TaskRun, "finish"),
    "record_routing": (TaskRun, "record_routing"),
    "update begins": (StateUpdate, "begin"),
    "update prepared": (StateUpdate, "prepared"),
    "update before_writes": (StateUpdate, "before_writes"),
    "update after_writes": (StateUpdate, "after_writes"),
    "update saved": (StateUpdate, "saved"),
    "update ends": (StateUpdate, "finish"),
    "a model starts": (ModelCalls, "_start"),
    "a model answers": (ModelCalls, "_record_answer"),
    "a span starts": (Recorder, "start_span"),
    "attributes are set": (Recorder, "set_attributes"),
    "an error is recorded": (Recorder, "record_exception"),
    "messages are kept": (Recorder, "messages"),
}
"""Own work of hooks."""


@pytest.mark.parametrize("work", WORK)
def test_a_hook_whose_own_work_fails_harms_neither_the_app_nor_leaves_spans_open(
    work: str, store: Path, expected: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("our own mistake")

    monkeypatch.setattr(*WORK[work], fail)
    otel_mas.instrument(store=str(store))
    seen = {way: run(way) for way, run in WAYS.items()}
    TASK_RUNS.clear()  # tasks are let go of by what fails here
    assert seen == expected
    assert otel_mas.flush(30)
    if not store.exists():
        assert work == "a span starts"
        return
    with otel_mas.open(store) as source:
        for summary in source.traces(limit=1000):
            spans = {span.span_id: span for span in source.trace(summary.trace_id).spans}
            assert [span.name for span in spans.values() if span.end_ns is None] == []
            assert [
                s.name for s in spans.values() if s.parent_span_id is not None and s.parent_span_id not in spans
            ] == []


def check(source: otel_mas.Source, thread: str, *, whole: bool = True) -> None:
    """Nothing open, nothing orphaned, nothing untrue; and what is there of the graph is all of it."""
    for trace in source.conversation(thread).traces:
        spans = {span.span_id: span for span in trace.spans}
        assert [span.name for span in trace.spans if span.end_ns is None] == []
        assert [s.name for s in trace.spans if s.parent_span_id is not None and s.parent_span_id not in spans] == []
    graph = source.conversation(thread).graph()
    labels = graph.labels()
    edges = [edge for edge in graph.control_edges() if not labels[edge.effect].startswith("inner#1/")]
    certain = {(labels[edge.cause], labels[edge.effect]) for edge in edges if edge.provenance != "inferred"}
    guessed = {(labels[edge.cause], labels[edge.effect]) for edge in edges if edge.provenance == "inferred"}
    assert certain <= broken.EDGES
    if whole:
        assert certain | guessed >= broken.EDGES
        assert {span.task_name for span in graph.spans if span.task_name} == broken.TASKS
    failed = [span for span in graph.spans if span.status == StatusCode.ERROR]
    assert [span.task_name for span in failed] == ["fail"]
