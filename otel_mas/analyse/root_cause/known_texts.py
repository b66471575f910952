"""Texts, numbers, words and labelled values that were written so far, to find again in what is read later."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from otel_mas.analyse.root_cause.known_numbers import KnownNumbers
from otel_mas.analyse.root_cause.passages import PHRASE, Passage, is_none, label_of, value_of

_KEY_WORDS = 6
_SAME_START = 100
"""Texts with the same first words that are looked for at most, the latest ones."""
_MOST_PASSAGES = 5_000
"""Texts of which is kept what is in them."""


class KnownTexts:
    """Texts, indexed by their first words, with the numbers, words and labelled values in them."""

    def __init__(self) -> None:
        self.numbers = KnownNumbers()
        self.repeated: set[str] = set()
        """Numbers that the run was given more than once."""
        self.words: set[str] = set()
        self.labelled: dict[str, set[str]] = {}
        """Values by their label, both in one form."""
        self.empty: set[str] = set()
        """Labels that somebody wrote without a value."""
        self._first_values: dict[str, list[str]] = {}
        self._times: Counter[str] = Counter()
        self._lines: Counter[str] = Counter()
        self._sizes: set[int] = set()
        self._by_start: dict[tuple[str, ...], list[str]] = {}
        self._first_words: set[str] = set()
        self._long: list[str] = []
        """Those that are looked for, in the order in which they came."""
        self._passages: dict[str, Passage] = {}

    def passage(self, text: str) -> Passage:
        """A text with what is in it."""
        found = self._passages.get(text)
        if found is None:
            if len(self._passages) >= _MOST_PASSAGES:
                self._passages.clear()
            found = self._passages[text] = Passage(text)
        return found

    def add(self, text: str, times: int = 1) -> None:
        """Note a text that was written so many times more."""
        passage = self.passage(text)
        if passage.flat not in self._times:
            self._add_parts(passage)
        self._times[passage.flat] += times
        for line in passage.lines if times else ():
            self._lines[line] += times

    def add_value(self, label: str, text: str) -> None:
        """Note a value by its label, such as the channel of a state."""
        if is_none(text):
            self.empty.add(label_of(label))
        else:
            self._add_value(label_of(label), value_of(text))

    def first_values(self, label: str) -> Sequence[str]:
        """The first two values by a label, as they are sorted."""
        return self._first_values.get(label, ())

    def has(self, passage: Passage) -> bool:
        """Whether somebody wrote a text word for word."""
        return passage.flat in self._times

    def doubled(self, read: Sequence[Passage]) -> str | None:
        """A line that was read more often than it was written."""
        lines = list(chain.from_iterable(one.lines for one in read))
        if len(set(lines)) == len(lines):
            return None
        return next((line for line, times in Counter(lines).items() if times > self._lines.get(line, times)), None)

    def take_out(self, read: Passage) -> None:
        """Take those texts out of the rest of what was read that are in it, the longest first."""
        new = len(self._long) - read.searched
        if read.searched and new <= _SAME_START:
            inside = {text for text in islice(self._long, read.searched, None) if text in read.rest}
            found = inside and inside.intersection(self._inside(read))
        else:
            found = {text for text in self._inside(read) if text in read.flat} if new else set()
        read.searched = len(self._long)
        read.without(sorted(found, key=lambda text: (-len(text), text)))

    def _inside(self, read: Passage) -> Iterator[str]:
        """Texts whose first words stand somewhere in what was read."""
        words, keys = read.words, set[tuple[str, ...]]()
        for at, word in enumerate(words):
            if word in self._first_words:
                keys.update(tuple(words[at : at + size]) for size in self._sizes)
        return chain.from_iterable(self._by_start[key][-_SAME_START:] for key in keys if key in self._by_start)

    def _add_parts(self, passage: Passage) -> None:
        self.numbers.add(passage.flat, passage.numbers)
        self.words |= passage.small_words
        for label, value in passage.labelled:
            if is_none(value):
                self.empty.add(label)
            else:
                self._add_value(label, value)
        words = passage.words
        if len(passage.flat) >= PHRASE and words:
            key = tuple(words[:_KEY_WORDS])
            self._sizes.add(len(key))
            self._first_words.add(key[0])
            self._by_start.setdefault(key, []).append(passage.flat)
            self._long.append(passage.flat)

    def _add_value(self, label: str, value: str) -> None:
        values = self.labelled.setdefault(label, set())
        if value not in values:
            values.add(value)
            first = self._first_values.setdefault(label, [])
            insort(first, value)
            del first[2:]


__all__ = ["KnownTexts"]
