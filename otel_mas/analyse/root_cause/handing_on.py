"""Handing on: texts that a task gives to others, though neither its own models and tools nor anybody else said them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.evidence import Evidence
from otel_mas.semconv import RecordKind

_WEIGHT = 0.6
_WORD = re.compile(r"\w+")
_WORDS = 4
"""Words that a text has at least; a shorter one may be a choice or a status."""
_KNOWN = 0.25
"""Share of pairs of neighbouring words from which a text counts as taken from others."""
_LONGEST = 20_000
"""Characters of a text that are looked at."""


def handing_on_evidence(acts: Acts) -> Iterator[Evidence]:
    """Tasks in which models spoke, and that hand on a text which nobody had said, in place of what was said there."""
    known = _Spoken()
    known.add(acts.task)
    with_speech: set[int] = set()
    for act in acts:  # what is inside another one comes before it
        texts = acts.outputs(act)
        if act.span.record_kind == RecordKind.AGENT_TASK and act.number in with_speech:
            strange = next((text for text in texts if known.is_strange(text)), None)
            if strange is not None:
                yield Evidence(act.number, _WEIGHT, f"hands on what nothing inside it said: {strange[:60]!r}")
        around = next(acts.around(act.span), None)
        if around is not None and (act.number in with_speech or _speaks(act)):
            with_speech.add(around.number)
        known.add((*texts, act.arguments, *acts.read_by(act)))


class _Spoken:
    """Texts of acts. Their words are looked at when a text comes that is not one of them."""

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._new: list[str] = []
        self._pairs: set[tuple[str, str]] = set()

    def add(self, texts: Iterable[str]) -> None:
        for text in texts:
            if text not in self._texts:
                self._texts.add(text)
                self._new.append(text)

    def is_strange(self, text: str) -> bool:
        if text in self._texts:
            return False
        self._pairs.update(*map(_pairs, self._new))
        self._new.clear()
        pairs = _pairs(text)
        return len(pairs) >= _WORDS - 1 and len(pairs & self._pairs) < _KNOWN * len(pairs)


def _speaks(act: Act) -> bool:
    return act.span.record_kind == RecordKind.LLM_CALL and len(_WORD.findall(act.wrote)) >= _WORDS


def _pairs(text: str) -> set[tuple[str, str]]:
    return set(pairwise(_WORD.findall(text[:_LONGEST].lower())))


__all__ = ["handing_on_evidence"]
