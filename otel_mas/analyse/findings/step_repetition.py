"""Steps that are repeated without new information."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.analyse.findings.facts import RunFacts, ids, model_name
from otel_mas.causal.failed import failed
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names


def step_repetition(facts: RunFacts) -> Iterator[Finding]:
    """An agent asked its model again and again, one call after the other, read nothing that it had not read or written
    before, and got the same answer each time. Calls of a task that failed and is tried again are none, nor are calls
    side by side (several samples of one answer, say), a later turn of a conversation, and answers that differ.
    """
    calls: dict[tuple[str, str, str], list[Span]] = {}
    for call in facts.model_calls:
        if call.end_ns is not None and not failed(call) and facts.wrote(call):
            root = facts.places[call.span_id].root.span_id
            calls.setdefault((root, facts.who(call), model_name(call)), []).append(call)
    for (_, who, model), same in calls.items():
        if len(same) >= facts.thresholds.repeated_steps:
            for steps in _repeated(facts, same):
                if len(steps) >= facts.thresholds.repeated_steps:
                    yield _finding(facts, who, model, steps)


def _finding(facts: RunFacts, who: str, model: str, steps: Sequence[Span]) -> Finding:
    again = steps[1:]
    costs = [cost for call in again if isinstance(cost := call.columns.get(names.MAS_COST_USD), int | float)]
    return Finding(
        code="step-repetition",
        severity=Severity.WARNING,
        confidence=1.0,
        summary=f"{who} asked {model} {len(steps)} times with nothing new to it and got the same answer",
        subject=f"{who}: {model}",
        spans=ids([*again, steps[0]]),
        messages=tuple(facts.wrote(steps[0])),
        saves_ns=facts.saves_ns_without(again),
        saves_usd=sum(costs) if costs else None,
        advice=f"limit the steps of {who} (recursion_limit, a counter in the state), or leave the loop when an answer "
        "comes again",
    )


def _repeated(facts: RunFacts, calls: Sequence[Span]) -> Iterator[list[Span]]:
    """Runs of calls, in start order, of which each read nothing new and wrote the same as the one before."""
    known: set[str] = set()
    steps: list[Span] = []
    for call in calls:
        task = facts.task(call)
        read, wrote = facts.read(call), facts.wrote(call)
        if task is not None and failed(task):
            known.update(read, wrote)
            continue
        same = bool(steps) and bool(read) and wrote == facts.wrote(steps[-1]) and known.issuperset(read)
        if not same:
            yield steps
            steps = [call]
        elif call.start_ns >= steps[-1].last_ns:
            steps.append(call)
        known.update(read, wrote)
    yield steps


__all__ = ["step_repetition"]
