"""Interrupts in a replay: a task that is resumed gets what the person answered when it was recorded.

The app resumes as it does, by `Command(resume=...)` in this process or a later one; whatever it gives is replaced by
the recorded answer. Answers of a task are taken in their order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from otel_mas.instrumentation.langgraph.schedule import TASK_RUNS
from otel_mas.instrumentation.replacements import Original
from otel_mas.replay.active import active
from otel_mas.replay.place import path_of
from otel_mas.replay.session import ReplaySession

_CONF: Final = "configurable"
_SCRATCHPAD: Final = "__pregel_scratchpad"


def run_with_retry(original: Original) -> Original:
    """`langgraph.pregel._runner.run_with_retry`, with the recorded answers for a task that is resumed."""

    @functools.wraps(original)
    def run_with_retry(task: Any, *args: Any, **kwargs: Any) -> Any:
        _answer(task)
        return original(task, *args, **kwargs)

    return run_with_retry


def arun_with_retry(original: Original) -> Original:
    """`langgraph.pregel._runner.arun_with_retry`, likewise."""

    @functools.wraps(original)
    async def arun_with_retry(task: Any, *args: Any, **kwargs: Any) -> Any:
        _answer(task)
        return await original(task, *args, **kwargs)

    return arun_with_retry


def _answer(task: Any) -> None:
    """Replace what the app resumes a task with."""
    session = active()
    if session is None or not session.recording.resume_values:
        return
    state = TASK_RUNS.get(id(task))
    scratchpad = task.config[_CONF].get(_SCRATCHPAD)
    if state is None or scratchpad is None:
        return
    path = path_of(state)
    known = 0 if state.run.answers is None else state.run.answers.known(task.id)
    given = scratchpad.resume
    for at in range(known, len(given)):
        given[at] = session.resume_value(path, at, given[at])
    # The value that `interrupt` takes where the app names no interrupt.
    object.__setattr__(scratchpad, "get_null_resume", _recorded(session, path, scratchpad))


def _recorded(session: ReplaySession, path: str, scratchpad: Any) -> Callable[..., Any]:
    original, answers = scratchpad.get_null_resume, scratchpad.resume

    def get_null_resume(consume: bool = False) -> Any:
        given = original(consume)
        if not consume or given is None:
            return given
        return session.resume_value(path, len(answers), given)

    return get_null_resume


__all__ = ["arun_with_retry", "run_with_retry"]
