"""Passages: parts of what was read, such as messages, and what is in each, worked out once however often it is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from otel_mas.analyse.root_cause.values import COUNT, numbers_in
from otel_mas.model.opposites import OPPOSITE

_WORD = re.compile(r"\w+")
_LABELLED = re.compile(r"(?:^|[\n,;{(]|\. |- )[ \t]*[\"']?([A-Za-z][\w ]{1,30}?)[\"']?[ \t]*[:=][ \t]*([^\n;}]*)")
_END = re.compile(r"[.;}]\s|,\s?(?=[\"'\w][\w ]{0,30}[\"']?\s?[:=])|[.,;\"'}\])]*$")
_NONE = re.compile(
    r"[\s.,;\"']*(?:none|null|unknown|n/a|na|nan|nil|\?|-|undefined|not\s+known)?[\s.,;\"']*", re.IGNORECASE
)
_SENTENCE = 3
"""Spaces from which on a value is a sentence, which others say in other words."""
PHRASE = 12
"""Characters of a text that does not come twice by chance; shorter ones are not looked for."""


class Passage:
    """A text and what is in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.flat = flattened(text)
        self.rest, self.searched = self.flat, 0
        """The text without the known ones in it, and how many of these it was searched for."""

    @cached_property
    def words(self) -> Sequence[str]:
        """In order, as they were written."""
        return _WORD.findall(self.flat)

    @cached_property
    def small_words(self) -> frozenset[str]:
        """In small letters."""
        return frozenset(map(str.lower, self.words))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """As `numbers_in` gives them."""
        return numbers_in(self.flat)

    @cached_property
    def verdicts(self) -> frozenset[str]:
        """Words that have an opposite."""
        return self.small_words & OPPOSITE.keys()

    @cached_property
    def marks(self) -> frozenset[str]:
        """Numbers that are no counts, and verdicts."""
        numbers = (number for number in self.numbers if "." in number or abs(float(number)) >= COUNT)
        return self.verdicts.union(numbers)

    @cached_property
    def labelled(self) -> Sequence[tuple[str, str]]:
        """Labels and their values, both in one form."""
        return labelled_texts(self.text)

    @cached_property
    def named_values(self) -> Sequence[tuple[str, str]]:
        """Those of the labelled values that are there, and no sentences."""
        return [(label, value) for label, value in self.labelled if value.count(" ") < _SENTENCE and not is_none(value)]

    @cached_property
    def without_value(self) -> Sequence[str]:
        """Labels of which it says that there is no value."""
        return [label for label, value in self.labelled if value and is_none(value)]

    @cached_property
    def lines(self) -> Sequence[str]:
        """Lines that are long enough not to come twice by chance, with single spaces."""
        return [line for line in map(flattened, self.text.splitlines()) if len(line) >= PHRASE]

    @cached_property
    def lines_with_numbers(self) -> Sequence[tuple[frozenset[str], frozenset[str]]]:
        """The numbers of each line that has any, and its words in small letters, but for numbers."""
        found = []
        for line in map(flattened, self.text.splitlines()):
            if numbers := numbers_in(line):
                words = _WORD.findall(line.lower())
                found.append((numbers, frozenset(word for word in words if not word.isdigit())))
        return found

    def without(self, texts: Iterable[str]) -> None:
        """Take texts out of the rest."""
        for text in texts:
            self.rest = self.rest.replace(text, "\n")
            self.__dict__.pop("numbers_of_rest", None)

    @cached_property
    def numbers_of_rest(self) -> frozenset[str]:
        """The numbers in what is left."""
        return self.numbers if self.rest == self.flat else numbers_in(self.rest)


def labelled_texts(text: str) -> list[tuple[str, str]]:
    """The labelled texts in a text: `Cost: 38 million`, `"cost": 38`; each as label and value in one form."""
    found, at = list[tuple[str, str]](), 0
    while (match := _LABELLED.search(text, at)) is not None:
        value = match[2]
        if value[:1] in ("{", "["):  # the labels are inside
            at = match.start(2)
            continue
        end = _END.search(value)
        cut = value if end is None else value[: end.start()]
        found.append((label_of(match[1]), value_of(cut)))
        at = max(match.start(2) + len(cut), match.start() + 1)
    return found


def is_none(value: str) -> bool:
    """Whether a value says that there is none."""
    return _NONE.fullmatch(value) is not None


def words_of(text: str) -> Iterator[re.Match[str]]:
    """The words of a text, with their places."""
    return _WORD.finditer(text)


def flattened(text: str) -> str:
    """A text with single spaces for all that is blank."""
    return " ".join(text.split())


def label_of(text: str) -> str:
    """A label in one form: in small letters, with single spaces."""
    return " ".join(text.replace("_", " ").lower().split())


def value_of(text: str) -> str:
    """A value in one form: in small letters, with single spaces, numbers without separators."""
    value = " ".join(text.lower().split()).strip(" .,;\"'")
    number = value.replace(",", "")
    return number if number.replace(".", "", 1).isdigit() else value


__all__ = ["PHRASE", "Passage", "flattened", "is_none", "label_of", "labelled_texts", "value_of", "words_of"]
