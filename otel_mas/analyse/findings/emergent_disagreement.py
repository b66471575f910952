"""Branches that meet with values that contradict each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from otel_mas.analyse.findings.facts import RunFacts, ids, tool_name
from otel_mas.analyse.findings.task_flow import TaskFlow, Written
from otel_mas.analyse.labelled import ValueKind, labelled_fields, labelled_in, same, topic
from otel_mas.analyse.root_cause.values import values_in
from otel_mas.model import Finding, Severity, Span
from otel_mas.trace_records.formats import parsed

_MOST_BRANCHES = 8
"""Tasks that wrote a label; of more it is a field of many items."""
_MOST_LABELS = 100
_PLACES = frozenset(
    ("round", "step", "id", "index", "page", "no", "number", "part", "chunk", "item", "section", "attempt", "version")
)
"""Labels of what a statement is about: where these differ, so do the subjects."""
_OF_ITSELF = frozenset(
    ("confidence", "probability", "score", "rating", "rank", "count", "length", "words", "tokens", "duration", "time")
)
"""Labels of what everybody may say otherwise about the same."""
_ABOUT_ITSELF = frozenset(
    (
        *("reason", "reasons", "reasoning", "rationale", "explanation", "why", "comment", "comments", "note", "notes"),
        *("summary", "text", "content", "message", "source", "sources", "evidence", "by", "author", "agent", "role"),
        *("name", "reviewer", "stance", "position", "status", "type", "unit", "currency", "language", "model"),
    )
)
"""Names of fields that say something of a statement or of who makes it, and not what it is about."""
_NAME_WORDS, _TELLING, _MOST_ITEMS = 4, 4, 20
"""Words of a name at most, characters of a text that is found again, and items of a list that are looked at."""
_NAMED = re.compile(r"([A-Za-z][\w]*)[\"']?[ \t]*:[ \t]*[\"']?([A-Z]\w+(?:[ \t][A-Z]\w+)*)")
"""A label with a name for its value: `District: North`."""


@dataclass(frozen=True, slots=True)
class _Conflict:
    one: Written
    other: Written

    @property
    def ended_ns(self) -> int:
        return max(self.one.task.last_ns, self.other.task.last_ns)


def emergent_disagreement(facts: RunFacts) -> Iterator[Finding]:
    """Two branches, neither of which caused the other, met with contradictory values under the same name: yes and no,
    other choices, other days, or numbers that differ by more than the tolerance. The finding says which value
    prevailed, and whether anybody read both. It is info where a later agent did: the disagreement was on purpose, or
    was settled. It is an error where an agent read one of the values, nobody read both, and the run's answer has a
    contradicted value. Branches about other subjects are no disagreement: tasks of one node with other prompts, calls
    of the same tool with other arguments, another name, number or round beside the value, or a field with one in the
    structure that only one of both has; nor are two numbers or days that a later agent, which read both, states both in
    what it writes: they are of two things. So are fields of structures of which a later agent read others and not
    these; where it read only one of both it is info.
    """
    if not facts.content.kept:
        return
    found: dict[tuple[str, str, str], _Conflict] = {}
    names = facts.once(TaskFlow).name
    for conflict in _conflicts(facts):
        one, other = sorted((names(conflict.one.task), names(conflict.other.task)))
        found[one, other, conflict.one.one.label] = conflict  # the last one of several rounds
    apart = {key[:2] for key, conflict in found.items() if _of_two_things(facts, conflict)}
    for key, conflict in found.items():
        if key[:2] not in apart:
            yield from _finding(facts, conflict)


def _of_two_things(facts: RunFacts, conflict: _Conflict) -> bool:
    """Whether an agent that read two numbers or days wrote both."""
    one, other = conflict.one, conflict.other
    return one.one.kind in (ValueKind.NUMBER, ValueKind.DAY) and any(
        _reads(facts.once(TaskFlow), task, one)
        and _reads(facts.once(TaskFlow), task, other)
        and any(_states(text, one) and _states(text, other) for text in facts.outputs(task))
        for task in _later(facts, conflict)
    )


def _states(text: str, written: Written) -> bool:
    values = values_in(written.one.text)
    return bool(values) and values <= values_in(text)


def _conflicts(facts: RunFacts) -> Iterator[_Conflict]:
    flow, looked = facts.once(TaskFlow), 0
    for label, written in flow.written.items():
        if label.rpartition(" ")[2] in _OF_ITSELF | _PLACES:
            continue
        last = {one.task.span_id: one for one in written if one.one.kind is not ValueKind.UNKNOWN}
        if not 2 <= len(last) <= _MOST_BRANCHES or looked >= _MOST_LABELS or not _differ(facts, list(last.values())):
            continue
        looked += 1
        for one, other in combinations(last.values(), 2):
            if _contradict(facts, one, other) and _branches(flow, one.task, other.task):
                yield from [_Conflict(one, other)] if _same_subject(facts, one, other) else []


def _differ(facts: RunFacts, written: Sequence[Written]) -> bool:
    return any(_contradict(facts, written[0], one) for one in written[1:])


def _contradict(facts: RunFacts, one: Written, other: Written) -> bool:
    return one.one.kind is other.one.kind and not same(one.one, other.one, facts.thresholds.disagreement_tolerance)


def _branches(flow: TaskFlow, one: Span, other: Span) -> bool:
    return not flow.caused_by(one, other) and not flow.caused_by(other, one)


def _same_subject(facts: RunFacts, one: Written, other: Written) -> bool:
    flow, tasks = facts.once(TaskFlow), (one.task, other.task)
    first, second = (frozenset(flow.prompts(task)) for task in tasks)
    if flow.name(one.task) == flow.name(other.task) and (not first or first != second):
        return False
    calls = [
        {tool_name(call): facts.arguments(call) for call in flow.tool_calls.get(task.span_id, ())} for task in tasks
    ]
    if any(calls[0][name] != calls[1][name] for name in calls[0].keys() & calls[1].keys()):
        return False
    if _has_a_subject(facts, one) != _has_a_subject(facts, other):
        return False
    texts = ["\n".join(filter(None, (facts.text(one.digest or ""), flow.read_text(one.task)))) for one in (one, other)]
    about = [dict(_NAMED.findall(text)) for text in texts]
    if any(about[0][name] != about[1][name] for name in about[0].keys() & about[1].keys()):
        return False
    places = [
        {one.one.label: one.one.value for one in flow.written_by.get(task.span_id, ()) if one.one.label in _PLACES}
        for task in tasks
    ]
    return all(places[0][name] == places[1][name] for name in places[0].keys() & places[1].keys())


def _has_a_subject(facts: RunFacts, written: Written) -> bool:
    """Whether a value stands in a structure beside a name of a few words, such as `"expense": "travel"`."""
    structure = _structure_of(facts, written)
    return any(
        isinstance(value, str)
        and 0 < len(value.split()) <= _NAME_WORDS
        and topic(name).rpartition(" ")[2] not in _ABOUT_ITSELF
        and not any(labelled_fields(name, value))
        for name, value in structure.items()
    )


def _ignores(facts: RunFacts, task: Span, conflict: _Conflict) -> bool:
    """Whether a task read other fields of the structures with the values, of each of which it did not read this one."""
    flow = facts.once(TaskFlow)
    unread = [one for one in (conflict.one, conflict.other) if not _reads(flow, task, one)]
    read = values_in(flow.read_text(task)) if unread else frozenset()
    text, labels = flow.read_text(task).lower(), {label for _, one in flow.read(task) for label in one.topics}
    return bool(unread) and all(
        any(
            topic(name) in labels
            or (isinstance(value, str) and len(value) >= _TELLING and value.lower() in text)
            or values_in(str(value)) & read
            for name, value in _structure_of(facts, one).items()
            if topic(name) != one.one.label
        )
        for one in unread
    )


def _structure_of(facts: RunFacts, written: Written) -> Mapping[str, object]:
    """The structure that a value is a field of; an empty one for a value in a text."""
    states = [one.value for one in facts.state_values(written.task) if one.digest == written.digest]
    text = facts.text(written.digest) if written.digest else None
    return _structure_with(written.one.label, [parsed(text), *map(parsed, states)])


def _structure_with(label: str, values: Sequence[object]) -> Mapping[str, object]:
    """The first mapping in these values, or at some depth in one, that has a field of this name; else an empty one."""
    waiting = list(values)
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, Mapping):
            if label in map(topic, map(str, value)):
                return {str(name): inner for name, inner in value.items()}
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value[:_MOST_ITEMS]
    return {}


def _later(facts: RunFacts, conflict: _Conflict) -> list[Span]:
    """Tasks that follow from both."""
    flow, one, other = facts.once(TaskFlow), conflict.one, conflict.other
    return [
        task
        for task in facts.tasks
        if task.start_ns >= conflict.ended_ns and flow.caused_by(task, one.task) and flow.caused_by(task, other.task)
    ]


def _finding(facts: RunFacts, conflict: _Conflict) -> Iterator[Finding]:
    flow, one, other = facts.once(TaskFlow), conflict.one, conflict.other
    later = _later(facts, conflict)
    if not later:
        return
    seen = [(task, _reads(flow, task, one), _reads(flow, task, other)) for task in later]
    both = next((task for task, first, second in seen if first and second), None)
    half = next((task for task, first, second in seen if first != second), None)
    prevailed = _prevailed(facts, conflict, later)
    ignored = both is None and any(_ignores(facts, task, conflict) for task in later)
    if ignored and half is None:
        return
    settled = both is not None or half is None or ignored
    wrong = not settled and prevailed is not None and _in_answer(facts, prevailed)
    names = [flow.name(written.task) for written in (one, other)]
    label = one.one.label
    outcome = f"{flow.name(both)} read both" if both else "no agent is seen to have read both"
    if prevailed is not None:
        outcome += f", and that of {flow.name(prevailed.task)} prevailed"
    meeting = both or half or later[0]
    yield Finding(
        code="emergent-disagreement",
        severity=Severity.ERROR if wrong else Severity.INFO if settled else Severity.WARNING,
        confidence=0.9 if both else 0.7,
        summary=f"{names[0]} and {names[1]} disagree on {label}, {one.one.text} against {other.one.text}; {outcome}",
        subject=f"{' and '.join(sorted(names))}: {label}",
        spans=ids([meeting, one.task, other.task]),
        messages=tuple(filter(None, (one.digest, other.digest))),
        rests_on=("recorded", "inferred"),
        advice=""
        if both
        else f"let {flow.name(meeting)} read both values of {label} and decide, with a reason, or ask",
    )


def _reads(flow: TaskFlow, task: Span, written: Written) -> bool:
    """Whether a model called in a task read a value, under its name or in the text that it was written in."""
    return written.digest in set(flow.prompts(task)) or any(
        written.one.label in one.topics and same(one, written.one) for _, one in flow.read(task)
    )


def _prevailed(facts: RunFacts, conflict: _Conflict, later: Sequence[Span]) -> Written | None:
    """The one of the two values that was written last after they had met, else the one in the answer."""
    flow, after = facts.once(TaskFlow), {task.span_id for task in later}
    writers = flow.written[conflict.one.one.label]
    written = [one.one for one in writers if one.task.span_id in after]
    answer = [one for one in labelled_in(facts.final_output or "") if conflict.one.one.label in one.topics]
    if {one.task.span_id for one in writers} - after - {conflict.one.task.span_id, conflict.other.task.span_id}:
        answer = []  # which may be about what somebody else wrote by this name
    for value in [*reversed(written), *answer]:
        for one in (conflict.one, conflict.other):
            if same(one.one, value):
                return one
    return None


def _in_answer(facts: RunFacts, written: Written) -> bool:
    answer = labelled_in(facts.final_output or "")
    return any(written.one.label in one.topics and same(one, written.one) for one in answer)


__all__ = ["emergent_disagreement"]
