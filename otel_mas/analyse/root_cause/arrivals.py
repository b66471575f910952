"""Arrivals: what a task's causes wrote, against what it read. Text may get lost, changed or doubled on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import combinations, islice
from math import isclose, prod

from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.evidence import Evidence
from otel_mas.analyse.root_cause.known_texts import PHRASE, KnownTexts, flattened, words_of
from otel_mas.analyse.root_cause.values import numbers_in
from otel_mas.semconv import RecordKind

_CHANGED, _DOUBLED, _LOST, _MISCOMPUTED = 0.7, 0.5, 0.5, 0.5
_OPPOSITES = (
    ("yes", "no"),
    ("true", "false"),
    ("approve", "reject"),
    ("approved", "rejected"),
    ("accept", "decline"),
    ("accepted", "declined"),
    ("pass", "fail"),
    ("passed", "failed"),
    ("valid", "invalid"),
    ("correct", "wrong"),
    ("safe", "unsafe"),
    ("buy", "sell"),
    ("increase", "decrease"),
    ("allowed", "forbidden"),
    ("possible", "impossible"),
    ("available", "unavailable"),
)
_OPPOSITE = {one: other for pair in _OPPOSITES for one, other in (pair, pair[::-1])}
_READ = 20_000
"""Characters of a prompt that are looked at, the last ones."""
_MOST = 300
"""Characters of a text that are compared letter by letter."""
_PAIRS = 50
_WINDOWS = 500
_ALIKE = 0.65
"""Similarity (difflib's ratio) from which a text is another one, changed."""


def arrival_evidence(acts: Acts) -> Iterator[Evidence]:
    """Tasks that read something else than their causes had written, or nothing of it, or twice."""
    known = KnownTexts()
    for text in acts.task:
        known.add(text)
    tasks = sorted((act for act in acts if act.span.record_kind == RecordKind.AGENT_TASK), key=_start)
    number = 0
    for task in tasks:
        while number < len(acts) and acts[number].span.last_ns <= task.span.start_ns:
            for text in acts.outputs(acts[number]):
                known.add(text, times=int(text in acts[number].wrote))
            number += 1
        sent, prompts = _sent(task, acts), acts.prompts_inside(task)
        if sent and prompts:
            yield from _Arrival(task, "\n".join(prompts)[-_READ:], known).evidence(sent)
        elif sent and task.wrote:
            yield from _Arrival(task, task.wrote[-_READ:], known).evidence_of_output(sent)


class _Arrival:
    """A task and what it read.

    Args:
        known: texts that were written before it began.
    """

    def __init__(self, task: Act, read: str, known: KnownTexts) -> None:
        self._task = task
        self._read = rest = flattened(read)
        self._doubled: str | None = None
        for text in known.inside(self._read):
            if self._doubled is None and rest.count(text) > max(1, known.times(text)):
                self._doubled = text
            rest = rest.replace(text, "\n")
        self._rest = rest
        self._new_numbers = sorted(numbers_in(rest) - known.numbers)
        """Numbers that nobody had written."""

    def evidence(self, sent: Sequence[tuple[Act, str]]) -> Iterator[Evidence]:
        lost = [(sender, text) for sender, text in sent if not _within(flattened(text), self._read)]
        changes = [(sender, change) for sender, text in lost if (change := self._change(text)) is not None]
        if changes:
            sender, change = changes[0]
            yield Evidence(self._task.number, _CHANGED, f"what {_name(sender)} wrote arrived changed: {change}")
        elif len(lost) == len(sent):
            senders = ", ".join(dict.fromkeys(_name(sender) for sender, _ in sent))
            yield Evidence(self._task.number, _LOST, f"read nothing of what {senders} wrote")
        if self._doubled is not None:
            yield Evidence(self._task.number, _DOUBLED, f"read twice what was written once: {self._doubled[:PHRASE]}…")

    def evidence_of_output(self, sent: Sequence[tuple[Act, str]]) -> Iterator[Evidence]:
        """Evidence of a task without a model, which computes its output from what arrived; the output stands for it."""
        given = [float(number) for _, text in sent for number in numbers_in(text)]
        odd = [number for number in self._new_numbers if not _is_aggregate(float(number), given)]
        if len(given) > 1 and odd:
            reason = f"computed {odd[0]}, which is no sum, mean, product, difference or count of what its causes wrote"
            yield Evidence(self._task.number, _MISCOMPUTED, reason)
        elif not given:
            changes = [(sender, change) for sender, text in sent if (change := self._change(text)) is not None]
            if changes and not any(_within(flattened(text), self._read) for _, text in sent):
                sender, change = changes[0]
                reason = f"what {_name(sender)} wrote came out changed: {change}"
                yield Evidence(self._task.number, _CHANGED, reason)

    def _change(self, text: str) -> str | None:
        """Find the words in the place of a text that did not arrive."""
        numbers = numbers_in(text) - numbers_in(self._read)
        if numbers and self._new_numbers:
            return f"{', '.join(self._new_numbers[:3])} instead of {', '.join(sorted(numbers)[:3])}"
        there = {match.group() for match in words_of(self._rest.lower())}
        words = {match.group() for match in words_of(text.lower())}
        for word in sorted(words):
            if _OPPOSITE.get(word) in there - words and word not in there:
                return f"{_OPPOSITE[word]} instead of {word}"
        return _most_alike(flattened(text)[:_MOST], self._rest)


def _most_alike(text: str, rest: str) -> str | None:
    """The part of the rest, as long as the text, that is most like it."""
    if len(text) < PHRASE:
        return None
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(text)
    best, found = _ALIKE, None
    for match in islice(words_of(rest), _WINDOWS):
        part = rest[match.start() : match.start() + len(text)].partition("\n")[0]
        matcher.set_seq1(part)
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and matcher.ratio() > best:
            best, found = matcher.ratio(), part
    return found


def _is_aggregate(number: float, given: Sequence[float]) -> bool:
    """Whether a number may be computed from these in a plain way."""
    total, count = sum(given), len(given)
    plain = {total, float(count), total / count if count else 0.0, prod(given)}
    if count <= _PAIRS:
        plain |= {abs(one - other) for one, other in combinations(given, 2)}
    return any(isclose(abs(number), abs(one), rel_tol=1e-3, abs_tol=1e-9) for one in plain)


def _sent(task: Act, acts: Acts) -> list[tuple[Act, str]]:
    """Texts that the causes of a task wrote; none of a cause that only says who is next."""
    found = []
    for cause in acts.causes(task):
        texts = [] if cause.is_person else acts.outputs(cause)
        if not {task.span.task_name, task.agent} & set(texts):
            found += [(cause, text) for text in texts]
    return found


def _within(text: str, read: str) -> bool:
    """Whether a text is there as whole words: 38 is not in 380."""
    at = read.find(text)
    while at >= 0:
        before, after = read[at - 1 : at], read[at + len(text) : at + len(text) + 1]
        if not (before.isalnum() and text[:1].isalnum()) and not (after.isalnum() and text[-1:].isalnum()):
            return True
        at = read.find(text, at + 1)
    return False


def _start(act: Act) -> int:
    return act.span.start_ns


def _name(act: Act) -> str:
    return act.agent or act.span.name


__all__ = ["arrival_evidence"]
