"""Values that a task's causes knew, and that it did without."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import NamedTuple

from otel_mas.analyse.constraints import Constraint, constraints_in
from otel_mas.analyse.findings.changed_values import changed_values
from otel_mas.analyse.findings.departures import departures, direct_causes, unread
from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.findings.named_values import named_values, read_by_name
from otel_mas.analyse.findings.rewritten import rewritten_messages, rewritten_names
from otel_mas.analyse.findings.task_flow import TaskFlow, Written
from otel_mas.analyse.findings.unheard import unheard
from otel_mas.analyse.labelled import Labelled, ValueKind, labelled_in, same
from otel_mas.analyse.root_cause.arrivals import Departure
from otel_mas.analyse.root_cause.passages import is_none
from otel_mas.model import Finding, Severity, Span, Undecided
from otel_mas.semconv import RecordKind

_CODE = "causal-amnesia"
_INSTRUCTIONS = "system"
"""Role of messages that are meant for one agent alone."""
_MOST_CONSTRAINTS, _SHOWN, _SHORT = 20, 100, 3
_MOST_WRITERS = 8
"""Writers of a label that are looked at, the last ones."""
_SMALL = 100
"""Numbers below that, and those next to each other, are counters and are recomputed."""
_OPINIONS = frozenset((ValueKind.VERDICT, ValueKind.CHOICE))
_SURENESS = {
    Departure.NONE_READ: 0.6,
    Departure.CHANGED: 0.6,
    Departure.OPPOSITE: 0.6,
    Departure.GARBLED: 0.6,
    Departure.UNREAD: 0.5,
    Departure.NEW: 0.4,
}
"""Confidence where a task read otherwise than was written; new numbers may also come from what is not recorded."""
_READ_OTHERWISE = (Departure.OPPOSITE, Departure.GARBLED, Departure.NEW)
_WARNED = 0.5
"""Confidence from which it is a warning."""
_MOST_TASKS = 200
"""Tasks that are looked at closely."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """A value that a task read or wrote in the place of what its causes knew."""

    task: Span
    instead: Labelled
    known: Written
    message: str | None
    """Digest of the message with what is there instead."""

    @property
    def lost(self) -> bool:
        """Whether there is no value instead; else there is another one."""
        return self.instead.kind is ValueKind.UNKNOWN


def causal_amnesia(facts: RunFacts) -> Iterator[Finding | Undecided]:
    """An agent decided without something that its causes had produced or been told. A prompt that it read, or the text
    that its model wrote, names a field without a value ("Opening: unknown") or with a value that nobody had written,
    although a task that led to it had written one under this name, which was nowhere in what the agent read. So does a
    prompt that is empty, or has a name without a value, and has nothing of what its causes wrote; and one with names or
    words of theirs in other letters. The finding says what, who knew it last, and at which hop it was lost or changed.
    A value that a cause replaced or cleared is none, nor is one that was read under another name, rounded, or counted
    on; only labelled numbers, days, choices and yes or no are compared. Constraints count as well, where they can be
    checked: an agent exceeded a number ("at most 500 EUR"), or used a name or quoted word, that a cause of it was told
    not to, in a message that the agent did not read. Instructions that only one agent has are not for others. It is an
    error where the run's answer lacks the value, has the changed one, or violates the constraint.
    """
    if not facts.content.kept:
        if facts.content.refs:
            yield Undecided(_CODE, "what agents read was not kept: record content (OTEL_MAS_CONTENT=redacted)")
        return
    found: dict[tuple[str, str, bool], list[_Gap]] = {}
    for gap in _gaps(facts):
        found.setdefault((facts.once(TaskFlow).name(gap.task), gap.known.one.label, gap.lost), []).append(gap)
    for gaps in found.values():
        yield _finding(facts, gaps)
    yield from _other_texts(facts, {gaps[0].task.span_id for gaps in found.values()})
    yield from _forgotten_constraints(facts)


def _gaps(facts: RunFacts) -> Iterator[_Gap]:
    looked = 0
    for task in facts.tasks if facts.model_calls else ():
        unread = _unread(facts, task) if looked < _MOST_TASKS else {}
        suspects = list(_suspects(facts, task, unread)) if unread else []
        looked += bool(suspects)
        for message, instead, name in suspects:
            if name in unread and _departs(facts, task, instead, unread[name], message not in facts.writers):
                yield _Gap(task, instead, unread.pop(name).known, message)


class _Unread(NamedTuple):
    """Values of one name of which the last one that a cause of a task wrote is nowhere in what this read."""

    known: Written
    writers: Sequence[Written]
    """The last ones before the task, whether they caused it or not."""


def _unread(facts: RunFacts, task: Span) -> dict[str, _Unread]:
    """Such values, of the names in what a task read and its models wrote."""
    flow, found, names = facts.once(TaskFlow), dict[str, _Unread](), dict[str, object]()
    for digest in _texts(facts, task):
        names.update(flow.by_name(digest))
    for name in names:
        written = flow.written[name]
        before = bisect_right(written, task.start_ns, key=lambda one: one.end_ns)
        writers = written[max(0, before - _MOST_WRITERS) : before]
        known = next((one for one in reversed(writers) if flow.caused_by(task, one.task)), None)
        if known is not None and known.one.kind is not ValueKind.UNKNOWN and not flow.has_read(task, known.one):
            found[name] = _Unread(known, writers)
    return found


def _texts(facts: RunFacts, task: Span) -> dict[str, bool]:
    """Digests of the messages that a task read and its models wrote, and whether these wrote them."""
    flow = facts.once(TaskFlow)
    wrote = {digest for call in flow.model_calls.get(task.span_id, ()) for digest in facts.wrote(call)}
    return {**{digest: digest in wrote for digest in flow.prompts(task)}, **dict.fromkeys(sorted(wrote), True)}


def _suspects(facts: RunFacts, task: Span, unread: Mapping[str, _Unread]) -> Iterator[tuple[str, Labelled, str]]:
    """Values by these names that are not what was written last; of what its models wrote those that are not known."""
    flow = facts.once(TaskFlow)
    for digest, is_written in _texts(facts, task).items():
        by_name = flow.by_name(digest)
        for name in filter(unread.__contains__, by_name):
            for one in by_name[name]:
                is_known = one.kind is not ValueKind.UNKNOWN
                if not (is_written and is_known) and not any(_alike(one, known.one) for known in unread[name].writers):
                    yield digest, one, name


def _alike(one: Labelled, other: Labelled) -> bool:
    if one.kind is ValueKind.UNKNOWN:
        return False
    return same(one, other)


def _departs(facts: RunFacts, task: Span, instead: Labelled, unread: _Unread, is_composed: bool) -> bool:
    """Whether what is there instead, in a message that code composed or in that of a model, was not meant."""
    known = unread.known
    values = [one.one for one in unread.writers if one.one.kind is not ValueKind.UNKNOWN]
    if not known.field and not all(same(one, known.one) for one in values):
        return False  # of several by this name it may be about another one
    if instead.kind is ValueKind.UNKNOWN:
        return True
    if instead.kind is not known.one.kind:
        return False  # another kind of thing
    people = facts.by_kind.get(RecordKind.HUMAN_INPUT)
    if instead.kind in _OPINIONS and not known.field and (people or not is_composed):
        return False  # a verdict in a text is that of who wrote it
    counted = abs(known.one.number) < _SMALL or abs(instead.number - known.one.number) <= 1
    if instead.kind is ValueKind.NUMBER and counted:
        return False
    return not _has_source(facts, task, instead)


def _has_source(facts: RunFacts, task: Span, instead: Labelled) -> bool:
    """Whether a value was written before by anybody, or given to the run, or came from a tool of the task itself."""
    results = [facts.result(call) or "" for call in facts.once(TaskFlow).tool_calls.get(task.span_id, ())]
    own = [one for text in results for one in labelled_in(text)]
    if any(instead.text in text for text in results) or any(same(instead, one) for one in own):
        return True
    for root in facts.graph.roots:
        for digest in facts.read(root):
            if instead.text in (facts.text(digest) or ""):
                return True
    return any(
        same(instead, one.one)
        for of_label in facts.once(TaskFlow).written.values()
        for one in of_label
        if one.end_ns <= task.start_ns and one.one.kind is instead.kind and instead.kind is not ValueKind.VERDICT
    )


def _finding(facts: RunFacts, gaps: Sequence[_Gap]) -> Finding:
    first = gaps[0]
    known, reader, label = first.known, facts.once(TaskFlow).name(first.task), first.known.one.label
    last = _last_to_know(facts, first)
    writer, hop = (
        facts.once(TaskFlow).name(known.task),
        "" if last is known.task else f" and {facts.once(TaskFlow).name(last)} had read",
    )
    verb = "read" if first.message in set(facts.once(TaskFlow).prompts(first.task)) else "wrote"
    edge = f"{facts.once(TaskFlow).name(last)} -> {reader}"
    return Finding(
        code=_CODE,
        severity=Severity.ERROR if _answer_shows(facts, first) else Severity.WARNING,
        confidence=0.9 if first.lost else 0.75 if known.field else 0.6,
        summary=f"{reader} decided without {label} {known.one.text}, which {writer} had written{hop}: "
        f"it {verb} '{label}: {first.instead.text}'",
        subject=f"{edge}: {label}",
        spans=ids(dict.fromkeys([*(gap.task for gap in gaps), last, known.task])),
        messages=tuple(dict.fromkeys(filter(None, (first.message, known.digest)))),
        rests_on=("recorded", "inferred"),
        advice=f"hand {label} on from {edge}, in a field of the state, and let {reader} fail without it"
        if first.lost
        else f"look at what changes {label} on the way {edge}; a field of the state would carry it as it is",
    )


def _other_texts(facts: RunFacts, reported: set[str]) -> Iterator[Finding]:
    """Tasks that read something else than was written, but for those of which more is told: one finding each."""
    for task, kind, reason in _departures(facts):
        if task.span_id not in reported:
            reported.add(task.span_id)
            name, sure = facts.once(TaskFlow).name(task), _SURENESS[kind]
            yield Finding(
                code=_CODE,
                severity=Severity.WARNING if sure >= _WARNED else Severity.INFO,
                confidence=sure,
                summary=f"{name} decided without what had been written: it {reason}",
                subject=f"{name}: {kind}",
                spans=ids(dict.fromkeys([task, *direct_causes(facts, task)])),
                rests_on=("recorded", "inferred"),
                advice=f"look at how {name} takes what it reads from the state, and hand values on in fields of it",
            )


def _departures(facts: RunFacts) -> Iterator[tuple[Span, Departure, str]]:
    for message, task, label in unheard(facts):
        yield task, Departure.UNREAD, f"read no {label} of {facts.who(message.task)}"
    for task, text in rewritten_messages(facts):
        yield task, Departure.GARBLED, f"read what had been written otherwise: {text}"
    for task, names in rewritten_names(facts):
        yield task, Departure.GARBLED, "read " + ", ".join(f"{name} for {other}" for name, other in names[:_SHORT])
    for changed in changed_values(facts):
        instead = f"{changed.name} {changed.read} instead of {changed.written.value}"
        yield changed.reader, Departure.CHANGED, f"read {instead}"
    yield from _none_read(facts)
    for one in unread(facts):
        if direct_causes(facts, one.task.span):
            yield one.task.span, one.departure, one.reason
    for one in departures(facts, *_READ_OTHERWISE):
        yield one.task.span, one.departure, one.reason


def _none_read(facts: RunFacts) -> Iterator[tuple[Span, Departure, str]]:
    """Prompts that say there is none of what a cause had written last under this name."""
    flow, written = facts.once(TaskFlow), named_values(facts)
    for reader, pairs in read_by_name(facts):
        for name in dict.fromkeys(name for name, value in pairs if is_none(value)):
            before = [one for one in written.get(name, ()) if one.is_for(reader)]
            if before and not is_none(before[-1].value) and len({one.value for one in before}) == 1:
                last = before[-1]
                known = (len(last.value) > _SHORT and last.value in flow.read_text(reader)) or last.value in {
                    value for _, value in pairs
                }
                if flow.caused_by(reader, last.task) and not known:
                    yield reader, Departure.NONE_READ, f"read no {name}, which was {last.value[:_SHOWN]}"


@dataclass(frozen=True, slots=True)
class _KnownConstraint:
    """A constraint, the message that has it, and the first task that wrote or read this."""

    constraint: Constraint
    digest: str
    knower: Span
    time_ns: int


def _forgotten_constraints(facts: RunFacts) -> Iterator[Finding]:
    """Violations of constraints that a cause had read or written, by agents that had not read them."""
    flow = facts.once(TaskFlow)
    constraints = list(islice(_constraints(facts), _MOST_CONSTRAINTS))
    found: set[tuple[str, str]] = set()
    for task in facts.tasks if constraints else ():
        wrote = [digest for call in flow.model_calls.get(task.span_id, ()) for digest in facts.wrote(call)]
        prompts = frozenset(flow.prompts(task)) if wrote else frozenset[str]()
        unread = [one for one in constraints if one.time_ns <= task.start_ns and one.digest not in prompts]
        for digest, one in product(wrote, unread):
            violation = one.constraint.violation(facts.text(digest) or "")
            key = flow.name(task), one.constraint.sentence
            if violation is not None and key not in found and _did_not_know(facts, task, one):
                found.add(key)
                yield _of_constraint(facts, task, digest, one, violation)


def _constraints(facts: RunFacts) -> Iterator[_KnownConstraint]:
    for digest, (time_ns, span) in facts.once(TaskFlow).first_seen.items():
        message, text, task = facts.message(digest), facts.text(digest), facts.task(span)
        if message is not None and message.role != _INSTRUCTIONS and text and task is not None:
            yield from (_KnownConstraint(one, digest, task, time_ns) for one in constraints_in(text))


def _did_not_know(facts: RunFacts, task: Span, one: _KnownConstraint) -> bool:
    flow = facts.once(TaskFlow)
    read = flow.read_text(task)
    return bool(read) and not one.constraint.is_known_from(read) and flow.caused_by(task, one.knower)


def _of_constraint(facts: RunFacts, task: Span, digest: str, one: _KnownConstraint, violation: str) -> Finding:
    flow = facts.once(TaskFlow)
    reader, who = flow.name(task), flow.name(one.knower)
    wrong = one.constraint.violation(facts.final_output or "") is not None
    return Finding(
        code=_CODE,
        severity=Severity.ERROR if wrong else Severity.WARNING,
        confidence=0.7,
        summary=f"{reader} wrote '{violation}' and had not read '{one.constraint.sentence[:_SHOWN]}', which {who} knew",
        subject=f"{who} -> {reader}: constraint",
        spans=ids([task, one.knower]),
        messages=(digest, one.digest),
        rests_on=("recorded", "inferred"),
        advice=f"hand constraints on to {reader} as they are, in a field of the state that each prompt has",
    )


def _last_to_know(facts: RunFacts, gap: _Gap) -> Span:
    """The last of a task's causes that had read or written the value."""
    flow, last = facts.once(TaskFlow), gap.known.task
    for task in facts.tasks:
        after = gap.known.end_ns <= task.start_ns and task.last_ns <= gap.task.start_ns
        if after and flow.follows(gap.task, task) and flow.has_read(task, gap.known.one):
            last = task
    return last


def _answer_shows(facts: RunFacts, gap: _Gap) -> bool:
    """Whether the run's answer lacks the value where it names it, or has the changed one."""
    answer = labelled_in(facts.final_output or "")
    named = [one for one in answer if gap.known.one.label in one.topics]
    return bool(named) and all(one.kind is ValueKind.UNKNOWN if gap.lost else same(one, gap.instead) for one in named)


__all__ = ["causal_amnesia"]
