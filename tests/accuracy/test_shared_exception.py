"""One exception object that two parallel tasks raise."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
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
    for task in tasks:
        assert task.status == StatusCode.ERROR
        assert [event.name for event in task.events] == ["exception"]
        assert task.get(names.MAS_ERROR_SPAN) is None
    assert len(tasks) == 2
    assert run.get(names.MAS_ERROR_SPAN) in {f"{task.trace_id}-{task.span_id}" for task in tasks}
