"""Garbled texts: what was read is much like what was written, with other letters in some words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from difflib import SequenceMatcher
from itertools import islice

from otel_mas.analyse.root_cause.passages import PHRASE, Passage, words_of

_MOST = 300
"""Characters of a text that are compared letter by letter."""
_WINDOWS = 500
_ALIKE = 0.65
"""Similarity (difflib's ratio) from which a text is another one, changed."""
_NEW_WORDS = 2
_LETTERS = 3
"""Letters of a word from which on it is told whether it is another one with other letters."""


def garbled_part(written: Passage, rest: str, known: Set[str]) -> str | None:
    """The part of what was read that is most like a text, if it has words in their places that nobody wrote.

    Args:
        written: a text that did not arrive as it was.
        rest: what was read, without all that did arrive.
        known: words that somebody wrote.
    """
    new = {match.group().lower() for match in words_of(rest)} - known
    if not any(_is_other_letters(word, one) for word in new for one in written.small_words):
        return None  # a part has at most one more word that nobody wrote, its last, where it is cut
    part = _most_alike(written.flat[:_MOST], rest)
    words = {match.group().lower() for match in words_of(part or "")}
    return part if _is_garbled(words - known, written.small_words - words) else None


def _is_garbled(new: Set[str], missing: Set[str]) -> bool:
    """Whether new words are others with other letters; a sentence of the same form has other words in their places."""
    alike = [word for word in new if any(_is_other_letters(word, one) for one in missing)]
    return len(alike) >= _NEW_WORDS and 2 * len(alike) >= len(new)


def _is_other_letters(word: str, other: str) -> bool:
    if len(word) != len(other) or len(word) < _LETTERS:
        return False
    return 2 * sum(one == another for one, another in zip(word, other, strict=True)) >= len(word)


def _most_alike(text: str, rest: str) -> str | None:
    """The part of the rest, as long as the text, that is most like it."""
    if len(text) < PHRASE:
        return None
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(text)
    best, found = _ALIKE, None
    for part, shared in _windows(text, rest):
        if 2 * shared / (len(part) + len(text)) > best:  # difflib's quick ratio
            matcher.set_seq1(part)
            if (ratio := matcher.ratio()) > best:
                best, found = ratio, part
    return found


def _windows(text: str, rest: str) -> Iterator[tuple[str, int]]:
    """Parts of the rest as long as the text, or to the end of the line, from word to word.

    With each, how many letters it shares with the text, in whichever order: counted on from one part to the next.
    """
    wanted, here, shared, start, end = Counter(text), Counter[str](), 0, 0, 0
    for match in islice(words_of(rest), _WINDOWS):
        stop = rest.find("\n", match.start(), match.start() + len(text))
        stop = min(len(rest), match.start() + len(text)) if stop < 0 else stop
        for letter in rest[start : match.start()] if match.start() < end else rest[start:end]:
            shared -= here[letter] <= wanted[letter]
            here[letter] -= 1
        start, end = match.start(), max(end, match.start())
        for letter in rest[end:stop]:
            here[letter] += 1
            shared += here[letter] <= wanted[letter]
        end = stop
        yield rest[start:end], shared


__all__ = ["garbled_part"]
