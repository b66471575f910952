"""The process's memory of the runs of a thread."""

from __future__ import annotations

from otel_mas.instrumentation.langgraph.memory import ThreadMemory
from otel_mas.semconv.enums import TaskOutcome


def test_an_unfinished_task_is_returned_once() -> None:
    memory = ThreadMemory()
    memory.left_unfinished("t", None, TaskOutcome.INTERRUPTED)  # type: ignore[arg-type]
    assert memory.unfinished("t") == (None, TaskOutcome.INTERRUPTED)
    assert memory.unfinished("t") is None
