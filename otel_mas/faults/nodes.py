"""Faults of LangGraph's tasks: of what they read, of what they answer, of what they have to wait for.

LangGraph gets each task with its code wrapped in a `FaultyNode`, which knows the task's place, also for the faults of
the tools and models inside.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from time import sleep
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as otel_context

from otel_mas.faults import messages, values, waits
from otel_mas.faults.fault import Target
from otel_mas.faults.injection import Hit, active, active_hits
from otel_mas.faults.messages import Names, Origins
from otel_mas.faults.place import Place, in_place
from otel_mas.model.channels import BRANCH_TO, JOIN, RETURN, TASKS
from otel_mas.record import caught, restore_context
from otel_mas.semconv.enums import FaultKind

if TYPE_CHECKING:
    from otel_mas.faults.fault import Fault

_OWN = ("__", BRANCH_TO, JOIN)  # the prefixes of LangGraph's own channels
_ARRIVING = {FaultKind.MESSAGE_LOST: 0, FaultKind.MESSAGE_DUPLICATED: 2}
"""How often a `Send` arrives that a fault hits. Decided where it is sent: its task is not made, or made twice."""


class Read(NamedTuple):
    """A fault of what a task reads, to be recorded once it runs."""

    hit: Hit
    changed: tuple[str, ...]


class FaultyNode:
    """The code of a task, run with the faults that its place has.

    Args:
        proc: the code.
        task: LangGraph's task.
        place: of the task.
        origins: the writers of the values in its graph's state.
        caller: the names of the task that called it, by the functional API.
    """

    def __init__(self, proc: Any, task: Any, place: Place, origins: Origins, caller: Names | None) -> None:
        self._proc = proc
        self._task = task
        self.place = place
        self._origins = origins
        self._caller = caller
        self.read: list[Read] = []
        self._delay = 0.0
        self._inside_agent = False
        self.sent: dict[int, FaultKind] = {}
        """By the id of a `Send` that the task wrote: whether it gets lost, or arrives twice."""

    def __getattr__(self, name: str) -> Any:
        # Recording and LangGraph look at what a node is: its steps, a graph.
        if name == "_proc":  # of a copy that is being made
            raise AttributeError(name)
        return getattr(self._proc, name)

    # -- what it reads ---------------------------------------------------------------------------------------------

    def prepare(self, sender: Names | None, *, inside_agent: bool) -> None:
        """Change the task's input as the faults say.

        Args:
            sender: the writer of all of it: of a `Send`, of a call; None where it is read from the state.
            inside_agent: whether the task is a part of one agent, whose parts send each other no messages.
        """
        self._inside_agent = inside_agent
        for injection in active():
            for number, fault in injection.of(Target.MESSAGE):
                if fault.edge is None and inside_agent:
                    continue
                if fault.kind in _ARRIVING and not fault.field and sender is not None and self._caller is None:
                    continue  # a `Send`, which was decided where it was sent
                named = self._named()
                parts = list(messages.hit_parts(fault, named, self.place.own, self._origins, sender))
                if not _has_effect(fault, named, parts):
                    continue
                if (hit := injection.decide(number, self.place, "input")) is not None:
                    self._change_input(hit, named, parts)

    def _change_input(self, hit: Hit, named: Any, parts: Sequence[messages.Part]) -> None:
        where = tuple("input" if part.name is None else str(part.name) for part in parts)
        if hit.fault.kind == FaultKind.MESSAGE_DELAYED:
            self._delay += hit.fault.seconds
            self.read.append(Read(hit, where))
            return
        changes = messages.changed_parts(hit.fault, named, parts, hit.random)
        if changes:
            _replace(self._task, "input", self._with(changes))
            self.read.append(Read(hit, tuple("input" if name is None else str(name) for name in changes)))

    def _named(self) -> dict[Any, Any]:
        given = self._task.input
        if self._caller is None:
            return messages.fields(given)
        args, kwargs = given
        return {**dict(enumerate(args)), **kwargs}

    def _with(self, changes: dict[Any, Any]) -> Any:
        if self._caller is None:
            return messages.with_changes(self._task.input, changes)
        args, kwargs = self._task.input
        new = {name: None if value is messages.MISSING else value for name, value in changes.items()}
        return (
            tuple(new.get(number, value) for number, value in enumerate(args)),
            {name: new.get(name, value) for name, value in kwargs.items()},
        )

    def take_delay(self) -> float:
        """Seconds for which its messages are late, the first time that it is asked."""
        delay, self._delay = self._delay, 0.0
        return delay

    # -- how it runs -----------------------------------------------------------------------------------------------

    def invoke(self, given: Any, config: Any) -> Any:
        sleep(self.take_delay())
        with self._running() as hits, waits.waiting(self._waits()):
            result = self._proc.invoke(given, config)
            result, late = self._finish(hits, result)
            sleep(late)
        return result

    async def ainvoke(self, given: Any, config: Any) -> Any:
        await asyncio.sleep(self.take_delay())
        with self._running() as hits:
            async with waits.awaiting(self._waits()):
                result = await self._proc.ainvoke(given, config)
                result, late = self._finish(hits, result)
                await asyncio.sleep(late)
        return result

    async def astream(self, given: Any, config: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(self.take_delay())
        with self._running() as hits:
            async with waits.awaiting(self._waits()):
                async for chunk in self._proc.astream(given, config):
                    yield chunk
                _, late = self._finish(hits, None)
                await asyncio.sleep(late)

    @contextmanager
    def _running(self) -> Iterator[list[Hit]]:
        """Make its place current, and record what it read; the faults of what it is to answer."""
        token, hits = None, []
        try:
            token = otel_context.attach(in_place(self.place))
            for read in self.read:
                read.hit.record(*read.changed)
            self.read = []
            hits = [hit for hit in active_hits(Target.AGENT, self.place, "answer") if self._is(hit.fault)]
        except Exception as error:
            caught("faults: task", error)
        try:
            yield hits
        finally:
            restore_context(token)

    def _is(self, fault: Fault) -> bool:
        return fault.agent is None or fault.agent in self.place.own

    def _waits(self) -> list[Hit]:
        try:
            return [hit for hit in active_hits(Target.WAIT, self.place, "task") if self._is(hit.fault)]
        except Exception as error:
            caught("faults: task waits", error)
            return []

    # -- what it answers -------------------------------------------------------------------------------------------

    def _finish(self, hits: Sequence[Hit], result: Any) -> tuple[Any, float]:
        """Change what the task wrote; the result for LangGraph, and the seconds for which it is late."""
        try:
            for hit in hits:
                changed = _give_up(self._task.writes, hit)
                if changed:
                    hit.record(*changed)
            late = 0.0
            if self._caller is not None:
                late = self._change_return(self._caller)
                return next((value for channel, value in self._task.writes if channel == RETURN), result), late
            self._decide_sends()
        except Exception as error:
            caught("faults: task end", error)
        return result, 0.0

    def _change_return(self, caller: Names) -> float:
        """Change what a task of the functional API returns to its caller; the seconds for which it is late."""
        late = 0.0
        for injection in active():
            for number, fault in injection.of(Target.MESSAGE):
                if fault.kind == FaultKind.FIELD_FORGOTTEN or fault.field or not fault.reads(self.place.own, caller):
                    continue
                hit = injection.decide(number, self.place, "return")
                if hit is None:
                    continue
                if fault.kind == FaultKind.MESSAGE_DELAYED:
                    late += fault.seconds
                    hit.record("return")
                elif self._replace_return(hit):
                    hit.record("return")
        for channel, value in self._task.writes:
            if channel == RETURN:
                self._origins.returned(value, self.place.own)
        return late

    def _replace_return(self, hit: Hit) -> bool:
        writes = self._task.writes
        for place, (channel, value) in enumerate(writes):
            if channel == RETURN:
                lost = hit.fault.kind == FaultKind.MESSAGE_LOST
                new = (
                    values.emptied(value)
                    if lost
                    else messages.changed_value(hit.fault.kind, value, hit.random.getrandbits(64))
                )
                writes[place] = channel, new
                return new is not value
        return False

    def _decide_sends(self) -> None:
        """Decide which of the task's `Send`s get lost or arrive twice; LangGraph still sees them leave."""
        for number_of_send, (channel, send) in enumerate(self._task.writes):
            if channel != TASKS:
                continue
            for injection in active():
                for number, fault in injection.of(Target.MESSAGE):
                    if fault.edge is None and self._inside_agent:
                        continue
                    if fault.kind not in _ARRIVING or fault.field or not fault.reads(self.place.own, (send.node,)):
                        continue
                    hit = injection.decide(number, self.place, "send", send.node, str(number_of_send))
                    if hit is not None:
                        self.sent[id(send)] = fault.kind
                        hit.record(f"send to {send.node}")


def _has_effect(fault: Fault, named: dict[Any, Any], parts: Sequence[messages.Part]) -> bool:
    """Whether there is anything to change: a text without a verdict has no opposite."""
    if fault.kind == FaultKind.MESSAGE_DELAYED:
        return bool(parts)
    return bool(messages.changed_parts(fault, named, parts, Random(0)))


def _give_up(writes: Any, hit: Hit) -> tuple[str, ...]:
    """Replace an agent's answer, in place; the names of the channels."""
    text = values.gave_up(hit.random)
    changed = []
    for place, (channel, value) in enumerate(writes):
        if channel != RETURN and channel.startswith(_OWN):
            continue
        new = values.answer_of_giving_up(value, text)
        if new is not value:
            writes[place] = channel, new
            changed.append("return" if channel == RETURN else channel)
    return tuple(dict.fromkeys(changed))


def arriving_sends(task: Any) -> None:
    """Take lost `Send`s out of what a task wrote, and put duplicates in, in place."""
    sent: dict[int, FaultKind] = getattr(task.proc, "sent", None) or {}
    if not sent:
        return
    arriving = []
    for channel, value in task.writes:
        kind = sent.get(id(value))
        arriving += [(channel, value)] * (1 if kind is None else _ARRIVING[kind])
    task.writes.clear()
    task.writes.extend(arriving)


def wrap(task: Any, place: Place, origins: Origins, caller: Names | None = None) -> FaultyNode:
    """Give a task to LangGraph with its code wrapped."""
    node = FaultyNode(task.proc, task, place, origins, caller)
    _replace(task, "proc", node)
    return node


def _replace(task: Any, name: str, value: Any) -> None:
    object.__setattr__(task, name, value)  # it is frozen; others hold the same task


__all__ = ["FaultyNode", "arriving_sends", "wrap"]
