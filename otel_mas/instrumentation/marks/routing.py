"""Routing decisions and their reasons: in a LangGraph task for the decision made there, else as a span of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_mas.instrumentation.langgraph.current import current_task
from otel_mas.instrumentation.marks.causes import CausedBy
from otel_mas.instrumentation.marks.current_task import current_mark, with_mark
from otel_mas.instrumentation.marks.mark import Kind, Mark, marker
from otel_mas.record import caught, guarded, recorder, snapshot
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind

Names = str | Iterable[str] | None
_KEY = otel_context.create_key("otel-mas-marked-routing")


class Routing(Mark):
    """A decision about who is next."""

    _kind = Kind(
        "route",
        "routing",
        (names.MAS_ROUTING_FUNCTION,),
        {names.MAS_RECORD_KIND: RecordKind.ROUTING_DECISION.value},
    )

    def __init__(self, name: str | None = None, *, candidates: Names = None, caused_by: CausedBy = None) -> None:
        super().__init__(name, caused_by, {names.MAS_ROUTING_CANDIDATES: _tuple(candidates) or None})

    def context(self) -> Context:
        """The current context, with the span and the decision in it."""
        return with_mark(_KEY, self, super().context())

    @guarded("mark: choice")
    def choose(self, choice: Names, reason: str | None = None, *, candidates: Names = None) -> None:
        """Record the decision.

        Args:
            choice: who is next, or several.
            reason: why; content, stored apart from the span.
            candidates: who could have been chosen.
        """
        if not self.span.is_recording():
            return
        attributes = {names.MAS_ROUTING_CHOICE: _tuple(choice), names.MAS_ROUTING_CANDIDATES: _tuple(candidates)}
        recorder().set_attributes(self.span, {name: value for name, value in attributes.items() if value})
        if reason is not None:
            recorder().content(self.span, names.MAS_ROUTING_REASON, reason)

    def _on_result(self, result: Any) -> None:
        if not issubclass(type(result), (str, list, tuple, set)):
            return
        copied = snapshot(result)[0]
        if type(copied) is str or (type(copied) is list and all(type(one) is str for one in copied)):
            self.choose(copied)


@marker
def routing(name: str | None = None, *, candidates: Names = None, caused_by: CausedBy = None) -> Routing:
    """Mark a decision about who is next. LangGraph's own are recorded without it.

    A `with` block records its choice with `choose`. The result of a decorated function is the choice: a name, or
    several.

    Args:
        name: by default, that of the function.
        candidates: who can be chosen.
        caused_by: the causes of the decision.
    """
    return Routing(name, candidates=candidates, caused_by=caused_by)


def routing_reason(reason: str, *, choice: Names = None, candidates: Names = None) -> None:
    """Record the reason for the routing decision that is being made here.

    In a node of a LangGraph graph, in its routing function, or in a tool that hands over, it is the reason of the next
    decision of that task; with `choice`, of the one that chooses this. A reason that no decision took up by the end of
    the task is recorded as a decision of its own. Inside `routing` it is the reason of that one.

    Args:
        reason: in words; content, stored apart from the span.
        choice: who is next, where the task makes several decisions.
        candidates: who could have been chosen, where the graph does not say.
    """
    try:
        if recorder().active:
            _reason(reason, choice, candidates, sys._getframe(1).f_code.co_name)
    except Exception as error:
        caught("mark: routing reason", error)


def _reason(reason: str, choice: Names, candidates: Names, decider: str) -> None:
    mark, task = current_mark(_KEY), current_task()
    if isinstance(mark, Routing):
        mark.choose(choice, reason, candidates=candidates)
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
