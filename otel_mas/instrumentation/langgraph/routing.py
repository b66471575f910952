"""Routing decisions: the choices of conditional edges and of commands, and their spans."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import EnumMeta
from typing import TYPE_CHECKING, Any

from otel_mas.instrumentation.langgraph import graphs
from otel_mas.model.channels import BRANCH_TO, END, TASKS
from otel_mas.record import field_of, identifier, interned, is_a, items_of, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_mas.model.channels import BRANCH_TO, END, TASKS
from otel_mas.record import Recorder

_LABELS = (int, bool, float, type(None))
_NO_COMMAND = (dict, type(None))  # what most nodes return
_ROUTING_DECISION = RecordKind.ROUTING_DECISION.value


class Branch:
    """A conditional edge: the name of its routing function, and the nodes to which it can lead."""

    __slots__ = ("_spec", "candidates", "function")

    def __init__(self, spec: Any) -> None:
        self._spec = spec  # alive, so that its id stays its own
        path, ends = spec.path, spec.ends
        func = getattr(path, "func", None) or getattr(path, "afunc", None)
        name = getattr(path, "name", None)
        if func is not None and name in (None, type(path).__name__):  # LangGraph's default name
            while not hasattr(func, "__name__") and hasattr(func, "func"):  # functools.partial
                func = func.func
            name = getattr(func, "__name__", None) or type(func).__name__
        self.function: str = name or type(path).__name__
        self.candidates = tuple(sorted({str(end) for end in ends.values()})) if ends else None

    def chosen(self, result: Any) -> tuple[str, ...]:
        """The nodes that a result of the routing function stands for."""
        ends = self._spec.ends
        if type(result) is str:
            return (str(ends[result]) if ends else result,)
        return tuple([self._destination(one, ends) for one in _each(result)])

    def _destination(self, one: Any, ends: Any) -> str:
        node = text_of(field_of(one, "node")) if is_a(one, "Send") else None
        if node is not None:
            return node
        label = text_of(one)
        if label is None and not isinstance(type(one), EnumMeta) and type(one) not in _LABELS:
            return identifier(one)
        return identifier(ends[one if label is None else label] if ends else one)


def labels(result: Any) -> list[str]:
    """The texts in a routing function's result; the graph may map them to other names."""
    return [label for one in _each(result) if (label := text_of(one)) is not None]


def _each(result: Any) -> Sequence[Any]:
    items = items_of(result)
    return (result,) if items is None else items


def destinations(goto: Any) -> list[str]:
    """The node names of a `Command.goto`. A `Send` among them is a send, not a destination."""
    return labels(goto)


def _ends(one: Any) -> bool:
    """Whether this is a command to end; one to the parent never gets here, it is raised."""
    return is_a(one, "Command") and END in destinations(field_of(one, "goto"))


def by_command(graph: Any, task: Any, routed: Collection[str], result: Any = None) -> list[str]:
    """Return the nodes that a task's own code chose with `Command(goto=...)`: those that no edge of the graph explains.

    Args:
        graph: whose edges to read.
        task: LangGraph's, done.
        routed: the nodes that a routing function chose.
        result: of the task's code; only it tells of END, for which nothing is written.
    """
    chosen = []
    for name, value in task.writes:
        if name.startswith(BRANCH_TO):
            node = name[len(BRANCH_TO) :]
        elif name == TASKS:
            node = text_of(field_of(value, "node")) or ""
        else:
            continue
        if node not in routed:
            chosen.append(node)
    if type(result) not in _NO_COMMAND and END not in routed and any(_ends(one) for one in _each(result)):
        chosen.append(END)
    if not chosen or (static := graphs.static_destinations(graph, task.name)) is None:
        return []
    chosen = [node for node in chosen if node not in static]
    return chosen if routed or not graphs.has_conditional_edges(graph, task.name) else []


def record_decision(
    recorder: Recorder,
    task: Span,
    conversation: str | None,
    function: str,
    chosen: Sequence[str],
    candidates: Sequence[str] | None,
    reason: str | None = None,
    confidence: float | None = None,
) -> None:
    """Record a ROUTING_DECISION span under the task that decided.

    Args:
        recorder: the recorder.
        task: the span of the task, or of an update in its place.
        conversation: its thread.
        function: the name of the function that decided.
        chosen: the nodes; of several `Send`s to one of them it is named once.
        candidates: the nodes that could have been chosen, where the graph says.
        reason: why, where that is known.
        confidence: of the model that decided, 0 to 1, where it says.
    """
    if not task.is_recording():
        return
    attributes: dict[str, Any] = {
        names.MAS_RECORD_KIND: _ROUTING_DECISION,
        names.MAS_ROUTING_FUNCTION: function,
        names.MAS_ROUTING_CHOICE: interned(*dict.fromkeys(chosen)),
    }
    if candidates is not None:
        attributes[names.MAS_ROUTING_CANDIDATES] = interned(*candidates)
    if confidence is not None:
        attributes[names.MAS_ROUTING_CONFIDENCE] = confidence
    if conversation is not None:
        attributes[names.GEN_AI_CONVERSATION_ID] = conversation
    span = recorder.start_span(f"route {function}", attributes, parent=task)
    if reason is not None:
        recorder.content(span, names.MAS_ROUTING_REASON, reason)
    span.end()
