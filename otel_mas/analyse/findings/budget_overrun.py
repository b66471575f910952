"""Runs that cost or took more than was allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from otel_mas.analyse.cost import cost
from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.model import Finding, Severity, Span, Undecided
from otel_mas.model.amounts import duration, usd
from otel_mas.semconv import attributes as names

_CODE = "budget-overrun"
_SHOWN = 5


def budget_overrun(facts: RunFacts) -> Iterator[Finding | Undecided]:
    """A trace cost more US dollars, used more tokens or took longer than its budget: the thresholds `budget_usd`,
    `budget_tokens` (input and output together) and `budget_seconds`. There is no budget unless one is set. A trace that
    waits for a person is over meanwhile: the time until the answer is not counted, as the answer begins another trace.
    """
    given = facts.thresholds
    if not (given.budget_usd or given.budget_tokens or given.budget_seconds):
        return
    roots: dict[str, list[Span]] = {}
    for root in facts.graph.roots:
        roots.setdefault(root.trace_id, []).append(root)
    calls: dict[str, list[Span]] = {}
    for call in facts.model_calls:
        calls.setdefault(call.trace_id, []).append(call)
    outer = {root.span_id for root in facts.graph.roots}
    ends = {span.span_id: end for span, end in zip(facts.spans, facts.graph.ends, strict=True) if span.span_id in outer}
    for trace, outermost in roots.items():
        made = calls.get(trace, [])
        yield from _money(facts, outermost[0], made)
        yield from _tokens(facts, outermost[0], made)
        if given.budget_seconds:
            yield from _time(facts, max(outermost, key=lambda root: ends[root.span_id] - root.start_ns), ends)


def _money(facts: RunFacts, root: Span, calls: Sequence[Span]) -> Iterator[Finding | Undecided]:
    budget = facts.thresholds.budget_usd
    if not budget or not calls:
        return
    table = cost(calls)
    spent = table.total.usd
    if spent is None:
        if table.unpriced:
            yield Undecided(_CODE, f"no model call of {_run(root)} has a price; {table.unpriced[0].reason}")
    elif spent > budget:
        least = "at least " if table.unpriced else ""
        dearest = sorted(calls, key=lambda call: -_amount(call, names.MAS_COST_USD))
        yield Finding(
            code=_CODE,
            severity=Severity.WARNING,
            confidence=1.0,
            summary=f"{_run(root)} cost {least}{usd(spent)}, over its budget of {usd(budget)}; the dearest call is "
            f"{facts.label(dearest[0])}",
            subject=f"{_run(root)}: cost",
            spans=ids(dearest[:_SHOWN]),
            saves_usd=spent - budget,
            advice=f"let {facts.who(dearest[0])} call a cheaper model, or less often",
        )


def _tokens(facts: RunFacts, root: Span, calls: Sequence[Span]) -> Iterator[Finding]:
    budget = facts.thresholds.budget_tokens
    used = sum(map(_used, calls)) if budget else 0
    if budget and used > budget:
        largest = sorted(calls, key=lambda call: -_used(call))
        yield Finding(
            code=_CODE,
            severity=Severity.WARNING,
            confidence=1.0,
            summary=f"{_run(root)} used {used:,.0f} tokens, over its budget of {budget:,}; the largest call is "
            f"{facts.label(largest[0])}",
            subject=f"{_run(root)}: tokens",
            spans=ids(largest[:_SHOWN]),
            advice=f"give {facts.who(largest[0])} less to read: trim or summarise its messages (trim_messages)",
        )


def _time(facts: RunFacts, root: Span, ends: Mapping[str, int]) -> Iterator[Finding]:
    budget = facts.thresholds.budget_seconds
    took = ends[root.span_id] - root.start_ns
    if took > budget * 1e9:
        yield Finding(
            code=_CODE,
            severity=Severity.WARNING,
            confidence=1.0,
            summary=f"{_run(root)} took {duration(took)}, over its budget of {duration(round(budget * 1e9))}",
            subject=f"{_run(root)}: duration",
            spans=(root.span_id,),
            saves_ns=took - round(budget * 1e9),
            advice="see its critical path (otel-mas critical-path) and what would be saved (otel-mas what-if)",
        )


def _run(root: Span) -> str:
    return root.workflow or root.agent or root.name


def _used(call: Span) -> float:
    return _amount(call, names.GEN_AI_USAGE_INPUT_TOKENS) + _amount(call, names.GEN_AI_USAGE_OUTPUT_TOKENS)


def _amount(call: Span, name: str) -> float:
    value = call.columns.get(name)
    return float(value) if isinstance(value, int | float) and isfinite(value) else 0.0


__all__ = ["budget_overrun"]
