"""Handing on: texts that a task gives to others, though neither its own models and tools nor anybody else said them."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    known = {pair for text in acts.task for pair in _pairs(text)}
    with_speech: set[int] = set()
    for act in acts:  # what is inside another one comes before it
        texts = acts.outputs(act)
        if act.span.record_kind == RecordKind.AGENT_TASK and act.number in with_speech:
            strange = next((text for text in texts if _is_strange(text, known)), None)
            if strange is not None:
                yield Evidence(act.number, _WEIGHT, f"hands on what nothing inside it said: {strange[:60]!r}")
        around = next(acts.around(act.span), None)
        if around is not None and (act.number in with_speech or _speaks(act)):
            with_speech.add(around.number)
        known.update(*map(_pairs, (*texts, act.arguments, *acts.read_by(act))))


def _speaks(act: Act) -> bool:
    return act.span.record_kind == RecordKind.LLM_CALL and len(_WORD.findall(act.wrote)) >= _WORDS


def _is_strange(text: str, known: set[tuple[str, str]]) -> bool:
    pairs = _pairs(text)
    return len(pairs) >= _WORDS - 1 and len(pairs & known) < _KNOWN * len(pairs)


def _pairs(text: str) -> set[tuple[str, str]]:
    return set(pairwise(_WORD.findall(text[:_LONGEST].lower())))


__all__ = ["handing_on_evidence"]
