"""Values in a text: numbers, names, addresses and quoted words, in one form each, so that texts can be compared."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w]|\.\d)")
_ARRAY = re.compile(r"\[[\d.,\s+-]*\]")
_LISTED = re.compile(r"^[ \t]*(?:[-*#>]+[ \t]*)?(?:step[ \t]+)?\d+[.):]", re.MULTILINE | re.IGNORECASE)
_QUOTED = re.compile(
    r"\"([^\"\n]{2,80})\"|“([^”\n]{2,80})”|\*\*([^*\n]{2,80})\*\*|'([^'\n]{2,80})'(?!\w)|`([^`\n]{2,80})`"
)
_ADDRESS = re.compile(r"https?://[^\s)\]>\"'`]+|(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+")
_NAME = re.compile(r"[A-Z](?<!\w.)[\w'’-]+(?:[ \t]+(?:(?:of|the|and|de|von|van)[ \t]*)?[A-Z][\w'’-]+)+")
"""Begins with its letter and not with what is before it, so that the search skips all that is no such letter."""
_ID = re.compile(r"#?\b(?=\w*\d)(?=\w*[A-Za-z_])[\w-]{4,}\b")
_DIGIT = re.compile(r"\d")
_WORDS = 5
"""Words of a quoted value at most; more are a sentence."""
COUNT = 13
"""Whole numbers below are counts and numbers of steps, which anybody may write anew."""
_YEAR = re.compile(r"(?:19|20)\d\d")
_LONGEST = 200_000
"""Characters of a text that are looked at."""


def values_in(text: str) -> frozenset[str]:
    """The values in a text. Numbers without separators and trailing zeros, the rest in small letters.

    Numbers that only count the items of a list are none.
    """
    text = text[:_LONGEST]
    plain = _LISTED.sub(" ", text)
    found = {_number(match) for match in _NUMBER.findall(_apart(plain))}
    patterns = [_NAME]
    if "@" in plain or "://" in plain:
        patterns.append(_ADDRESS)
    if _DIGIT.search(plain) is not None:
        patterns.append(_ID)
    for pattern in patterns:
        found.update(map(_small, pattern.findall(plain)))
    quoted = (_small(next(filter(None, groups))) for groups in _QUOTED.findall(plain))
    found.update(text for text in quoted if text.count(" ") < _WORDS)
    return frozenset(found - {""})


def numbers_in(text: str) -> frozenset[str]:
    """The numbers in a text, without separators and trailing zeros."""
    return frozenset(_number(match) for match in _NUMBER.findall(_apart(text[:_LONGEST])))


def is_telling(value: str) -> bool:
    """Whether a value is hardly written twice by chance: a word, or a number that is no count, round, or a year."""
    number = value.lstrip("-")
    if not number.replace(".", "", 1).isdigit():
        return True
    return float(number) >= COUNT and len(number.rstrip("0")) > 1 and not _YEAR.fullmatch(number)


def _apart(text: str) -> str:
    """A text in which the commas of arrays are no separators of thousands."""
    return _ARRAY.sub(lambda array: array[0].replace(",", ", "), text) if "[" in text else text


def _number(text: str) -> str:
    whole, _, part = text.replace(",", "").lstrip("+").partition(".")
    part = part.rstrip("0")
    return f"{whole}.{part}" if part else whole


def _small(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .,:;!?\"'“”*`")


__all__ = ["COUNT", "is_telling", "numbers_in", "values_in"]
