"""Agents that work with different versions of the same state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from otel_mas.analyse.final_output import final_output
from otel_mas.analyse.findings.changed_values import ChangedValue, changed_values
from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.root_cause.passages import labelled_texts
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names

_SHOWN = 3


def inconsistent_state(facts: RunFacts) -> Iterator[Finding]:
    """An agent decided on another value than the one in the state: its prompt has, under the name that a task had
    written a value under, the opposite of it, or the same words with another number that nobody wrote and that follows
    from nothing; an error where the answer of the run has it too. Numbers that are rounded, scaled, counted on or from
    the agent's own tools are none. Or two runs of one thread were at work at the same time, both from the same
    checkpoint, and wrote different values to the same field of the state: each decided without what the other one did,
    and only the later write is in the thread. Seen in a conversation, not in one of its traces alone. Runs one after
    the other, a run that branches off on purpose from an earlier checkpoint when the other one has ended, and fields
    with a reducer, to which both add, are none.
    """
    yield from _changed(facts)
    threads: dict[tuple[str, str | None], list[Span]] = defaultdict(list)
    for root in facts.graph.roots:
        if root.conversation_id is not None and root.end_ns is not None:
            threads[root.conversation_id, root.workflow or root.agent].append(root)
    for (_, name), runs in threads.items():
        for number, first in enumerate(runs):
            for second in _at_the_same_time(first, runs[number + 1 :]):
                fields = _written_by_both(facts, first, second)
                if fields:
                    yield _finding(name or first.name, first, second, fields)


def _changed(facts: RunFacts) -> Iterator[Finding]:
    """One finding for each edge."""
    by_edge: dict[tuple[str, str], list[ChangedValue]] = defaultdict(list)
    for one in changed_values(facts):
        by_edge[facts.who(one.written.task), facts.who(one.reader)].append(one)
    answered = set(labelled_texts(final_output(facts.graph, facts.content) or "")) if by_edge else set()
    for (writer, reader), changes in by_edge.items():
        shown = ", ".join(dict.fromkeys(f"{one.name} {one.read} for {one.written.value}" for one in changes[:_SHOWN]))
        in_answer = any((one.name, one.read) in answered for one in changes)
        yield Finding(
            code="inconsistent-state",
            severity=Severity.ERROR if in_answer else Severity.WARNING,
            confidence=0.7,
            summary=f"{reader} read something else than {writer} had written: {shown}",
            subject=f"{writer} -> {reader}",
            spans=ids(dict.fromkeys([*(one.reader for one in changes), *(one.written.task for one in changes)])),
            rests_on=("recorded", "inferred"),
            advice=f"look at what becomes of {changes[0].name} between {writer} and {reader}: what parses, copies or "
            "translates it",
        )


def _at_the_same_time(first: Span, later: Sequence[Span]) -> Iterator[Span]:
    """Runs that began before the first one had ended, from the same checkpoint as it."""
    for second in later:
        if second.start_ns >= first.last_ns:
            return
        began = [run.columns.get(names.MAS_CHECKPOINT_ID) for run in (first, second)]
        if began[0] == began[1]:
            yield second


def _written_by_both(facts: RunFacts, first: Span, second: Span) -> list[tuple[str, Span, Span]]:
    """Fields without a reducer to which both runs wrote another last value, with the tasks that did."""
    wrote, also = _last_writes(facts, first), _last_writes(facts, second)
    return [
        (channel, wrote[channel][1], also[channel][1])
        for channel in wrote
        if channel in also and wrote[channel][0] != also[channel][0]
    ]


def _last_writes(facts: RunFacts, run: Span) -> dict[str, tuple[str, Span]]:
    """By field without a reducer the digest that a run wrote to it last, and the task."""
    found: dict[str, tuple[str, Span]] = {}
    for change in facts.state.changes:
        if change.span.parent_span_id == run.span_id and change.replaces and change.span is not run:
            found[change.channel] = change.digest, change.span
    return found


def _finding(name: str, first: Span, second: Span, fields: Sequence[tuple[str, Span, Span]]) -> Finding:
    channels = ", ".join(channel for channel, _, _ in fields)
    return Finding(
        code="inconsistent-state",
        severity=Severity.WARNING,
        confidence=1.0,
        summary=f"two runs of {name} in one thread began from the same state, ran at the same time and both wrote "
        f"{channels}",
        subject=name,
        spans=ids(dict.fromkeys([second, first, *(task for _, *tasks in fields for task in tasks)])),
        advice="let a thread run once at a time: queue what comes in while it runs, or give it a lock of its own; or "
        f"give {channels} a reducer that keeps what both wrote",
    )


__all__ = ["inconsistent_state"]
