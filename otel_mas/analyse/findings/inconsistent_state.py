"""Agents that work with different versions of the same state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names


def inconsistent_state(facts: RunFacts) -> Iterator[Finding]:
    """Two runs of one thread were at work at the same time, both from the same checkpoint, and wrote different values
    to the same field of the state: each decided without what the other one did, and only the later write is in the
    thread. Seen in a conversation, not in one of its traces alone. Runs one after the other, a run that branches off on
    purpose from an earlier checkpoint when the other one has ended, and fields with a reducer, to which both add, are
    none.
    """
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
