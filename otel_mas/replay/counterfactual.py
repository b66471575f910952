"""A counterfactual replay: what is changed, what depends on that, and how dependent calls are answered.

A call whose place and request are recorded is answered from the recording, whether it depends on a change or not. A
dependent one with another request is made again: really, where `live` has `descendants`; by a stub; or not at all,
which ends the replay.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context

from otel_mas.errors import ConfigError, ReplayStopped
from otel_mas.replay.changes import Aspect, Change, Changes
from otel_mas.replay.descent import Descent
from otel_mas.replay.plan import Plan, listed, plan
from otel_mas.replay.recording import CallKind, RecordedCall, Recording
from otel_mas.replay.segment import Segment
from otel_mas.replay.substitutes import SubstitutedCall, substituted, unrecorded

if TYPE_CHECKING:
    from otel_mas.instrumentation.langgraph.runs import TaskRun
    from otel_mas.replay.place import HerePlace, TaskPlace

Stub = Callable[["DependentCall"], Any] | Any
"""Answers dependent calls: a function of `DependentCall`, or a chat model, which answers those of models."""

IN_STUB: Final = otel_context.create_key("otel-mas-replay-stub")
"""Key of the OTel context of a stub's code, whose own calls are not answered."""


@dataclass(frozen=True, slots=True)
class DependentCall:
    """A call that depends on a change, as a stub is asked.

    Args:
        kind: model, tool or retriever.
        name: of the model, tool or retriever.
        place: of the call, in words.
        asked: the messages of a model; the arguments of a tool; the query of a retriever.
        recorded: the recorded call at the same place whose request is most like this; None where there is none.
    """

    kind: str
    name: str
    place: str
    asked: Any
    recorded: RecordedCall | None


@dataclass(frozen=True, slots=True)
class Again:
    """A call that is to be made again, or has been by a stub.

    Args:
        answer: of the stub; None where it is to be made.
        model: that is called in place of the app's own.
        messages: in place of those that the app gave.
        stubbed: whether a stub answers.
    """

    answer: SubstitutedCall | None = None
    model: Any = None
    messages: list[Any] | None = None
    stubbed: bool = False


def checked_stub(stub: Any) -> Any:
    """A stub, or None.

    Raises:
        ConfigError: It is neither a chat model nor a function.
    """
    if isinstance(stub, str):
        module, _, name = stub.partition(":")
        if not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
            raise ConfigError(f"stub is {stub!r}; as a text it must be module:name")
        return stub
    if inspect.iscoroutinefunction(stub) or inspect.iscoroutinefunction(getattr(stub, "__call__", None)):  # noqa: B004
        raise ConfigError(f"stub is {stub!r}; it must not be a coroutine function: sync apps ask it, too")
    if stub is None or hasattr(stub, "_generate") or callable(stub):
        return stub
    raise ConfigError(f"stub is {stub!r}; it must be a chat model or a function of a DependentCall, or its module:name")


@dataclass(slots=True)
class Counterfactual:
    """Changes of a replay and what follows from them. Callers hold a lock.

    Args:
        recording: that is replayed.
        stub: answers dependent calls.
        live: whether dependent calls are really made.
    """

    recording: Recording
    stub: Stub = None
    live: bool = False
    changes: Changes = field(init=False)
    segment: Segment | None = field(init=False, default=None)
    descent: Descent = field(init=False, default_factory=Descent)
    stopped: list[ReplayStopped] = field(init=False, default_factory=list)
    _plan: Plan | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.changes = Changes(self.recording)

    def add(self, change: Change) -> None:
        """Add a change. Raises as `Changes.add`."""
        self.changes.add(change)
        self._plan = None

    def take_segment(self, segment: Segment | None) -> None:
        """Run a segment again; None: none."""
        self.segment = segment
        self._plan = None

    def __bool__(self) -> bool:
        return bool(self.changes) or self.segment is not None

    @property
    def of_tasks(self) -> bool:
        """Whether tasks have to be known by their labels."""
        return self.changes.of_tasks or self.segment is not None

    def plan(self) -> Plan:
        """The calls that depend on the changes, and those of the segment."""
        if self._plan is None:
            self._plan = plan(self.recording, self.changes.all, self.segment)
        return self._plan

    def task_began(self, task: TaskRun) -> None:
        """Note a task that begins."""
        self.descent.began(task)
        if self.segment is not None:
            self.segment.task_began(task)

    def changed_outside(self) -> str:
        """Label of a thing outside of the segment that a change is of; empty where there is none."""
        if self.segment is None:
            return ""
        labels = {call.label: call for call in self.recording.calls}
        for target in self.changes.targets():
            call, task = labels.get(target), self.recording.tasks.get(target)
            spans = [call.span] if call is not None else [] if task is None else task.spans
            if not all(self.segment.includes(span) for span in spans):
                return target
        return ""

    def in_segment(self, found: RecordedCall | None) -> bool:
        """Whether a recorded call is made again because it is in the segment."""
        return self.segment is not None and self.segment.has(found)

    def changed(self, recorded: RecordedCall | None, kind: CallKind, place: TaskPlace) -> Mapping[Aspect, Change]:
        """The changes of a call by aspect: its output, or prompt and model. Arguments as of `Changes.of_call`."""
        return self.changes.of_call(recorded, kind, place) if self.changes else {}

    def made(self, changes: Iterable[Change], task: TaskRun | None) -> None:
        """Note that changes were made in a task."""
        self.changes.made.update(changes)
        self.descent.changed(task)

    def depends(self, here: HerePlace, task: TaskRun | None) -> bool:
        """Whether a call here depends on a change, or is in the segment."""
        if not self:
            return False
        return self.descent.descends(task) or any(call.place == here.place for call in self.plan().calls)

    def again(self, call: DependentCall, place: TaskPlace, changes: Mapping[Aspect, Change]) -> Again:
        """How a dependent call is made again.

        Args:
            call: the call.
            place: of it.
            changes: of its own prompt and model; none where it only depends on others.

        Raises:
            ReplayStopped: It is neither live, nor is there a stub for it.
        """
        prompt, model = changes.get(Aspect.PROMPT), changes.get(Aspect.MODEL)
        messages = None if prompt is None else with_prompt(call.asked, prompt.value)
        if isinstance(self.stub, str):
            self.stub = _imported(self.stub)
        if self.stub is not None:
            if hasattr(self.stub, "_generate"):
                if call.kind == CallKind.MODEL:
                    return Again(None, self.stub, messages, True)
            else:
                value = self.stub(_with(call, messages))
                if value is not NotImplemented:
                    return Again(_answered(call, place, value), stubbed=True)
        if self.live:
            return Again(None, None if model is None else model.value, messages)
        stopped = self._stop(call)
        self.stopped.append(stopped)
        raise stopped

    def _stop(self, call: DependentCall) -> ReplayStopped:
        found = self.plan()
        waiting = listed(found.calls)
        why = (
            f"it depends on {', '.join(self.changes.targets())}"
            if self.changes
            else f"the segment {self.segment} is run"
        )
        return ReplayStopped(
            f"the {call.kind} {call.name} in {call.place} would have to be called anew, since {why}; at "
            f"most there are these {found}: {waiting or 'none recorded'}; "
            "replay with live='descendants', or with a stub",
            place=call.place,
            calls=tuple(one.label for one in found.calls),
            tokens=found.tokens,
            usd=found.usd,
        )


def _imported(name: str) -> Any:
    """The object that a text names: imported when it is first asked, since it may be a part of the app."""
    module, _, path = name.partition(":")
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"there is no stub {name}: {error}") from error
    if isinstance(found, str):
        raise ConfigError(f"stub {name} is {found!r}; it must be a chat model or a function of a DependentCall")
    return checked_stub(found)


def _with(call: DependentCall, messages: list[Any] | None) -> DependentCall:
    if messages is None:
        return call
    return DependentCall(call.kind, call.name, call.place, messages, call.recorded)


def _answered(call: DependentCall, place: TaskPlace, value: Any) -> SubstitutedCall:
    if call.recorded is not None:
        return substituted(call.recorded, value)
    return unrecorded(CallKind(call.kind), call.name, place, value)


def with_prompt(messages: Any, prompt: Any) -> list[Any]:
    """Messages with another system prompt, or what a function makes of them."""
    from langchain_core.messages import SystemMessage

    if callable(prompt):
        return list(prompt(list(messages)))
    return [SystemMessage(prompt), *(one for one in messages if getattr(one, "type", None) != "system")]


def changed_input(given: Any, change: Any) -> Any:
    """The input of a task with other fields; what is no mapping is replaced as a whole."""
    value = change(given) if callable(change) else change
    if isinstance(given, Mapping) and isinstance(value, Mapping):
        return {**given, **value}
    if isinstance(value, Mapping) and not isinstance(given, str | bytes | list | tuple) and given is not None:
        copied = getattr(given, "model_copy", None)
        if copied is not None:
            return copied(update=dict(value))
    return value


__all__ = [
    "IN_STUB",
    "Again",
    "Counterfactual",
    "DependentCall",
    "Stub",
    "changed_input",
    "checked_stub",
    "with_prompt",
]
