"""Changes of a counterfactual replay: the recorded calls and tasks that get another answer, input, prompt or route."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from otel_mas.errors import ConfigError
from otel_mas.replay.recording import CallKind

if TYPE_CHECKING:
    from otel_mas.replay.place import TaskPlace
    from otel_mas.replay.recording import RecordedCall, Recording

_TEXT: Final = re.compile(r"^(?P<target>.*?#\d+)(?:\s+(?P<aspect>[a-z]+))?\s*=(?P<value>.*)$", re.DOTALL)
_CALL: Final = re.compile(r"(?:^|/)(?:model|tool:[^/]*|retriever:[^/]*)#\d+$")
_OF_MODEL: Final = re.compile(r"(?:^|/)model#\d+$")
_CLOSE: Final = 3  # names shown that are like an unknown one


class Aspect(StrEnum):
    """The part of a call or task that is changed."""

    OUTPUT = "output"
    """The answer of a call, or all that a task writes; its code does not run."""
    INPUT = "input"
    """Fields of the state that a task reads, or what a `Send` gave it."""
    PROMPT = "prompt"
    """The system prompt of a call of a model, or of all in a task; a function gets and returns all messages."""
    MODEL = "model"
    """The model that is called, there or in a whole task."""
    GOTO = "goto"
    """The nodes that follow a task."""
    ANSWER = "answer"
    """The answer of a person to the task's interrupt."""


OF_MODELS: Final = (Aspect.PROMPT, Aspect.MODEL)
"""The parts of a task's change that are those of its calls of models."""
OF_TASKS: Final = (Aspect.OUTPUT, Aspect.INPUT, Aspect.PROMPT, Aspect.MODEL, Aspect.GOTO, Aspect.ANSWER)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One change.

    Args:
        target: label of a recorded call (`researcher#1/model#2`) or task (`researcher#1`).
        aspect: the part of it.
        value: in its place; a function gets the recorded output, or the messages of a prompt, and returns the new one.
    """

    target: str
    aspect: Aspect
    value: Any

    @property
    def of_call(self) -> bool:
        """Whether the target is a call, not a task."""
        return _CALL.search(self.target) is not None

    @property
    def text(self) -> str:
        """The change as `parse` reads it. Messages and documents become JSON, of which they are made again."""
        from otel_mas.record import to_json

        return f"{self.target} {self.aspect.value}={to_json(_plain(self.value)).decode()}"

    def __str__(self) -> str:
        shown = self.value if isinstance(self.value, str) else repr(self.value)
        return f"{self.target} {self.aspect.value} = {shown if len(shown) <= 60 else shown[:59] + '…'}"

    @classmethod
    def of(cls, target: str, given: Mapping[str, Any]) -> Change:
        """The change that arguments ask for.

        Raises:
            ConfigError: It is none, or several, or one that such a target does not have.
        """
        if not isinstance(target, str) or not target.strip():
            raise ConfigError(f"the target of a change is {target!r}; it must be a label, as researcher#1/model#2")
        if len(given) != 1:
            aspects = ", ".join(aspect.value for aspect in Aspect)
            raise ConfigError(f"a change of {target} must be one of {aspects}; {len(given)} were given")
        ((name, value),) = given.items()
        change = cls(target.strip(), Aspect(name), value)
        what, allowed = change._kind
        if change.aspect not in allowed:
            raise ConfigError(
                f"{target} is a {what}, whose {name} cannot be changed: give {' or '.join(map(str, allowed))}"
            )
        wanted, fits = _VALUES.get(change.aspect, ("", lambda _: True))
        if not fits(value):
            raise ConfigError(f"the {name} of {target} is {value!r}; it must be {wanted}")
        return change

    @property
    def _kind(self) -> tuple[str, Sequence[Aspect]]:
        """The kind of the target, and the aspects that such ones have."""
        if not self.of_call:
            return "task", OF_TASKS
        if _OF_MODEL.search(self.target):
            return "call of a model", (Aspect.OUTPUT, *OF_MODELS)
        return "call of a tool or retriever", (Aspect.OUTPUT,)

    @classmethod
    def parse(cls, text: str) -> Change:
        """The change that a text names: `researcher#1/model#2=text`, `writer#1 goto=END`, `writer#1 input={"n": 3}`.

        A JSON object or array, a quoted text, a number, true, false or null is read as JSON, the rest is text.

        Raises:
            ConfigError: It is none.
        """
        found = _TEXT.match(text)
        if found is None:
            raise ConfigError(f"{text!r} is no change: write it as researcher#1/model#2=TEXT, or writer#1 goto=NODE")
        aspect = found["aspect"] or Aspect.OUTPUT.value
        if aspect not in tuple(Aspect):
            raise ConfigError(f"{text!r} changes {aspect!r}; it must be one of {', '.join(Aspect)}")
        return cls.of(found["target"], {aspect: _value(found["value"])})


def _is_route(value: Any) -> bool:
    """Whether a value is the name of a node or a `Send`, or several of them."""
    several = value if isinstance(value, list | tuple) else [value]
    return bool(several) and all((isinstance(one, str) and one) or hasattr(one, "node") for one in several)


_VALUES: Final[Mapping[Aspect, tuple[str, Callable[[Any], bool]]]] = {
    Aspect.PROMPT: ("a text, or a function of the messages", lambda value: isinstance(value, str) or callable(value)),
    Aspect.MODEL: (
        "a chat model, or the name of one",
        lambda value: (isinstance(value, str) and bool(value.strip())) or hasattr(value, "_generate"),
    ),
    Aspect.GOTO: ("the name of a node, a Send, or several of these", _is_route),
}
"""The values that changes of an aspect may have, in words and as a test; any of other aspects."""


def _plain(value: Any) -> Any:
    """A value without objects of LangChain."""
    from langchain_core.documents import Document
    from langchain_core.messages import BaseMessage, message_to_dict

    if isinstance(value, BaseMessage):
        return message_to_dict(value)
    if isinstance(value, Document):
        return {"page_content": value.page_content, "metadata": value.metadata}
    return list(map(_plain, value)) if isinstance(value, list) else value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@dataclass(slots=True)
class Changes:
    """The changes of a replay, and which of them have been made.

    Args:
        recording: has their targets.
    """

    recording: Recording
    all: list[Change] = field(default_factory=list)
    made: set[Change] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.all)

    def add(self, change: Change) -> None:
        """Add a change; one of the same target and aspect is replaced.

        Raises:
            ConfigError: The recording has no such call or task, the task asked nobody for the answer that is changed,
                or another change is of an output, for which nothing is asked.
        """
        known = [call.label for call in self.recording.calls] if change.of_call else list(self.recording.tasks)
        if change.target not in known:
            raise ConfigError(unknown_label(change.target, known, self.recording.what))
        if change.aspect is Aspect.ANSWER and not self.recording.asked(change.target):
            raise ConfigError(f"{change.target} asked nobody in {self.recording.what}: it has no answer to change")
        kept = [one for one in self.all if (one.target, one.aspect) != (change.target, change.aspect)]
        aspects = {one.aspect for one in kept if one.target == change.target} | {change.aspect}
        if Aspect.OUTPUT in aspects and (useless := aspects - {Aspect.OUTPUT, Aspect.GOTO}):
            raise ConfigError(
                f"{change.target} cannot have its output and its {useless.pop().value} changed: with another output "
                "nothing is asked, and no code runs"
            )
        self.all = [*kept, change]

    def of_call(self, call: RecordedCall | None, kind: CallKind, place: TaskPlace) -> Mapping[Aspect, Change]:
        """The changes of a call: its own, and the prompt and model of the tasks that it is in, the innermost first.

        Args:
            call: the recorded one in whose place it is made; None where there is none.
            kind: of it.
            place: of it.
        """
        found: dict[Aspect, Change] = {}
        for change in sorted(self.all, key=lambda one: len(one.target)):
            if change.of_call:
                applies = call is not None and change.target == call.label
            else:
                places = self.recording.tasks[change.target].places
                applies = kind is CallKind.MODEL and change.aspect in OF_MODELS and any(map(place.is_inside, places))
            if applies:
                found[change.aspect] = change
        return {Aspect.OUTPUT: found[Aspect.OUTPUT]} if Aspect.OUTPUT in found else found

    def at(self, place: TaskPlace) -> list[Change]:
        """The changes of the task that code at a place is in."""
        return [
            one
            for one in self.all
            if not one.of_call and one.aspect not in OF_MODELS and place in self.recording.tasks[one.target].places
        ]

    @property
    def of_tasks(self) -> bool:
        """Whether there are changes of tasks."""
        return any(not one.of_call for one in self.all)

    def not_made(self) -> list[Change]:
        """The changes whose target has not been reached."""
        return [one for one in self.all if one not in self.made]

    def targets(self) -> list[str]:
        """Labels of what is changed, each once."""
        return list(dict.fromkeys(one.target for one in self.all))


def unknown_label(target: str, known: Sequence[str], what: str) -> str:
    """The error about a label that a recording does not have."""
    alike = difflib.get_close_matches(target, known, _CLOSE, 0.0) or list(known[:_CLOSE])
    there = f"there is {', '.join(alike)}" if alike else "it has none"
    return f"{what} has no {target}; {there}: `otel-mas replay TRACE --list` shows all"


def changed_value(change: Change, recorded: Callable[[], Any]) -> Any:
    """The value of a change; of a function what it makes of the recorded one."""
    return change.value(recorded()) if callable(change.value) else change.value


def parsed_changes(texts: Iterable[str]) -> list[Change]:
    """The changes that texts name. Raises as `Change.parse`."""
    return [Change.parse(text) for text in texts]


__all__ = ["Aspect", "Change", "Changes", "changed_value", "parsed_changes", "unknown_label"]
