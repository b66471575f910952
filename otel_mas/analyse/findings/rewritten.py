"""Messages that a model read as those of agents and tools, and that nobody wrote so: others are much like them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.model import Span

_SPOKEN = frozenset(("assistant", "tool"))
_LONG, _LOOKED = 40, 400
"""Characters that a text has at least, so that it is not like another one by chance, and those that are compared."""
_ALIKE = 0.65
_MOST = 50
"""Messages that are looked at, and that each is compared with, the latest ones."""


def rewritten_messages(facts: RunFacts) -> Iterator[tuple[Span, str]]:
    """The task of each call that read such a message, and the beginning of the message."""
    strange = [digest for digest in facts.readers if digest not in facts.writers and _is_spoken(facts, digest)][:_MOST]
    for digest in strange:
        text = facts.text(digest) or ""
        call = facts.readers[digest][0]
        task, read = facts.task(call), set(facts.read(call))
        before = [one for one, spans in facts.writers.items() if one not in read and spans[0].last_ns <= call.start_ns]
        if task is not None and any(_are_alike(text, facts.text(one) or "") for one in before[-_MOST:]):
            yield task, " ".join(text.split())[:_LONG]


def _is_spoken(facts: RunFacts, digest: str) -> bool:
    message = facts.message(digest)
    return message is not None and message.role in _SPOKEN and len(facts.text(digest) or "") >= _LONG


def _are_alike(one: str, other: str) -> bool:
    """Whether one is the other but for some letters; a part of the other is not, it may have been cut to fit."""
    if abs(len(one) - len(other)) > max(len(one), len(other)) // 10 or one in other:
        return False
    matcher = SequenceMatcher(None, one[:_LOOKED], other[:_LOOKED], autojunk=False)
    return matcher.quick_ratio() > _ALIKE and matcher.ratio() > _ALIKE


__all__ = ["rewritten_messages"]
