"""Human input: the questions of paused tasks and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_mas.model.channels import INTERRUPT, RESUME
from otel_mas.record import arguments_of, field_of, identifier, is_a, items_of, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.model.channels import INTERRUPT, RESUME
from otel_mas.record import Recorder

_SCRATCHPAD = "__pregel_scratchpad"  # where a task keeps its answers (langgraph._internal._constants)
_CONF = "configurable"
_HUMAN_INPUT = RecordKind.HUMAN_INPUT.value
_USER = "langgraph_auth_user_id"  # who calls, where a LangGraph server knows


def record_question(recorder: Recorder, span: Span, exc: BaseException, recorded: set[str]) -> None:
    """Record the interrupts with which a task pauses: their ids on its span, their values as content.

    Args:
        recorder: the recorder.
        span: the task's.
        exc: the exception that left it; only a `GraphInterrupt` asks.
        recorded: the ids that an inner task has recorded; the exception passes through the tasks around it.
    """
    if not is_a(exc, "GraphInterrupt"):
        return
    interrupts = [one for one in items_of(next(iter(arguments_of(exc)), ())) or () if _id_of(one) not in recorded]
    if not interrupts:
        return
    ids = tuple(map(_id_of, interrupts))
    recorded.update(ids)
    if not span.is_recording():
        return
    attributes: dict[str, Any] = {names.MAS_INTERRUPT_IDS: ids}
    if recorder.settings.input_timeout_s is not None:
        attributes[names.MAS_INTERRUPT_TIMEOUT] = recorder.settings.input_timeout_s
    recorder.set_attributes(span, attributes)
    recorder.content(span, names.MAS_INTERRUPT_VALUES, [field_of(one, "value") for one in interrupts])


class HumanAnswers:
    """The answers that a run brings, or the run around it, by task.

    LangGraph runs a task that has asked from its start, with all answers that it ever got: those of earlier runs are
    counted when the run begins.
    """

    __slots__ = ("_asked", "_known", "_user")

    def __init__(self, loop: Any) -> None:
        self._asked: dict[str, str] = {}
        self._known: dict[str, int] = {}
        user = loop.config[_CONF].get(_USER)
        self._user = None if user is None else identifier(user)
        for task_id, channel, value in loop.checkpoint_pending_writes or ():
            if channel == RESUME:
                self._known[task_id] = len(value) if type(value) is list else 1
            elif channel == INTERRUPT:
                self._asked[task_id] = _last_id(value)

    def known(self, task_id: str) -> int:
        """The number of answers that a task had before this run."""
        return self._known.get(task_id, 0)

    def record_answer(self, recorder: Recorder, span: Span, task: Any, conversation: str | None) -> None:
        """Record a new answer that a task got as a HUMAN_INPUT span, at the instant when the task ran again with it."""
        given = getattr(task.config[_CONF].get(_SCRATCHPAD), "resume", None) or ()
        known = self._known.get(task.id, 0)
        if len(given) <= known:
            return
        self._known[task.id] = len(given)
        attributes: dict[str, Any] = {names.MAS_RECORD_KIND: _HUMAN_INPUT}
        if self._asked.get(task.id):
            attributes[names.MAS_INTERRUPT_IDS] = (self._asked[task.id],)
        if conversation is not None:
            attributes[names.GEN_AI_CONVERSATION_ID] = conversation
        if self._user is not None:
            attributes[names.USER_ID] = self._user
        at = getattr(span, "start_time", None)
        answer = recorder.start_span(f"human_input {task.name}", attributes, parent=span, start_time=at)
        new = list(given[known:])
        recorder.content(answer, names.MAS_RESUME_VALUES, new[0] if len(new) == 1 else new)
        answer.end(at)


def _id_of(interrupt: Any) -> str:
    return text_of(field_of(interrupt, "id")) or ""


def _last_id(interrupts: Any) -> str:
    asked = items_of(interrupts)
    return _id_of(interrupts) if asked is None else next(map(_id_of, reversed(asked)), "")
