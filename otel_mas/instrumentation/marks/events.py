"""Events of the current span: a stage that was reached, an event of the app's own, a state that changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import get_current_span

from otel_mas.instrumentation.langchain.messages import MESSAGES
from otel_mas.instrumentation.marks.current_task import marked_task
from otel_mas.instrumentation.marks.kinds import Work
from otel_mas.record import guarded, recorder, snapshot, to_json
from otel_mas.semconv import attributes as names

_PLAIN = (str, bool, int, float)
_SAME = (*_PLAIN, list, tuple)  # which stay what they are, where they hold nothing else
_STAGE = "mas.stage"


def event(name: str, **attributes: Any) -> None:
    """Record that something happened, as an event of the current span.

    Args:
        name: of the event.
        attributes: of the event. Texts, numbers, booleans and lists of these stay what they are; any other value
            becomes its JSON text.
    """
    if recorder().active:
        _add(name, {key: _value(value) for key, value in attributes.items() if value is not None})


def stage(name: str, status: str | None = None) -> None:
    """Record that the work of the current span has come to a stage, and how far it is."""
    if recorder().active:
        _add(_STAGE, {names.MAS_STAGE_NAME: name} | ({} if status is None else {names.MAS_STAGE_STATUS: status}))


@guarded("mark: event")
def _add(name: str, attributes: Mapping[str, Any]) -> None:
    get_current_span().add_event(name, attributes)


@guarded("mark: event attribute")
def _value(value: Any) -> Any:
    copied = snapshot(value)[0]
    kinds = {type(one) for one in copied} if type(copied) is list else {type(copied)}
    if len(kinds) == 1 and kinds.issubset(_PLAIN) and issubclass(type(value), _SAME):
        return copied
    return to_json(copied).decode()


def state(**changed: Any) -> None:
    """Record the changes of the task around this code in a state, by name: each value by digest, stored once.

    A node of LangGraph's needs none of this: its writes are recorded as such.
    """
    if recorder().active:
        _record_state(changed)


@guarded("mark: state")
def _record_state(changed: Mapping[str, Any]) -> None:
    mark = marked_task()
    if isinstance(mark, Work):
        mark.state(**changed)
    else:
        recorder().state(get_current_span(), changed, MESSAGES)


__all__ = ["event", "stage", "state"]
