"""Arrivals: what was written, against what was read later. Values may get lost, changed or doubled on the way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.evidence import Evidence
from otel_mas.analyse.root_cause.known_texts import KnownTexts
from otel_mas.analyse.root_cause.passages import is_none
from otel_mas.analyse.root_cause.reading import Departure, Reading, Sent
from otel_mas.analyse.root_cause.values import numbers_in
from otel_mas.semconv import RecordKind

_WEIGHTS = {
    Departure.NONE_READ: 0.85,
    Departure.CHANGED: 0.85,
    Departure.OPPOSITE: 0.75,
    Departure.GARBLED: 0.75,
    Departure.NEW: 0.6,
    Departure.STRANGE: 0.6,
    Departure.UNREAD: 0.6,
    Departure.VERDICT_UNREAD: 0.6,
    Departure.OTHERS_READ: 0.25,
    Departure.DOUBLED: 0.6,
    Departure.NONE_GIVEN: 0.35,
    Departure.NONE_WRITTEN: 0.85,
    Departure.EMPTY: 0.35,
    Departure.REWRITTEN: 0.85,
    Departure.UNFOUNDED: 0.6,
    Departure.TOOLED: 0.4,
}
_OF_A_VALUE = (Departure.NONE_READ, Departure.CHANGED, Departure.NONE_WRITTEN, Departure.REWRITTEN)
_BETWEEN = 0.55
"""For a called task whose result is not recorded: it may be the one that changed a value."""
_SHOWN = 3
_POSITION = re.compile(r"[0-9]{1,9}")


class Arrival(NamedTuple):
    """A task that read something else than was written, nothing of it, or twice; or that wrote what does not follow."""

    task: Act
    reader: Act
    """The task itself, or the call in it for which this was read."""
    departure: Departure
    reason: str
    """In words, with the task as their subject."""


def arrival_evidence(acts: Acts) -> Iterator[Evidence]:
    """Tasks to which something else came than was written, and those that may be why."""
    for task, _, departure, reason in arrivals(acts):
        yield Evidence(task.number, _WEIGHTS[departure], reason)
        before = acts.called_before(task) if departure in _OF_A_VALUE else None
        if before is not None and not acts.outputs(before) and not acts.inside(before):
            yield Evidence(before.number, _BETWEEN, f"came before {task.agent}, which {reason}")


def arrivals(acts: Acts) -> Iterator[Arrival]:
    """Departures of what was read from what had been written by then, in the order of reading."""
    known = KnownTexts()
    for text in acts.task:
        known.add(text)
    known.numbers.all |= _constants(acts)
    given = Counter(number for text in acts.task for line in text.splitlines() for number in numbers_in(line))
    known.repeated = {number for number, times in given.items() if times > 1}
    seen: set[tuple[int, str]] = set()
    number, sent_to = 0, dict[int, Sent]()
    for at_ns, reader, task, texts in sorted(_readings(acts), key=lambda one: (one[0], one[1].number)):
        while number < len(acts) and acts[number].span.last_ns <= at_ns and number != reader.number:
            _add(acts[number], acts, known)
            number += 1
        if task.number not in sent_to:
            sent_to[task.number] = _sent(task, acts, known)
        reading, sent = Reading(texts, known), sent_to[task.number]
        if reader.is_call:
            found = reading.of_arguments(sent, acts.is_only(task))
        elif at_ns == task.span.last_ns:
            found = reading.of_output(sent, _computes(task, acts), is_only=acts.is_only(task))
        else:
            found = reading.of_prompt(sent)
        if reader is task and at_ns == task.span.start_ns and (nothing := _given_nothing(task, acts)):
            found = chain(found, [(Departure.NONE_GIVEN, f"was called with nothing for {', '.join(nothing[:_SHOWN])}")])
        for departure, reason in found:
            if (task.number, reason) not in seen:
                seen.add((task.number, reason))
                yield Arrival(task, reader, departure, reason)


def _constants(acts: Acts) -> set[str]:
    """Numbers with which a tool was called more than once: the app's own, as a limit of results is."""
    called = Counter((act.span.name, number) for act in acts if act.is_call for number in numbers_in(act.arguments))
    return {number for (_, number), times in called.items() if times > 1}


def _readings(acts: Acts) -> Iterator[tuple[int, Act, Act, Sequence[str]]]:
    """When something was read, by which act, for which task, and the texts; of each task at its end what it wrote."""
    for act in acts:
        if act.span.record_kind == RecordKind.LLM_CALL or act.reads:
            task = acts.task_around(act) or act
            yield act.span.start_ns, act, task, acts.read_by(act)
        if act.is_call and act.arguments and act.caller is not None and acts[act.caller] is acts.task_around(act):
            yield act.span.start_ns, act, acts[act.caller], (act.arguments,)
        if act.span.record_kind == RecordKind.AGENT_TASK:
            if acts.is_only(act) and (given := acts.given(act)):
                yield act.span.start_ns, act, act, (_lines(given),)
            yield act.span.last_ns, act, act, (_written_by(act, acts),)


def _computes(task: Act, acts: Acts) -> Departure | None:
    """Kind of a number that does not follow from what the causes of a task wrote; None where it asks a model."""
    inside = acts.inside(task)
    return None if not all(act.is_call for act in inside) else Departure.TOOLED if inside else Departure.UNFOUNDED


def _given_nothing(task: Act, acts: Acts) -> list[str]:
    """Arguments that a task was called or sent with, and that are empty; of those by position the number, from 1."""
    empty = [name for name, text in acts.given(task) if is_none(text)]
    return [f"argument {int(name) + 1}" if _POSITION.fullmatch(name) else name for name in empty]


def _written_by(task: Act, acts: Acts) -> str:
    """The fields of the state that a task wrote, a line for each; of one that only speaks its text."""
    return _lines(acts.fields(task)) or ("" if acts.inside(task) or task.reads else task.wrote)


def _lines(parts: list[tuple[str, str]]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in parts)


def _add(act: Act, acts: Acts, known: KnownTexts) -> None:
    times = acts.times(act)
    for text in acts.outputs(act):
        known.add(text, times=max(1, times[text]) if text in act.wrote else 0)
    for channel, text in acts.fields(act):
        known.add_value(channel, text)


def _sent(task: Act, acts: Acts, known: KnownTexts) -> Sent:
    """Texts that the causes of a task wrote."""
    causes = [cause for cause in acts.causes(task) if not cause.is_person]
    return Sent(known.passage(text) for cause in causes for text in acts.outputs(cause))


__all__ = ["Arrival", "Departure", "arrival_evidence", "arrivals"]
