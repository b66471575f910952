"""Prompts that grow from call to call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names

_SHOWN = 5


def token_growth(facts: RunFacts) -> Iterator[Finding]:
    """The input of an agent's model calls grew from each to the next, far beyond what it began with: its history is
    not cut. Only calls in a row count, of which each one read again most of the messages that the one before had read,
    and the last has to be large. Calls at the same time, and prompts of other content that happen to be larger, are no
    growth, nor is a history that is cut or summarised in between.
    """
    calls: dict[tuple[str, str], list[Span]] = {}
    for call in facts.model_calls:
        if call.end_ns is not None and _tokens(call):
            calls.setdefault((facts.who(call), facts.places[call.span_id].root.trace_id), []).append(call)
    for (who, _), made in calls.items():
        if len(made) >= facts.thresholds.growth_steps:
            for growth in _growing(facts, made):
                yield _finding(facts, who, growth)


def _growing(facts: RunFacts, calls: Sequence[Span]) -> Iterator[Sequence[Span]]:
    """Calls in a row that each go on with what the one before read, where the growth is beyond the thresholds."""
    row: list[Span] = []
    for call in calls:
        if row and not (_tokens(call) > _tokens(row[-1]) and _continues(facts, row[-1], call)):
            if _is_growth(facts, row):
                yield row
            row = []
        row.append(call)
    if _is_growth(facts, row):
        yield row


def _is_growth(facts: RunFacts, row: Sequence[Span]) -> bool:
    given = facts.thresholds
    if len(row) < given.growth_steps:
        return False
    first, last = _tokens(row[0]), _tokens(row[-1])
    return last >= given.token_growth_tokens and last >= given.growth_factor * first


def _continues(facts: RunFacts, earlier: Span, later: Span) -> bool:
    """Whether a call came after another and read more than half of the messages that this one had read."""
    if earlier.last_ns > later.start_ns:
        return False
    before, now = frozenset(facts.read(earlier)), frozenset(facts.read(later))
    return 2 * len(before & now) > len(before)


def _finding(facts: RunFacts, who: str, growth: Sequence[Span]) -> Finding:
    first, last = _tokens(growth[0]), _tokens(growth[-1])
    again = sum(_tokens(call) for call in growth[:-1])
    return Finding(
        code="token-growth",
        severity=Severity.WARNING,
        confidence=1.0,
        summary=f"the input of {who} grew from {first:,.0f} to {last:,.0f} tokens over {len(growth)} model calls, "
        f"which read {again:,.0f} tokens again",
        subject=who,
        spans=ids([growth[-1], *growth[-2 : -1 - _SHOWN : -1], growth[0]]),
        advice=f"trim or summarise the messages of {who} (trim_messages, RemoveMessage, SummarizationMiddleware)",
    )


def _tokens(call: Span) -> float:
    value = call.columns.get(names.GEN_AI_USAGE_INPUT_TOKENS)
    return float(value) if isinstance(value, int | float) and isfinite(value) else 0.0


__all__ = ["token_growth"]
