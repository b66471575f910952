"""Causes inferred from LangGraph's public data: exact where that tells, else marked as inferred.

A join's channel names its sources; a `Command` and a `Send` name where they go; a `@task` runs below its caller. The
source of a plain or a conditional edge is not known: it may be any task of the step before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from otel_mas.model.channels import JOIN, PUSH, path_text, sources_of_join
from otel_mas.record import field_of, is_a, is_empty, items_of, text_of
from otel_mas.semconv.enums import LinkKind

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

_INFERRED = "?"
"""Behind the kind of a reference to an inferred cause."""


@dataclass(eq=False, slots=True)
class NodeRun:
    """One run of a node, and the nodes that its result names."""

    node: str
    step: int
    path: tuple[Any, ...]
    context: SpanContext | None = None
    goto: list[str] = field(default_factory=list)
    sends: list[str] = field(default_factory=list)
    handed_over: bool = False

    def add_parent_command(self, command: Any) -> None:
        """Add the destinations of a `Command(graph=PARENT)` that was raised in it."""
        goto = field_of(command, "goto")
        if not is_empty(goto):
            self.handed_over = True
            self._add(goto)

    def add_result(self, result: Any) -> None:
        """Add the destinations of the commands that the node returned."""
        for one in _each(result):
            if is_a(one, "Command"):
                self._add(field_of(one, "goto"))

    def add_routing(self, result: Any) -> None:
        """Add the `Send`s that the function of a conditional edge returned; a label may stand for another node."""
        self._add([one for one in _each(result) if is_a(one, "Send")])

    def _add(self, goto: Any) -> None:
        for one in _each(goto):
            name, sent = text_of(one), text_of(field_of(one, "node"))
            if name is not None:
                self.goto.append(name)
            elif sent is not None:
                self.sends.append(sent)


class InferredCauses:
    """The finished tasks of one run of a graph that may be causes of the next ones."""

    def __init__(self, run: SpanContext) -> None:
        self._run = run
        self._scheduled = 0
        self._steps: dict[int, list[NodeRun]] = {}
        self._latest: dict[str, NodeRun] = {}
        self._joined: dict[str, dict[str, NodeRun]] = {}
        self._commanded: dict[str, list[NodeRun]] = {}

    def next_index(self) -> int:
        """The index of the next task."""
        self._scheduled += 1
        return self._scheduled - 1

    def add(self, task: NodeRun) -> None:
        """Add a finished task."""
        if task.path and isinstance(task.path[-1], bool) and task.path[-1]:
            return  # a call: it wrote nothing but its result
        self._steps.setdefault(task.step, []).append(task)
        for step in [step for step in self._steps if step < task.step - 1]:
            del self._steps[step]
        self._latest[task.node] = task
        for node in task.goto:
            self._commanded.setdefault(node, []).append(task)

    def references(self, task: NodeRun, triggers: Iterable[str], caller: NodeRun | None) -> list[str]:
        """References to the causes of a task that starts."""
        if caller is not None:
            return _references(LinkKind.CALL, [caller])
        before = sorted(self._steps.get(task.step - 1, ()), key=lambda one: path_text(one.path))
        if not before and not self._scheduled:
            return [f"{LinkKind.TRIGGER}|{self._run.trace_id:032x}-{self._run.span_id:016x}"]
        if task.path[:1] == (PUSH,):
            return self._sent(task, before)
        commanded = self._commanded.pop(task.node, [])
        handed = _references(LinkKind.HANDOFF, [one for one in commanded if one.handed_over])
        certain = [one for one in commanded if not one.handed_over]
        for channel in triggers:
            if channel.startswith(JOIN):
                certain += self._joining(channel, before)
        if certain or handed:
            return [*handed, *_references(LinkKind.TRIGGER, certain)]
        return _references(f"{LinkKind.TRIGGER}{_INFERRED}", before)

    def _sent(self, task: NodeRun, before: list[NodeRun]) -> list[str]:
        senders = [(one, node) for one in before for node in one.sends]
        number = task.path[1] if len(task.path) > 1 and isinstance(task.path[1], int) else -1
        if 0 <= number < len(senders) and senders[number][1] == task.node:
            return _references(LinkKind.SEND, [senders[number][0]])
        return _references(f"{LinkKind.SEND}{_INFERRED}", before)

    def _joining(self, channel: str, before: list[NodeRun]) -> list[NodeRun]:
        """The sources of a join that a task of the step before has made complete."""
        names, joined = sources_of_join(channel), self._joined.get(channel, {})
        sources = [self._latest[name] for name in names if name in self._latest]
        fresh = [one for one in sources if joined.get(one.node) is not one]
        if len(fresh) < len(names) or not any(one in before for one in fresh):
            return []
        self._joined[channel] = {one.node: one for one in fresh}
        return fresh


def _each(value: Any) -> list[Any]:
    items = items_of(value)
    return [value] if items is None else items


def _references(kind: str, causes: Iterable[NodeRun]) -> list[str]:
    contexts = [one.context for one in causes if one.context is not None]
    return list(dict.fromkeys(f"{kind}|{one.trace_id:032x}-{one.span_id:016x}" for one in contexts))


__all__ = ["InferredCauses", "NodeRun"]
