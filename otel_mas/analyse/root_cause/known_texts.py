"""Texts that were written so far, found again inside of longer ones. A few lookups for each word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from otel_mas.analyse.root_cause.values import numbers_in

_WORD = re.compile(r"\w+")
_KEY_WORDS = 6
_ALIKE = 100
"""Texts with the same first words that are looked for at most, the latest ones."""
PHRASE = 12
"""Characters of a text that does not come twice by chance; shorter ones are not looked for."""


class KnownTexts:
    """Texts with their numbers, indexed by their first words."""

    def __init__(self) -> None:
        self.numbers: set[str] = set()
        self._times: Counter[str] = Counter()
        self._sizes: set[int] = set()
        self._by_start: dict[tuple[str, ...], list[str]] = {}

    def add(self, text: str, times: int = 1) -> None:
        """Note a text that was written so many times more."""
        flat = flattened(text)
        if flat not in self._times:
            self.numbers |= numbers_in(flat)
            key = tuple(match.group() for match, _ in zip(_WORD.finditer(flat), range(_KEY_WORDS), strict=False))
            if len(flat) >= PHRASE and key:
                self._sizes.add(len(key))
                self._by_start.setdefault(key, []).append(flat)
        self._times[flat] += times

    def times(self, text: str) -> int:
        """How often a text was written."""
        return self._times[flattened(text)]

    def inside(self, read: str) -> list[str]:
        """Those that a flattened text holds, the longest first."""
        words = _WORD.findall(read)
        keys = {tuple(words[at : at + size]) for size in self._sizes for at in range(len(words) - size + 1)}
        starts = (self._by_start[key][-_ALIKE:] for key in keys if key in self._by_start)
        found = {text for texts in starts for text in texts if text in read}
        return sorted(found, key=lambda text: (-len(text), text))


def flattened(text: str) -> str:
    """A text with single spaces for all that is blank."""
    return " ".join(text.split())


def words_of(text: str) -> Iterator[re.Match[str]]:
    """The words of a text, with their places."""
    return _WORD.finditer(text)


__all__ = ["PHRASE", "KnownTexts", "flattened", "words_of"]
