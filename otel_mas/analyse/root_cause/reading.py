"""A reading: what was read at once, held against what was known by then."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property
from itertools import islice

from otel_mas.analyse.root_cause.garbled import garbled_part
from otel_mas.analyse.root_cause.known_texts import KnownTexts
from otel_mas.analyse.root_cause.passages import Passage, is_none
from otel_mas.analyse.root_cause.values import numbers_in
from otel_mas.analyse.tool_kinds import calculates
from otel_mas.model.opposites import OPPOSITE

_ARRAY = re.compile(r"\[([\d.,\s+-]+)\]")
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?")
_READ = 20_000
"""Characters of a prompt that are looked at, the last ones."""
_SHOWN = 3


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


class Sent:
    """Texts with a number or a verdict in them that the causes of a task wrote."""

    def __init__(self, texts: Iterable[Passage]) -> None:
        self.texts = [text for text in texts if text.marks]

    @cached_property
    def marks(self) -> frozenset[str]:
        """Numbers and verdicts."""
        return frozenset[str]().union(*(text.marks for text in self.texts))

    @cached_property
    def labelled(self) -> frozenset[tuple[str, str]]:
        """Values with their labels."""
        return frozenset(pair for text in self.texts for pair in text.labelled)

    @cached_property
    def labels(self) -> frozenset[str]:
        """The labels alone."""
        return frozenset(label for label, _ in self.labelled)

    @cached_property
    def numbers(self) -> Sequence[str]:
        """As often as they come, text after text."""
        return [number for text in self.texts for number in sorted(text.numbers)]


class Reading:
    """Texts that were read at once, and what was known by then.

    A text that somebody wrote word for word departs from nothing. Others, such as what people say, may be read again in
    each prompt of a long history: what is in them is kept with them.
    """

    def __init__(self, texts: Sequence[str], known: KnownTexts) -> None:
        self._known = known
        self._read = list(_last(texts, known))
        self._new = [one for one in self._read if not known.has(one)]

    def of_prompt(self, sent: Sent) -> Iterator[tuple[Departure, str]]:
        """Departures of a task whose model read this, where its causes wrote that."""
        lost = sorted({label for one in self._new for label in one.without_value if self._is_lost(label)})
        changed = self._changed(sent)
        if lost:
            yield Departure.NONE_READ, f"read no {', '.join(lost[:_SHOWN])}, though it was known"
        if changed:
            yield Departure.CHANGED, f"read {', '.join(changed)}"
        elif odd := self._unexplained():
            departure = Departure.NEW if self._is_among_known(odd) else Departure.STRANGE
            yield departure, f"read {', '.join(odd)}, which nobody wrote"
            if garbled := self._garbled(sent):
                yield Departure.GARBLED, f"read what had been written otherwise: {garbled}"
        elif opposite := self._opposite(sent):
            yield Departure.OPPOSITE, f"read {opposite}"
        elif garbled := self._garbled(sent):
            yield Departure.GARBLED, f"read what had been written otherwise: {garbled}"
        yield from self._unread(sent)
        if (doubled := self._known.doubled(self._read)) is not None:
            yield Departure.DOUBLED, f"read twice what was written once: {doubled[:40]}"

    def of_arguments(self, sent: Sent, is_only: bool) -> Iterator[tuple[Departure, str]]:
        """Departures of a task whose code called a tool with this."""
        text = "\n".join(one.text for one in self._read)
        if is_only and (changed := self._changed(None)):
            yield Departure.CHANGED, f"called a tool with {', '.join(changed)}"
        elif odd := self._unexplained():
            departure = Departure.NEW if calculates(text) else Departure.STRANGE
            yield departure, f"called a tool with {', '.join(odd)}, which nobody wrote"
        arrays = [array.replace(" ", "").split(",") for array in _ARRAY.findall(text)]
        is_once = not arrays or min(Counter(sent.numbers).values(), default=1) == 1
        doubled = (one for one in arrays if _comes_twice(one) and not self._known.repeated.issuperset(one))
        if is_once and any(doubled):
            yield Departure.DOUBLED, "called a tool with each number of a list more than once"

    def of_output(self, sent: Sent, computed: Departure | None, *, is_only: bool) -> Iterator[tuple[Departure, str]]:
        """Departures of a task that wrote this, a line for each channel.

        Args:
            sent: what its causes wrote.
            computed: what a number is that does not follow from what is known.
            is_only: whether no other task has its name, which may have values of its own under the same labels.
        """
        empty = [label for one in self._read for label, value in one.labelled if is_none(value)]
        lost = [label for label in empty if label in self._known.labelled]
        if lost:
            yield Departure.NONE_WRITTEN, f"wrote no {', '.join(lost[:_SHOWN])}, though it was known"
        elif empty:
            yield Departure.EMPTY, f"wrote no {', '.join(empty[:_SHOWN])}"
        if computed and is_only and (changed := self._changed(None)):
            yield Departure.REWRITTEN, f"wrote {', '.join(changed)}"
        if computed and len(sent.numbers) > 1 and (odd := self._unexplained([float(one) for one in sent.numbers])):
            yield computed, f"wrote {', '.join(odd)}, which follows from nothing that was written before"

    def _unread(self, sent: Sent) -> Iterator[tuple[Departure, str]]:
        if not sent.marks or any(not sent.marks.isdisjoint(one.marks) for one in self._read):
            return
        if any(label in sent.labels for one in self._read for label, _ in one.labelled):
            return
        others = any(not one.marks.isdisjoint(self._known.numbers.all) for one in self._read)
        are_verdicts = sent.marks <= OPPOSITE.keys()
        if not (others and are_verdicts):
            unread = Departure.VERDICT_UNREAD if are_verdicts else Departure.UNREAD
            shown = ", ".join(sorted(sent.marks)[:_SHOWN])
            yield Departure.OTHERS_READ if others else unread, f"read nothing of what its causes wrote: {shown}"

    def _is_lost(self, label: str) -> bool:
        is_known = len(self._known.labelled.get(label, ())) == 1  # of several, none may be what is meant
        return is_known and label not in self._known.empty

    def _changed(self, sent: Sent | None) -> list[str]:
        """The first values whose label is known with others only, and that nobody wrote, or only their opposite.

        Args:
            sent: what causes wrote; without it, numbers alone are looked at.
        """
        labelled = self._known.labelled
        others: dict[str, tuple[str, str]] = {}
        for label, value in {pair for one in self._new for pair in one.named_values}:
            if label in labelled and value not in labelled[label]:
                instead = " or ".join(self._known.first_values(label))
                others[f"{label} {value} instead of {instead}"] = label, value
        return list(islice((shown for shown in sorted(others) if self._is_new(*others[shown], sent)), _SHOWN))

    def _is_new(self, label: str, value: str, sent: Sent | None) -> bool:
        numbers = numbers_in(value)
        if sent is None and not numbers:
            return False
        if _DATE.fullmatch(value):
            return not self._known.words.issuperset(value.split("-"))
        if numbers:
            return any(self._known.numbers.unexplained(numbers))
        words = Passage(value).words
        new_words = len(words) > 0 and value not in OPPOSITE and self._known.words.isdisjoint(words)
        return new_words or (sent is not None and (label, OPPOSITE.get(value, "")) in sent.labelled)

    def _unexplained(self, given: Sequence[float] = ()) -> list[str]:
        """The first numbers that nobody wrote and that follow from nothing."""
        return list(islice(self._known.numbers.unexplained(self._numbers_of_rest, given), _SHOWN))

    @cached_property
    def _numbers_of_rest(self) -> frozenset[str]:
        for one in self._new:
            self._known.take_out(one)
        return frozenset[str]().union(*(one.numbers_of_rest for one in self._new))

    def _is_among_known(self, first: Sequence[str]) -> bool:
        """Whether all words are known in each line that has a number which nobody wrote.

        Args:
            first: some of these numbers; the others are looked at only where there are unknown words in their lines.
        """
        lines = [line for one in self._new for line in one.lines_with_numbers]
        strange = frozenset[str]().union(*(numbers for numbers, words in lines if not words <= self._known.words))
        if not strange.isdisjoint(first) or all(numbers.isdisjoint(first) for numbers, _ in lines):
            return False
        return not any(self._known.numbers.unexplained(strange & self._numbers_of_rest))

    def _opposite(self, sent: Sent) -> str | None:
        """A verdict that nobody had written, in the place of its opposite, which a cause wrote."""
        there = frozenset[str]().union(*(one.verdicts for one in self._read))
        for text in sent.texts if there else ():
            for word in sorted(text.verdicts - there):
                if OPPOSITE[word] in there - self._known.words:
                    return f"{OPPOSITE[word]} instead of {word}"
        return None

    def _garbled(self, sent: Sent) -> str | None:
        """The part of the rest that is most like a text which did not arrive, and has words that nobody wrote."""
        new, arrived = set(map(id, self._new)), {one.flat for one in self._read}
        rest = " ".join(one.rest if id(one) in new else "\n" for one in self._read)
        if not rest.strip():
            return None
        flat = " ".join(one.flat for one in self._read)
        missing = (text for text in sent.texts if text.flat not in arrived and text.flat not in flat)
        parts = (garbled_part(text, rest, self._known.words) for text in missing)
        return next(filter(None, parts), None)


def _last(texts: Sequence[str], known: KnownTexts) -> Sequence[Passage]:
    """The last of the texts, as far as they are looked at."""
    found, left = list[Passage](), _READ
    for text in reversed(texts):
        if left <= 0:
            break
        found.append(known.passage(text) if len(text) <= left else Passage(text[-left:]))
        left -= len(text) + 1
    return found[::-1]


def _comes_twice(numbers: list[str]) -> bool:
    """Whether there are several numbers, and each of them at least twice."""
    times = Counter(number.strip() for number in numbers)
    return len(times) > 1 and min(times.values()) > 1


__all__ = ["Departure", "Reading", "Sent"]
