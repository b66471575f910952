"""Messages and names that were read and that nobody wrote so: others, which were written, are much like them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.analyse.findings.named_values import named_values, read_by_name
from otel_mas.analyse.root_cause.passages import words_of
from otel_mas.model import Span

_SPOKEN = frozenset(("assistant", "tool"))
_LONG, _LOOKED = 40, 400
"""Characters that a text has at least, so that it is not like another one by chance, and those that are compared."""
_ALIKE = 0.65
_SHORT = 5
"""Letters of a name that is compared with others."""
_ALIKE_NAMES = 0.5
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


def rewritten_names(facts: RunFacts) -> Iterator[tuple[Span, Sequence[tuple[str, str]]]]:
    """Tasks that read values under names that nobody wrote, each much like a name among what had been written.

    Two at least, none of which the task read as it was written: one alone may be much like another by chance.
    """
    written = named_values(facts)
    values = [(one, text) for of_name in written.values() for one in of_name if _is_name(text := one.value)]
    if not values:
        return
    for task, pairs in list(read_by_name(facts))[:_MOST]:
        names = {name for name, of_name in written.items() if any(one.task.last_ns <= task.start_ns for one in of_name)}
        strange = [name for name, _ in dict.fromkeys(pairs) if name not in names]
        known = {word.group() for name in names for word in words_of(name)} if strange else set()
        strange = [name for name in strange if known.isdisjoint(match.group() for match in words_of(name))]
        before = {text for one, text in values if one.is_for(task)} if len(strange) > 1 else set()
        lacking = sorted(before - {text for pair in pairs for text in pair})[:_MOST]
        alike = [(name, other) for name in strange[:_MOST] if (other := _most_alike(name, lacking)) is not None]
        if len({other for _, other in alike}) > 1:
            yield task, alike


def _is_name(value: str) -> bool:
    return _SHORT <= len(value) < _LONG and not any(map(str.isdigit, value))


def _most_alike(name: str, others: Sequence[str]) -> str | None:
    """The name that another one is with some other letters: as long, and more than half of its letters in order."""
    same_length = (other for other in others if len(other) == len(name))
    ratio, other = max(((SequenceMatcher(None, name, one).ratio(), one) for one in same_length), default=(0.0, ""))
    return other if ratio > _ALIKE_NAMES else None


def _is_spoken(facts: RunFacts, digest: str) -> bool:
    message = facts.message(digest)
    return message is not None and message.role in _SPOKEN and len(facts.text(digest) or "") >= _LONG


def _are_alike(one: str, other: str) -> bool:
    """Whether one is the other but for some letters; a part of the other is not, it may have been cut to fit."""
    if abs(len(one) - len(other)) > max(len(one), len(other)) // 10 or one in other:
        return False
    matcher = SequenceMatcher(None, one[:_LOOKED], other[:_LOOKED], autojunk=False)
    return matcher.quick_ratio() > _ALIKE and matcher.ratio() > _ALIKE


__all__ = ["rewritten_messages", "rewritten_names"]
