"""Values that no state holds: those that a `Send` or a call gives a task, and those that a `@task` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_mas.model.channels import PUSH, RETURN
from otel_mas.record import Recorder
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_PLAIN = frozenset((str, int, float, bool, type(None)))
_MOST = 100
"""Items of a list or dict; larger ones would take the app's time to copy."""
_DEPTH = 4


def record_given(recorder: Recorder, span: Span, task: Any) -> None:
    """Record the plain data that a task was sent or called with; the state has what other tasks read."""
    if task.path[0] != PUSH:
        return
    given = task.input
    if task.path[-1] is True:  # called, with arguments by position and by name
        args, by_name = given
        given = {**{str(number): value for number, value in enumerate(args)}, **by_name}
    if type(given) is dict:
        given = {name: value for name, value in given.items() if _is_plain(value, _DEPTH - 1)}
        kept = len(given) <= _MOST
    else:
        kept = _is_plain(given)
    if given and kept:
        recorder.content(span, names.MAS_TASK_INPUT, given)


def record_returned(recorder: Recorder, span: Span, task: Any) -> None:
    """Record the plain data that a `@task` returns to its caller."""
    for channel, value in task.writes:
        if channel == RETURN and _is_plain(value):
            recorder.content(span, names.MAS_TASK_RESULT, value)


def _is_plain(value: Any, depth: int = _DEPTH) -> bool:
    """Whether a value is text, a number or a truth value, or a small list or dict of such; messages are none."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if not depth or kind not in (dict, list, tuple) or len(value) > _MOST:
        return False
    return all(_is_plain(item, depth - 1) for item in (value.values() if kind is dict else value))


__all__ = ["record_given", "record_returned"]
