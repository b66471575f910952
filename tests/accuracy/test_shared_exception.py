"""One exception object in several tasks: each task raised it, or one only received it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from langgraph.func import entrypoint, task
from langgraph.graph import START

import otel_mas
from otel_mas.model import StatusCode
from otel_mas.semconv import attributes as names
from tests.accuracy.cases.building import State, graph_of


def test_each_task_that_raised_it_failed_by_itself_and_the_run_names_one_of_them(recorded: Path) -> None:
    shared, both = ValueError("boom"), threading.Barrier(2)

    def fails(state: State) -> State:
        both.wait(10)
        raise shared

    graph = graph_of("", [(START, "left"), (START, "right")], left=fails, right=fails).compile()
    with pytest.raises(ValueError, match="boom"):
        graph.invoke({})
    otel_mas.flush()
    with otel_mas.open(recorded) as source:
        spans = source.latest().spans
    run, *tasks = spans
    for failed in tasks:
        assert failed.status == StatusCode.ERROR
        assert [event.name for event in failed.events] == ["exception"]
        assert failed.get(names.MAS_ERROR_SPAN) is None
    assert len(tasks) == 2
    assert run.get(names.MAS_ERROR_SPAN) in {f"{failed.trace_id}-{failed.span_id}" for failed in tasks}


def test_an_error_that_comes_up_through_who_called_the_task_is_an_error_once(recorded: Path) -> None:
    @task
    def called() -> None:
        raise ValueError("boom")

    @task
    def caller() -> None:
        called().result()

    @entrypoint()
    def main(_: int) -> None:
        caller().result()

    with pytest.raises(ValueError, match="boom"):
        main.invoke(1)
    otel_mas.flush()
    with otel_mas.open(recorded) as source:
        spans = {span.name: span for span in source.latest().spans}
    failed = spans.pop("task called")
    assert failed.status == StatusCode.ERROR
    assert len(spans) == 3
    for span in spans.values():
        assert span.status == StatusCode.UNSET
        assert span.get(names.MAS_ERROR_SPAN) == f"{failed.trace_id}-{failed.span_id}"
