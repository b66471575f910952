"""Runs of graphs in a replay: how each begins, by which it is told from others of its graph."""

from __future__ import annotations

from typing import Any, Final

from otel_mas.instrumentation.langgraph.hooks import schedule_of
from otel_mas.instrumentation.replacements import after
from otel_mas.model.channels import START
from otel_mas.replay.active import sessions

_COMMAND: Final = "Command"
_RESUME: Final = "__resume__"  # the channel that LangGraph keeps answers in, as lists


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
            session.started(schedule.run, min(steps), 1 + _answers(loop) if resuming else 0)


def _answers(loop: Any) -> int:
    """How many answers of people a paused task has had in earlier runs, perhaps of other processes."""
    writes = getattr(loop, "checkpoint_pending_writes", None) or ()
    tasks = {task.id for task in loop.tasks.values()}
    return max((len(value) for id_, channel, value in writes if id_ in tasks and channel == _RESUME), default=0)


tick, _ = after(_ticked, "replay: step")

__all__ = ["tick"]
