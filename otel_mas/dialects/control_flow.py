"""Exceptions by which frameworks pause, hand over or stop: instrumentation notes them as errors, and they are none."""

from __future__ import annotations

from typing import Any, Final

from otel_mas.dialects.reading import ForeignSpan
from otel_mas.semconv import TaskOutcome
from otel_mas.semconv import attributes as names

_OUTCOMES: Final = {
    # langgraph.errors, and LangGraph's base class of all of them
    "GraphInterrupt": TaskOutcome.INTERRUPTED,
    "NodeInterrupt": TaskOutcome.INTERRUPTED,
    "GraphBubbleUp": TaskOutcome.INTERRUPTED,
    "ParentCommand": TaskOutcome.HANDOFF,
    # pydantic_ai.exceptions: a call that waits for a person, or that the app is to make
    "CallDeferred": TaskOutcome.INTERRUPTED,
    "ApprovalRequired": TaskOutcome.INTERRUPTED,
}
"""Class of an exception → what it says of the task that raised it."""
_CANCELLED: Final = frozenset({"CancelledError"})


def outcome(span: ForeignSpan) -> TaskOutcome:
    """How a span ended: of several exceptions the last that is no control flow counts, else the last."""
    raised = [kind.rpartition(".")[2] for kind in _raised(span)]
    other = [kind for kind in raised if kind not in _OUTCOMES]
    if other or not raised:
        if other and other[-1] in _CANCELLED:
            return TaskOutcome.CANCELLED
        return TaskOutcome.ERROR if span.failed else TaskOutcome.OK
    return _OUTCOMES[raised[-1]]


def is_no_error(span: ForeignSpan) -> bool:
    """Whether a span with status ERROR ended by control flow alone."""
    return span.failed and outcome(span) in (TaskOutcome.INTERRUPTED, TaskOutcome.HANDOFF)


def error_type_of(kind: str) -> str:
    """The class of an exception, of its text: `GraphInterrupt((Interrupt(...),))`."""
    return kind.partition("(")[0].rpartition(".")[2].strip()


def outcome_of(error: str) -> TaskOutcome:
    """The outcome of a task that raised this exception."""
    return _OUTCOMES.get(error_type_of(error), TaskOutcome.ERROR)


def is_control_flow(error: str) -> bool:
    """Whether an exception is one of these, by its class or by its text."""
    return error_type_of(error) in _OUTCOMES


def _raised(span: ForeignSpan) -> list[str]:
    found: list[Any] = [*span.exceptions()]
    if not found and span.failed:
        found = [span.attributes.get(name) for name in (names.EXCEPTION_TYPE, names.ERROR_TYPE)]
    return [kind for kind in found if isinstance(kind, str) and kind]


__all__ = ["error_type_of", "is_control_flow", "is_no_error", "outcome", "outcome_of"]
