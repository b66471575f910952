"""Shared by finders: the form of a finding, scans in portions, and names that tell of what follows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

_PORTION: Final = 1 << 15  # characters scanned by one call of `re`, which holds the interpreter: 1 ms at most
_MARGIN: Final = 256  # characters after a portion that a match which begins in it may reach into
_NEAR: Final = 40  # characters before a value in which its name is looked for
_PER_PAUSE: Final = 64
_LETTER: Final = re.compile(r"[^\W\d_]")

Pause = Callable[[], None]


class Finding(NamedTuple):
    """A piece of personal data in a text."""

    start: int
    end: int
    kind: str
    value: str
    """In one form for all ways to write it, so that the same address is recognised as the same."""


def matches(pattern: re.Pattern[str], text: str, pause: Pause | None) -> Iterator[re.Match[str]]:
    """Each match of a pattern, overlapping ones too, by calls that take a millisecond each.

    Args:
        pattern: matches no more than 200 characters, lookahead included.
        text: of any length.
        pause: called between portions and every few matches.
    """
    at, size, found = 0, len(text), 0
    while at < size:
        border = min(at + _PORTION, size)
        match = pattern.search(text, at, min(border + _MARGIN, size))
        if match is None or match.start() >= border:
            at = border
        else:
            yield match
            at = match.start() + 1
            found += 1
            if found % _PER_PAUSE:
                continue
        if pause is not None:
            pause()


def names(words: str) -> re.Pattern[str]:
    """A pattern for names of a sort of value: whole words of snake_case, camelCase or prose."""
    return re.compile(rf"(?:(?<![^\W_])(?i:{words})|(?<=[a-z0-9])(?=[A-Z])(?i:{words}))(?![a-z])")


def is_named(pattern: re.Pattern[str], name: str, text: str, start: int) -> bool:
    """Tell whether a value has such a name: its key, or a word shortly before it in the text."""
    if name and _has(pattern, name[-_NEAR:]):
        return True
    before = text[max(0, start - _NEAR) : start]
    return _LETTER.search(before) is not None and _has(pattern, before)


@lru_cache(maxsize=4096)
def _has(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.search(text) is not None
