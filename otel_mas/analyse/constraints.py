"""Constraints in English texts: numbers that must not be exceeded, and words that must not be used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_LONGEST = 20_000
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_MOST = re.compile(
    r"\b(?:at most|no more than|not more than|(?:must|may|should|shall|can) ?not exceed|never exceed|"
    r"do(?: not|n't) exceed|"
    rf"maximum of|limited to)[ \t]([$€£])?[ \t]?{_NUMBER}[ \t]?(%|[A-Za-z]+)?",
    re.IGNORECASE,
)
_NEVER = re.compile(
    r"\b(?:[Mm]ust not|[Nn]ever|[Dd]o not|[Dd]on't|[Mm]ay not)[ \t](?:use|mention|name|include|contact|call|write|buy|"
    r"recommend|suggest|choose|book)[ \t](?:the[ \t]|any[ \t])?(?:word[ \t]|name[ \t])?"
    r"(\"[^\"\n]{2,60}\"|[A-Z][\w-]+(?:[ \t][A-Z][\w-]+){0,2})"
)
_CUES = ("xceed", "t most", "ore than", "aximum of", "imited to", "ust not", "ever ", "o not", "on't", "ay not")
_AMOUNT = re.compile(rf"([$€£])?[ \t]?(?<![\w.,]){_NUMBER}[ \t]?(%|[A-Za-z]+)?")
_WORD = re.compile(r"[^\W\d_]{4,}")
_COMMON = frozenset(
    (
        *("must", "more", "most", "than", "exceed", "maximum", "limited", "never", "that", "this", "with", "from"),
        *("have", "will", "should", "shall", "your", "their", "please", "then", "each", "what", "which"),
    )
)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A sentence that forbids something."""

    sentence: str
    most: float | None
    """The number that must not be exceeded."""
    unit: str
    """Its unit, in small letters; empty for none."""
    topic: frozenset[str]
    """The words that say what it is the number of."""
    term: str | None
    """The word or name that must not be used."""

    def is_known_from(self, text: str) -> bool:
        """Whether somebody who read a text knew of it: by its sentence, its number or what is forbidden."""
        number = None if self.most is None else f"{self.most:g}"
        given = number if self.term is None else self.term
        return self.sentence in text or (given is not None and given in text.replace(",", ""))

    def violation(self, text: str) -> str | None:
        """The part of a text that violates it; None where none does."""
        if self.term is not None:
            match = re.search(rf"(?<!\w){re.escape(self.term)}(?!\w)", text[:_LONGEST])
            return None if match is None else match.group()
        for sentence, words in _sentences(text[:_LONGEST]):
            if self.topic & words:
                for match in _AMOUNT.finditer(sentence):
                    unit = (match[1] or match[3] or "").lower()
                    if unit == self.unit and self.most is not None and _number(match[2]) > self.most:
                        return match.group().strip()
        return None


def constraints_in(text: str) -> list[Constraint]:
    """The constraints in a text, in order."""
    text, found = text[:_LONGEST], []
    if not any(cue in text for cue in _CUES):  # far cheaper than the patterns, for the many texts that have none
        return []
    for sentence in _SENTENCE.split(text):
        match = _MOST.search(sentence)
        if match is not None:
            unit = (match[1] or match[3] or "").lower()
            topic = _words(sentence) - {unit.rstrip("s")}
            if unit and topic:  # a bare number may be of anything
                found.append(Constraint(sentence.strip(), _number(match[2]), unit, topic, None))
        match = _NEVER.search(sentence)
        if match is not None:
            found.append(Constraint(sentence.strip(), None, "", frozenset(), match[1].strip('"')))
    return found


@lru_cache(maxsize=4)  # many constraints are held against one text
def _sentences(text: str) -> list[tuple[str, frozenset[str]]]:
    return [(sentence, _words(sentence)) for sentence in _SENTENCE.split(text)]


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower().rstrip("s") for word in _WORD.findall(text)) - _COMMON


__all__ = ["Constraint", "constraints_in"]
