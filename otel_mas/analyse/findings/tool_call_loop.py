"""Tool calls that are repeated without new information."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.findings.facts import RunFacts, ids, tool_name
from otel_mas.model import Finding, Severity, Span, StatusCode


def tool_call_loop(facts: RunFacts) -> Iterator[Finding]:
    """An agent called a tool again and again with the same arguments and got the same result each time: nothing that it
    did not know after the first call. Calls that failed are no loop, nor are polls whose result changes in between.
    """
    same: dict[tuple[str, str, str], list[Span]] = {}
    for call in facts.tool_calls:
        arguments = facts.arguments(call)
        if arguments is not None and call.end_ns is not None:
            same.setdefault((facts.who(call), tool_name(call), arguments), []).append(call)
    for (who, tool, _), calls in same.items():
        for loop in _unchanged(facts, calls):
            if len(loop) < facts.thresholds.tool_loop_calls:
                continue
            again = loop[1:]
            yield Finding(
                code="tool-call-loop",
                severity=Severity.WARNING,
                confidence=1.0,
                summary=f"{who} called {tool} {len(loop)} times with the same arguments and got the same result",
                subject=f"{who}: {tool}",
                spans=ids([*again, loop[0]]),
                saves_ns=facts.saves_ns_without(again),
                advice=f"limit the steps of {who}, keep what {tool} returned in its state, or let {tool} say that "
                "there is nothing new",
            )


def _unchanged(facts: RunFacts, calls: list[Span]) -> Iterator[list[Span]]:
    """Runs of these calls, in start order, with equal results and none that failed."""
    run: list[Span] = []
    last: str | None = None
    for call in calls:
        result = None if call.status is StatusCode.ERROR else facts.result(call)
        if result is None or result != last:
            if run:
                yield run
            run = []
        if result is not None:
            run.append(call)
        last = result
    if run:
        yield run


__all__ = ["tool_call_loop"]
