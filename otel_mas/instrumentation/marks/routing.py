"""Routing decisions and their reasons: in a LangGraph task for the decision made there, else as a span of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar, overload

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_mas.instrumentation.langgraph.current import current_task
from otel_mas.instrumentation.marks.causes import CausedBy
from otel_mas.instrumentation.marks.mark import Mark
from otel_mas.record import caught, guarded, recorder, snapshot
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind

Function = TypeVar("Function", bound=Callable[..., Any])
Names = str | Iterable[str] | None
_KEY = otel_context.create_key("otel-mas-marked-routing")


class _Deciding(NamedTuple):
    mark: Routing
    within: Any
    """LangGraph's task around it."""


class Routing(Mark):
    """A decision about who is next."""

    def __init__(self, name: str | None = None, *, candidates: Names = None, caused_by: CausedBy = None) -> None:
        super().__init__(name, caused_by=caused_by)
        self._candidates = _tuple(candidates)

    def _describe(self) -> tuple[str, dict[str, Any]]:
        name = self._name or "routing"
        attributes: dict[str, Any] = {
            names.MAS_RECORD_KIND: RecordKind.ROUTING_DECISION.value,
            names.MAS_ROUTING_FUNCTION: name,
        }
        if self._candidates:
            attributes[names.MAS_ROUTING_CANDIDATES] = self._candidates
        return f"route {name}", attributes

    def context(self) -> Context:
        """The current context, with the span and the decision in it."""
        return otel_context.set_value(_KEY, _Deciding(self, current_task()), super().context())

    @guarded("mark: choice")
    def choose(self, choice: Names, reason: str | None = None, *, candidates: Names = None) -> None:
        """Say the decision.

        Args:
            choice: who is next, or several.
            reason: why; content, kept beside the span.
            candidates: who could have been chosen.
        """
        if not self.span.is_recording():
            return
        attributes = {names.MAS_ROUTING_CHOICE: _tuple(choice), names.MAS_ROUTING_CANDIDATES: _tuple(candidates)}
        recorder().set_attributes(self.span, {name: value for name, value in attributes.items() if value})
        if reason is not None:
            recorder().content(self.span, names.MAS_ROUTING_REASON, reason)

    def _returned(self, result: Any) -> None:
        if not issubclass(type(result), (str, list, tuple, set)):
            return
        copied = snapshot(result)[0]
        if type(copied) is str or (type(copied) is list and all(type(one) is str for one in copied)):
            self.choose(copied)


@overload
def routing(name: Function, /) -> Function: ...
@overload
def routing(name: str | None = None, *, candidates: Names = None, caused_by: CausedBy = None) -> Routing: ...
def routing(name: Any = None, *, candidates: Names = None, caused_by: CausedBy = None) -> Any:
    """Mark a decision about who is next. LangGraph's own are recorded without it.

    In a `with` the block says what it chooses (`choose`). Of a decorated function the result is the choice: a name, or
    several.

    Args:
        name: of whatever decides; by default, that of the function.
        candidates: who can be chosen.
        caused_by: what the decision rests on.
    """
    return Routing.of(name, candidates=candidates, caused_by=caused_by)


def routing_reason(reason: str, *, choice: Names = None, candidates: Names = None) -> None:
    """Say why the routing decision is made that is being made here.

    In a node of a LangGraph graph, in its routing function, or in a tool that hands over, it is the reason of the next
    decision of that task; with `choice`, of the one that chooses this. A reason that no decision took up by the end of
    the task is recorded as a decision of its own. Inside `routing` it is the reason of that one.

    Args:
        reason: why, in words; content, kept beside the span.
        choice: who is next, where the task makes several decisions.
        candidates: who could have been chosen, where the graph does not say.
    """
    try:
        if recorder().active:
            _reason(reason, choice, candidates, sys._getframe(1).f_code.co_name)
    except Exception as error:
        caught("mark: routing reason", error)


def _reason(reason: str, choice: Names, candidates: Names, decider: str) -> None:
    deciding = otel_context.get_current().get(_KEY)
    task = current_task()
    if isinstance(deciding, _Deciding) and (task is None or deciding.within is task):
        deciding.mark.choose(choice, reason, candidates=candidates)
    elif task is not None:
        task.routing_reasons().add(reason, _tuple(choice), _tuple(candidates), decider)
    else:
        with Routing(decider, candidates=candidates) as decision:
            decision.choose(choice, reason)


def _tuple(names: Names) -> tuple[str, ...]:
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(map(str, names))


__all__ = ["Routing", "routing", "routing_reason"]
