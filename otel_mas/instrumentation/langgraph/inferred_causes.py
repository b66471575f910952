"""Causes worked out from what LangGraph tells in public: exact where that says it, else a guess that is marked as one.

A join's channel names its members; a `Command` and a `Send` name where they go; a `@task` runs below its caller. What
else makes a task run (a plain or a conditional edge) nobody tells: any task of the step before may have been it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from otel_mas.model.channels import JOIN, PUSH, path_text, sources_of_join
from otel_mas.record import field_of, is_a, is_empty, items_of, text_of
from otel_mas.semconv.enums import LinkKind

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

GUESSED = "?"
"""Behind the kind of a reference: it is a guess."""


class Done:
    """One run of a node, and where it said that things are to go on."""

    __slots__ = ("context", "goto", "handed_over", "node", "path", "sends", "step")

    def __init__(self, node: str, step: int, path: tuple[Any, ...]) -> None:
        self.node = node
        self.step = step
        self.path = path
        self.context: SpanContext | None = None
        self.goto: list[str] = []
        self.sends: list[str] = []
        self.handed_over = False

    def left_to_parent(self, command: Any) -> None:
        """It was left by a `Command(graph=PARENT)`, from inside of it."""
        goto = field_of(command, "goto")
        if not is_empty(goto):
            self.handed_over = True
            self._go(goto)

    def returned(self, outputs: Any) -> None:
        """What the node returned: commands say where they go."""
        for one in _each(outputs):
            if is_a(one, "Command"):
                self._go(field_of(one, "goto"))

    def routed(self, outputs: Any) -> None:
        """What the function of a conditional edge returned: `Send`s name their nodes, a label may stand for another."""
        self._go([one for one in _each(outputs) if is_a(one, "Send")])

    def _go(self, goto: Any) -> None:
        for one in _each(goto):
            name, sent = text_of(one), text_of(field_of(one, "node"))
            if name is not None:
                self.goto.append(name)
            elif sent is not None:
                self.sends.append(sent)


class Causes:
    """What the tasks of one run have done, as long as something may come of it."""

    def __init__(self, run: SpanContext) -> None:
        self._run = run
        self._numbered = 0
        self._steps: dict[int, list[Done]] = {}
        self._members: dict[str, Done] = {}
        self._used: dict[str, dict[str, Done]] = {}
        self._going: dict[str, list[Done]] = {}

    def number(self) -> int:
        """How many tasks there were before."""
        self._numbered += 1
        return self._numbered - 1

    def done(self, task: Done) -> None:
        """A task has finished."""
        if task.path and isinstance(task.path[-1], bool) and task.path[-1]:
            return  # a call: it wrote nothing but its result
        self._steps.setdefault(task.step, []).append(task)
        for step in [step for step in self._steps if step < task.step - 1]:
            del self._steps[step]
        self._members[task.node] = task
        for node in task.goto:
            self._going.setdefault(node, []).append(task)

    def of(self, task: Done, triggers: Iterable[str], caller: Done | None) -> list[str]:
        """Why a task runs, as references to spans."""
        if caller is not None:
            return _references(LinkKind.CALL, [caller])
        before = sorted(self._steps.get(task.step - 1, ()), key=lambda one: path_text(one.path))
        if not before and not self._numbered:
            return [f"{LinkKind.TRIGGER}|{self._run.trace_id:032x}-{self._run.span_id:016x}"]
        if task.path[:1] == (PUSH,):
            return self._sent(task, before)
        going = self._going.pop(task.node, [])
        handed = _references(LinkKind.HANDOFF, [one for one in going if one.handed_over])
        certain = [one for one in going if not one.handed_over]
        for channel in triggers:
            if channel.startswith(JOIN):
                certain += self._joined(channel, before)
        if certain or handed:
            return [*handed, *_references(LinkKind.TRIGGER, certain)]
        return _references(f"{LinkKind.TRIGGER}{GUESSED}", before)

    def _sent(self, task: Done, before: list[Done]) -> list[str]:
        senders = [(one, node) for one in before for node in one.sends]
        number = task.path[1] if len(task.path) > 1 and isinstance(task.path[1], int) else -1
        if 0 <= number < len(senders) and senders[number][1] == task.node:
            return _references(LinkKind.SEND, [senders[number][0]])
        return _references(f"{LinkKind.SEND}{GUESSED}", before)

    def _joined(self, channel: str, before: list[Done]) -> list[Done]:
        """The members of a join that one of the last step's tasks has made complete."""
        names = sources_of_join(channel)
        used = self._used.get(channel, {})
        members = [self._members[name] for name in names if name in self._members]
        fresh = [one for one in members if used.get(one.node) is not one]
        if len(fresh) < len(names) or not any(one in before for one in fresh):
            return []
        self._used[channel] = {one.node: one for one in fresh}
        return fresh


def _each(value: Any) -> list[Any]:
    items = items_of(value)
    return [value] if items is None else items


def _references(kind: str, causes: Iterable[Done]) -> list[str]:
    contexts = [one.context for one in causes if one.context is not None]
    return list(dict.fromkeys(f"{kind}|{one.trace_id:032x}-{one.span_id:016x}" for one in contexts))


__all__ = ["GUESSED", "Causes", "Done"]
