"""Labelled values: `Opening: 2041-05-03`, `"cost": 281`, `verdict = yes`, and fields of structured values.

Only values that can be compared are read: numbers, days, yes and no, words for what is not known, and choices of a few
words where the label says that it is one. The words for these are English; of other languages only numbers and days are
read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

LONGEST = 20_000
"""Characters of a text that are looked at, the last ones: what is new to a reader comes last."""
_DEEPEST = 3
_MOST_FIELDS = 200
_UNKNOWN = (
    "unknown|none|null|n/a|undefined|not (?:known|available|provided|given|specified|found|stated)|missing|unavailable"
)
_VERDICTS = {
    "yes": True,
    "true": True,
    "approve": True,
    "approved": True,
    "accept": True,
    "accepted": True,
    "pass": True,
    "passed": True,
    "no": False,
    "false": False,
    "reject": False,
    "rejected": False,
    "decline": False,
    "declined": False,
    "fail": False,
    "failed": False,
}
_VALUE = (
    r"(?P<day>\d{4}-\d\d-\d\d)|(?P<number>[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)"
    rf"|(?P<unknown>{_UNKNOWN}|\?)|(?P<verdict>{'|'.join(_VERDICTS)})"
)
_CHOICE = r"(?P<choice>[a-z][\w-]*(?:[ \t][\w-]+){0,2})(?=[ \t]*(?:[.,;!\n\"'*}\])]|$))"
_CHOICES = frozenset(
    (
        *("choice", "decision", "recommendation", "option", "action", "winner", "category", "class", "classification"),
        *("sentiment", "priority", "verdict", "diagnosis", "conclusion", "outcome"),
    )
)
"""Last words of labels whose values are choices."""
_AFTER = re.compile(rf"[:=][ \t]*[\"'*$€£]*(?:(?:{_VALUE})(?![\w%-]|[.,/:]\d)|{_CHOICE})", re.IGNORECASE)
_LABEL = re.compile(r"(?<![A-Za-z_])(?P<label>[A-Za-z_][\w-]*+(?:[ \t][A-Za-z_][\w-]*+){0,2}+)[\"'*]*[ \t]*$")
_LABEL_LENGTH = 60
_WHOLE = re.compile(rf"\W*(?:{_VALUE}|(?P<choice>[a-z][\w-]*(?:[ \t][\w-]+){{0,2}}))\W*", re.IGNORECASE)


class ValueKind(StrEnum):
    """Kind of a labelled value."""

    NUMBER = "number"
    DAY = "day"
    VERDICT = "verdict"
    CHOICE = "choice"
    """A few words, in small letters."""
    UNKNOWN = "unknown"
    """A word that says that there is no value."""


class Labelled(NamedTuple):
    """A value with the words before it."""

    label: str
    """In small letters, with single spaces."""
    kind: ValueKind
    value: float | bool | str | date | None
    """None where it is not known."""
    text: str
    """As it was written."""

    @property
    def number(self) -> float:
        """The value of a number; 0 for what is none."""
        return float(self.value) if isinstance(self.value, int | float) else 0.0

    @property
    def topics(self) -> Iterator[str]:
        """The label, and what is left of it without its first words: `the opening` is `opening`, too."""
        words = self.label.split()
        yield from (" ".join(words[at:]) for at in range(len(words)))


def labelled_in(text: str) -> list[Labelled]:
    """The labelled values in a text, in order."""
    text = text[-LONGEST:]
    found = []
    for match in _AFTER.finditer(text):
        label = _LABEL.search(text, max(0, match.start() - _LABEL_LENGTH), match.start())
        made = None if label is None or len(label["label"]) < 2 else _made(label["label"], match)
        if made is not None:
            found.append(made)
    return found


def labelled_fields(name: str, value: Any, depth: int = 0) -> Iterator[Labelled]:
    """A field and those inside of it that hold such a value; texts in it are read as well."""
    if value is None:
        yield Labelled(topic(name), ValueKind.UNKNOWN, None, "nothing")
    elif isinstance(value, bool):
        yield Labelled(topic(name), ValueKind.VERDICT, value, str(value).lower())
    elif isinstance(value, int | float):
        yield Labelled(topic(name), ValueKind.NUMBER, float(value), str(value))
    elif isinstance(value, str):
        match = _WHOLE.fullmatch(value[:100])
        whole = None if match is None else _made(name, match)
        yield from labelled_in(value) if whole is None else (whole,)
    elif isinstance(value, Mapping) and depth < _DEEPEST:
        for number, (key, inner) in enumerate(value.items()):
            if number < _MOST_FIELDS:
                yield from labelled_fields(str(key), inner, depth + 1)
    elif isinstance(value, Sequence) and depth < _DEEPEST:
        for inner in value[:_MOST_FIELDS]:
            if isinstance(inner, Mapping | str):
                yield from labelled_fields(name, inner, depth + 1)


def topic(name: str) -> str:
    """A label as topics are compared: `per_head` and `Per head` are the same."""
    return " ".join(re.split(r"[\s_-]+", name.strip().lower()))


def same(one: Labelled, other: Labelled, tolerance: float = 0.005) -> bool:
    """Whether two values are equal: numbers but for rounding and for thousands and millions, days exactly.

    Args:
        tolerance: the part by which two numbers may differ.
    """
    if one.kind is not other.kind:
        return False
    if one.kind is not ValueKind.NUMBER:
        return one.value == other.value
    first, second = one.number, other.number
    return any(abs(first * scale - second) <= tolerance * abs(second) for scale in _SCALES)


_SCALES = (1.0, 1e2, 1e3, 1e6, 1e9, 1e-2, 1e-3, 1e-6, 1e-9)


def _made(label: str, match: re.Match[str]) -> Labelled | None:
    name = topic(label)
    if match["number"]:
        return Labelled(name, ValueKind.NUMBER, float(match["number"].replace(",", "")), match["number"])
    if match["day"]:
        try:
            return Labelled(name, ValueKind.DAY, date.fromisoformat(match["day"]), match["day"])
        except ValueError:
            return None
    if match["verdict"]:
        return Labelled(name, ValueKind.VERDICT, _VERDICTS[match["verdict"].lower()], match["verdict"])
    if match["unknown"]:
        return Labelled(name, ValueKind.UNKNOWN, None, match["unknown"])
    is_choice = name.rpartition(" ")[2] in _CHOICES
    return Labelled(name, ValueKind.CHOICE, match["choice"].lower(), match["choice"]) if is_choice else None


__all__ = ["LONGEST", "Labelled", "ValueKind", "labelled_fields", "labelled_in", "same", "topic"]
