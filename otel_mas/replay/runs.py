"""Runs of graphs in a replay: how each begins, by which it is told from others of its graph."""

from __future__ import annotations

from typing import Any, Final

from otel_mas.instrumentation.langgraph.hooks import schedule_of
from otel_mas.instrumentation.replacements import after
from otel_mas.model.channels import START
from otel_mas.replay.session import sessions

_COMMAND: Final = "Command"


def _ticked(more: Any, loop: Any, *_: Any, **__: Any) -> None:
    schedule = schedule_of(loop)
    if schedule is None or not more:
        return
    steps = [
        task.config["metadata"].get("langgraph_step", 0)
        for task in loop.tasks.values()
        if task.name != START and not task.writes
    ]
    if steps:
        resuming = loop.input is None or type(loop.input).__name__ == _COMMAND
        for session in sessions():
            session.started(schedule.run, min(steps), resuming)


tick, _ = after(_ticked, "replay: step")

__all__ = ["tick"]
