"""Arrivals: what was written, against what was read later. Values may get lost, changed or doubled on the way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import chain, islice
from typing import NamedTuple

from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.evidence import Evidence
from otel_mas.analyse.root_cause.known_texts import (
    PHRASE,
    KnownTexts,
    flattened,
    is_none,
    labelled_in,
    words_of,
)
from otel_mas.analyse.root_cause.values import COUNT, numbers_in
from otel_mas.analyse.tool_kinds import calculates
from otel_mas.model.opposites import OPPOSITE
from otel_mas.semconv import RecordKind


class Departure(StrEnum):
    """How what a task read or wrote departs from what was written before."""

    NONE_READ = "none read"
    """It read that there is none of what is known."""
    CHANGED = "changed"
    """It read, or gave a tool, another value under a name than was written."""
    OPPOSITE = "opposite"
    """It read the opposite of what a cause wrote."""
    GARBLED = "garbled"
    """It read a text of a cause with other words."""
    NEW = "new"
    """It read, in the words of others, or gave a tool for numbers alone, a number that nobody wrote."""
    STRANGE = "strange"
    """It read a number that nobody wrote, among other new words; so do those who read what is recorded nowhere."""
    UNREAD = "unread"
    """It read nothing of what its causes wrote."""
    VERDICT_UNREAD = "verdict unread"
    """The same of causes that wrote nothing but a verdict, on which somebody may have acted."""
    OTHERS_READ = "others read"
    """It read nothing of what its causes wrote, but what others did."""
    DOUBLED = "doubled"
    """It read twice what was written once."""
    NONE_GIVEN = "none given"
    """It was called or sent with an empty value."""
    NONE_WRITTEN = "none written"
    """It wrote that there is none of what is known."""
    EMPTY = "empty"
    """It wrote that there is none."""
    REWRITTEN = "rewritten"
    """Without asking a model it wrote another value under a name than is known."""
    UNFOUNDED = "unfounded"
    """Without asking anybody it wrote a number that follows from nothing."""
    TOOLED = "tooled"
    """The same of one that asked a tool."""


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
_ARRAY = re.compile(r"\[([\d.,\s+-]+)\]")
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?")
_READ = 20_000
"""Characters of a prompt that are looked at, the last ones."""
_MOST = 300
"""Characters of a text that are compared letter by letter."""
_WINDOWS = 500
_ALIKE = 0.65
"""Similarity (difflib's ratio) from which a text is another one, changed."""
_NEW_WORDS = 2
_LETTERS = 3
"""Letters of a word from which on it is told whether it is another one with other letters."""
_SHOWN = 3


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
    known.numbers |= _constants(acts)
    given = Counter(number for text in acts.task for line in text.splitlines() for number in numbers_in(line))
    known.repeated = {number for number, times in given.items() if times > 1}
    seen: set[tuple[int, str]] = set()
    number = 0
    for at_ns, reader, task, text in sorted(_readings(acts), key=lambda one: (one[0], one[1].number)):
        while number < len(acts) and acts[number].span.last_ns <= at_ns and number != reader.number:
            _add(acts[number], acts, known)
            number += 1
        reading = _Reading(text[-_READ:], known)
        sent = _sent(task, acts)
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


def _readings(acts: Acts) -> Iterator[tuple[int, Act, Act, str]]:
    """When something was read, by which act, for which task, and the text; of each task at its end what it wrote."""
    for act in acts:
        if act.span.record_kind == RecordKind.LLM_CALL or act.reads:
            task = acts.task_around(act) or act
            yield act.span.start_ns, act, task, "\n".join(acts.read_by(act))
        if act.is_call and act.arguments and act.caller is not None and acts[act.caller] is acts.task_around(act):
            yield act.span.start_ns, act, acts[act.caller], act.arguments
        if act.span.record_kind == RecordKind.AGENT_TASK:
            if acts.is_only(act) and (given := acts.given(act)):
                yield act.span.start_ns, act, act, _lines(given)
            yield act.span.last_ns, act, act, _written_by(act, acts)


def _computes(task: Act, acts: Acts) -> Departure | None:
    """Kind of a number that does not follow from what the causes of a task wrote; None where it asks a model."""
    inside = acts.inside(task)
    return None if not all(act.is_call for act in inside) else Departure.TOOLED if inside else Departure.UNFOUNDED


def _given_nothing(task: Act, acts: Acts) -> list[str]:
    """Arguments that a task was called or sent with, and that are empty; of those by position the number, from 1."""
    empty = [name for name, text in acts.given(task) if is_none(text)]
    return [f"argument {int(name) + 1}" if name.isdigit() else name for name in empty]


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


def _sent(task: Act, acts: Acts) -> list[str]:
    """Texts with a number or a verdict in them that the causes of a task wrote."""
    texts = [text for cause in acts.causes(task) if not cause.is_person for text in acts.outputs(cause)]
    return [text for text in texts if _marked(text)]


def _marked(text: str) -> set[str]:
    """Numbers and verdicts of a text."""
    words = {match.group().lower() for match in words_of(text)}
    numbers = {number for number in numbers_in(text) if "." in number or abs(float(number)) >= COUNT}
    return numbers | {word for word in words if word in OPPOSITE}


class _Reading:
    """A text that was read, and what was known by then."""

    def __init__(self, text: str, known: KnownTexts) -> None:
        self._text = text
        self._known = known
        rest = self._flat = flattened(text)
        for one in known.inside(self._flat):
            rest = rest.replace(one, "\n")
        self._rest = rest

    def of_prompt(self, sent: list[str]) -> Iterator[tuple[Departure, str]]:
        """Departures of a task whose model read this, where its causes wrote that."""
        lost = sorted({label for label, value in labelled_in(self._text) if self._is_lost(label, value)})
        from_causes = {pair for text in sent for pair in labelled_in(text)}
        changed = sorted(
            {one for label, value in self._labelled() if (one := self._changed(label, value, from_causes))}
        )
        if lost:
            yield Departure.NONE_READ, f"read no {', '.join(lost[:_SHOWN])}, though it was known"
        if changed:
            yield Departure.CHANGED, f"read {', '.join(changed[:_SHOWN])}"
        elif odd := self._known.unexplained(self._rest):
            departure = Departure.NEW if self._is_among_known(odd) else Departure.STRANGE
            yield departure, f"read {', '.join(odd[:_SHOWN])}, which nobody wrote"
            if garbled := self._garbled(sent):
                yield Departure.GARBLED, f"read what had been written otherwise: {garbled}"
        elif opposite := self._opposite(sent):
            yield Departure.OPPOSITE, f"read {opposite}"
        elif garbled := self._garbled(sent):
            yield Departure.GARBLED, f"read what had been written otherwise: {garbled}"
        wanted = {value for text in sent for value in _marked(text)}
        labels = {label for text in sent for label, _ in labelled_in(text)}
        read = _marked(self._flat)
        if wanted and not wanted & read and not labels & {label for label, _ in self._labelled()}:
            others, are_verdicts = bool(read & self._known.numbers), wanted <= OPPOSITE.keys()
            unread = Departure.VERDICT_UNREAD if are_verdicts else Departure.UNREAD
            if not (others and are_verdicts):
                shown = ", ".join(sorted(wanted)[:_SHOWN])
                yield Departure.OTHERS_READ if others else unread, f"read nothing of what its causes wrote: {shown}"
        if (doubled := self._known.doubled(self._text)) is not None:
            yield Departure.DOUBLED, f"read twice what was written once: {doubled[:40]}"

    def of_arguments(self, sent: list[str], is_only: bool) -> Iterator[tuple[Departure, str]]:
        """Departures of a task whose code called a tool with this."""
        if is_only and (changed := self._changed_numbers()):
            yield Departure.CHANGED, f"called a tool with {', '.join(changed[:_SHOWN])}"
        elif odd := self._known.unexplained(self._rest):
            departure = Departure.NEW if calculates(self._text) else Departure.STRANGE
            yield departure, f"called a tool with {', '.join(odd[:_SHOWN])}, which nobody wrote"
        once = min(Counter(number for text in sent for number in numbers_in(text)).values(), default=1) == 1
        arrays = [array.replace(" ", "").split(",") for array in _ARRAY.findall(self._text)] if once else []
        if any(_comes_twice(numbers) and not self._known.repeated.issuperset(numbers) for numbers in arrays):
            yield Departure.DOUBLED, "called a tool with each number of a list more than once"

    def of_output(
        self, sent: list[str], computed: Departure | None, *, is_only: bool
    ) -> Iterator[tuple[Departure, str]]:
        """Departures of a task that wrote this, a line for each channel.

        Args:
            sent: what its causes wrote.
            computed: what a number is that does not follow from what is known.
            is_only: whether no other task has its name, which may have values of its own under the same labels.
        """
        empty = [label for label, value in labelled_in(self._text) if is_none(value)]
        lost = [label for label in empty if label in self._known.labelled]
        if lost:
            yield Departure.NONE_WRITTEN, f"wrote no {', '.join(lost[:_SHOWN])}, though it was known"
        elif empty:
            yield Departure.EMPTY, f"wrote no {', '.join(empty[:_SHOWN])}"
        if computed and is_only and (changed := self._changed_numbers()):
            yield Departure.REWRITTEN, f"wrote {', '.join(changed[:_SHOWN])}"
        given = [float(number) for text in sent for number in sorted(numbers_in(text))]
        if computed and len(given) > 1 and (odd := self._known.unexplained(self._rest, given)):
            yield computed, f"wrote {', '.join(odd[:_SHOWN])}, which follows from nothing that was written before"

    def _labelled(self) -> Iterator[tuple[str, str]]:
        for line in self._text.splitlines():
            yield from labelled_in(line)

    def _changed_numbers(self) -> list[str]:
        labelled = ((label, value) for label, value in self._labelled() if numbers_in(value))
        return sorted({one for label, value in labelled if (one := self._changed(label, value, set()))})

    def _is_among_known(self, numbers: list[str]) -> bool:
        """Whether all words are known in each line that has one of these numbers."""
        lines = [line for line in map(flattened, self._text.splitlines()) if not numbers_in(line).isdisjoint(numbers)]
        words = {word for line in lines for match in words_of(line) if not (word := match.group().lower()).isdigit()}
        return bool(lines) and words <= self._known.words

    def _is_lost(self, label: str, value: str) -> bool:
        is_known = len(self._known.labelled.get(label, ())) == 1  # of several, none may be what is meant
        return bool(value) and is_none(value) and is_known and label not in self._known.empty

    def _changed(self, label: str, value: str, from_causes: set[tuple[str, str]]) -> str | None:
        """A value, where its label is known with others only, and nobody wrote this one; or a cause its opposite."""
        others = self._known.labelled.get(label, set())
        if not others or value in others or is_none(value) or value.count(" ") >= _SHOWN:
            return None
        if _DATE.fullmatch(value):
            is_new = not self._known.words.issuperset(value.split("-"))
        elif numbers_in(value):
            is_new = bool(self._known.unexplained(value))
        else:
            words = {match.group() for match in words_of(value)}
            new_words = len(words) > 0 and value not in OPPOSITE and words.isdisjoint(self._known.words)
            is_new = (label, OPPOSITE.get(value, "")) in from_causes or new_words
        return f"{label} {value} instead of {' or '.join(sorted(others)[:2])}" if is_new else None

    def _opposite(self, sent: list[str]) -> str | None:
        """A verdict that nobody had written, in the place of its opposite, which a cause wrote."""
        there = {match.group().lower() for match in words_of(self._flat)}
        for text in sent:
            for word in sorted({match.group().lower() for match in words_of(text)} & OPPOSITE.keys() - there):
                if OPPOSITE[word] in there - self._known.words:
                    return f"{OPPOSITE[word]} instead of {word}"
        return None

    def _garbled(self, sent: list[str]) -> str | None:
        """The part of the rest that is most like a text which did not arrive, and has words that nobody wrote."""
        for text in sent:
            if flattened(text) not in self._flat and (part := _most_alike(flattened(text)[:_MOST], self._rest)):
                words = {match.group().lower() for match in words_of(part)}
                if _is_garbled(words - self._known.words, {match.group().lower() for match in words_of(text)} - words):
                    return part
        return None


def _is_garbled(new: set[str], missing: set[str]) -> bool:
    """Whether new words are others with other letters; a sentence of the same form has other words in their places."""
    alike = [word for word in new if any(_is_other_letters(word, one) for one in missing)]
    return len(alike) >= _NEW_WORDS and 2 * len(alike) >= len(new)


def _is_other_letters(word: str, other: str) -> bool:
    same = sum(one == another for one, another in zip(word, other, strict=False))
    return len(word) == len(other) >= _LETTERS and 2 * same >= len(word)


def _comes_twice(numbers: list[str]) -> bool:
    """Whether there are several numbers, and each of them at least twice."""
    times = Counter(number.strip() for number in numbers)
    return len(times) > 1 and min(times.values()) > 1


def _most_alike(text: str, rest: str) -> str | None:
    """The part of the rest, as long as the text, that is most like it."""
    if len(text) < PHRASE:
        return None
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(text)
    best, found = _ALIKE, None
    for match in islice(words_of(rest), _WINDOWS):
        part = rest[match.start() : match.start() + len(text)].partition("\n")[0]
        matcher.set_seq1(part)
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and matcher.ratio() > best:
            best, found = matcher.ratio(), part
    return found


__all__ = ["Arrival", "Departure", "arrival_evidence", "arrivals"]
