"""Statements that were corrected or taken back, and used all the same by somebody who did not read that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.findings.task_flow import TaskFlow
from otel_mas.analyse.root_cause.values import numbers_in
from otel_mas.model import Finding, Severity, Span

_CODE = "retracted-statement-used"
_MOST_CORRECTIONS = 20
_LONGEST = 20_000
_CUE = re.compile(
    r"\b(?:correct(?:ion|ions|ed)|erratum|retract\w*|withdr[ae]wn?|scratch that|mistake|mistaken|wrong|incorrect|"
    r"outdated|no longer|revised|superseded)\b",
    re.IGNORECASE,
)
_VALUE = (
    r"((?:(?<=\s)|(?<=^)|(?<=[$€£(\"']))(?:\d{4}-\d\d-\d\d|(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?![\w]|[.,]\d)"
    r"|\"[^\"\n]{2,60}\"|\b[A-Z][a-z][\w-]*(?:[ \t][A-Z][\w-]+){0,2})"
)
_UNIT = r"(?:[ \t]?[%\w]+){0,2}?"
_NEW_FIRST = re.compile(rf"{_VALUE}{_UNIT},?[ \t](?:and[ \t])?(?:not|instead of|rather than)[ \t][$€£]?{_VALUE}")
_OLD_FIRST = re.compile(
    rf"(?:\bfrom[ \t][$€£]?{_VALUE}{_UNIT}[ \t]to[ \t][$€£]?{_VALUE}"
    rf"|\bnot[ \t][$€£]?{_VALUE}{_UNIT},?[ \t]but[ \t][$€£]?{_VALUE})"
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_WORD = re.compile(r"[^\W\d_]{4,}")
_COMMON = frozenset(
    (
        *("that", "this", "with", "from", "have", "been", "were", "will", "would", "there", "their", "they", "them"),
        *(
            "then",
            "than",
            "what",
            "which",
            "when",
            "where",
            "into",
            "about",
            "only",
            "also",
            "please",
            "note",
            "should",
        ),
        *("instead", "rather", "correct", "correction", "corrections", "corrected", "erratum", "mistake", "mistaken"),
        *("wrong", "incorrect", "outdated", "longer", "revised", "superseded", "scratch", "withdrawn", "retracted"),
        *("figure", "value", "number", "million", "billion", "thousand", "percent", "euros", "dollars"),
    )
)


@dataclass(frozen=True, slots=True)
class _Correction:
    sentence: str
    old: str
    new: str
    topic: frozenset[str]
    """Words that say what it is about."""
    digest: str
    knows: Span
    """The first task that wrote or read it."""
    time_ns: int


def retracted_statement_used(facts: RunFacts) -> Iterator[Finding]:
    """A statement was corrected ("Correction: the cost is 40, not 30"), and a later agent that follows from one who
    knew of the correction still stated the old value, without having read the correction or the new value. Numbers,
    days, quoted words and names count, where the sentence shares two words with the correction (all, of fewer). It is
    an error where the run's answer has the old value. The words for correcting are English; a sentence that gives both
    values is no use of the old one.
    """
    if not facts.content.kept:
        return
    corrections = list(_corrections(facts))
    flow = facts.once(TaskFlow)
    found: dict[tuple[str, str, str], list[tuple[Span, str, _Correction]]] = {}
    for task in facts.tasks if corrections else ():
        for call in flow.model_calls.get(task.span_id, ()):
            for digest in facts.wrote(call):
                text = facts.text(digest) or ""
                for one in corrections:
                    if call.start_ns >= one.time_ns and _uses(text, one) and _did_not_know(facts, task, one):
                        key = flow.name(task), one.old, one.new
                        found.setdefault(key, []).append((task, digest, one))
    for used in found.values():
        task, digest, one = used[0]
        wrong = _uses(facts.final_output or "", one)
        name, knew = flow.name(task), flow.name(one.knows)
        about = next(iter(sorted(one.topic & _words(facts.text(digest) or ""), key=len, reverse=True)))
        yield Finding(
            code=_CODE,
            severity=Severity.ERROR if wrong else Severity.WARNING,
            confidence=0.8,
            summary=f"{name} still used {one.old} ({about}), which had been corrected to {one.new}: {knew} knew it, "
            f"and {name} did not read the correction",
            subject=f"{knew} -> {name}: {about}",
            spans=ids(dict.fromkeys([*(task for task, *_ in used), one.knows])),
            messages=(digest, one.digest),
            rests_on=("recorded", "inferred"),
            advice=f"write corrections where {name} reads the value: replace it in the state rather than add a message",
        )


def _corrections(facts: RunFacts) -> Iterator[_Correction]:
    """Corrections in messages, each with the first task that knew it."""
    seen: set[tuple[str, str]] = set()
    for digest, (time_ns, span) in facts.once(TaskFlow).first_seen.items():
        text = facts.text(digest)
        if text is None or _CUE.search(text[:_LONGEST]) is None:
            continue
        task = facts.task(span)
        for sentence in _SENTENCE.split(text[:_LONGEST]):
            values = _corrected(sentence) if task is not None else None
            if values is None or task is None or values in seen or len(seen) >= _MOST_CORRECTIONS:
                continue
            seen.add(values)
            old, new = values
            topic = _words(sentence) - _words(old) - _words(new)
            if topic:
                yield _Correction(sentence.strip(), old, new, topic, digest, task, time_ns)


def _corrected(sentence: str) -> tuple[str, str] | None:
    """The old and the new value of a sentence that corrects one."""
    if _CUE.search(sentence) is None:
        return None
    match = _NEW_FIRST.search(sentence)
    if match is not None:
        old, new = match[2], match[1]
    else:
        match = _OLD_FIRST.search(sentence)
        if match is None:
            return None
        old, new = [group for group in match.groups() if group is not None][:2]
    old, new = old.strip('"'), new.strip('"')
    return (old, new) if old != new and old[0].isdigit() == new[0].isdigit() else None


def _uses(text: str, one: _Correction) -> bool:
    """Whether a sentence of a text states the old value of the same thing, and none the new one."""
    if not _has(text, one.old) or _has(text, one.new):
        return False
    return any(_has(sentence, one.old) and _is_about(sentence, one) for sentence in _SENTENCE.split(text[:_LONGEST]))


def _is_about(sentence: str, one: _Correction) -> bool:
    """Whether a sentence shares two words with the correction, or all where one of both has fewer."""
    words, topic = _words(sentence) - _words(one.old), one.topic
    return bool(words) and len(words & topic) >= min(2, len(words), len(topic))


def _did_not_know(facts: RunFacts, task: Span, one: _Correction) -> bool:
    flow = facts.once(TaskFlow)
    if task is one.knows or not flow.caused_by(task, one.knows):
        return False
    read = flow.read_text(task)
    return (
        bool(read)
        and one.digest not in set(flow.prompts(task))
        and one.sentence not in read
        and not _has(read, one.new)
    )


def _has(text: str, value: str) -> bool:
    if value not in text and not value[0].isdigit():
        return False
    if value[0].isdigit() and "-" not in value:
        return bool(numbers_in(value) & numbers_in(text))
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None


def _words(text: str) -> frozenset[str]:
    """The words that say what a text is about, without the s of a plural."""
    found = frozenset(word.lower() for word in _WORD.findall(text)) - _COMMON
    return frozenset(word.removesuffix("s") for word in found)


__all__ = ["retracted_statement_used"]
