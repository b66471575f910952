"""Spans of a run that have not ended: the innermost ones, and those that only wait for another agent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.model import Span
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names


@dataclass(frozen=True, slots=True)
class OpenRun:
    """Open spans of which nothing open is around: a run, or what is left of one."""

    root: Span
    leaves: Sequence[Span]
    """Open spans with nothing open inside, the latest first."""
    active_ns: int
    """When something last began or ended in its trace."""
    alive_ns: int
    """The last sign of life of its process, as far as it is known; else the same as `active_ns`."""

    @property
    def stopped(self) -> bool:
        """Whether its process is known to have stopped."""
        return self.root.stopped or any(leaf.stopped for leaf in self.leaves)


def open_runs(facts: RunFacts) -> Sequence[OpenRun]:
    """Runs that have not ended, in start order."""
    spans = [span for span in facts.spans if span.end_ns is None]
    if not spans:
        return ()
    open_ids = {span.span_id for span in spans}
    around = {span.parent_span_id for span in spans}
    active: dict[str, int] = defaultdict(int)
    for span in facts.spans:
        active[span.trace_id] = max(active[span.trace_id], span.start_ns, span.end_ns or 0)
    leaves: dict[str, list[Span]] = defaultdict(list)
    for span in reversed(spans):
        if span.span_id not in around:
            leaves[_outermost(facts, span, open_ids).span_id].append(span)
    return [
        OpenRun(root, leaves[root.span_id], active[root.trace_id], max(active[root.trace_id], root.last_ns))
        for root in spans
        if root.parent_span_id not in open_ids
    ]


def _outermost(facts: RunFacts, span: Span, open_ids: set[str]) -> Span:
    while span.parent_span_id in open_ids and (above := facts.parent(span)) is not None:
        span = above
    return span


@dataclass(frozen=True, slots=True)
class Wait:
    """An agent at work that sent a message to another one, has not heard anything since, and does nothing else."""

    agent: str
    whom: str
    span: Span
    """The SEND."""


def waits(facts: RunFacts, runs: Sequence[OpenRun]) -> Mapping[str, Wait]:
    """By the id of an open leaf, whom it waits for; leaves that are at work are not there."""
    if not runs:
        return {}
    last: dict[str | None, Span] = {span.parent_span_id: span for span in facts.spans}
    found: dict[str, Wait] = {}
    for leaf in (leaf for run in runs for leaf in run.leaves if leaf.record_kind == RecordKind.AGENT_TASK):
        span = last.get(leaf.span_id)
        peer = span.get(names.MAS_MESSAGE_PEER) if span is not None and span.record_kind == RecordKind.SEND else None
        if span is not None and peer:
            found[leaf.span_id] = Wait(facts.who(leaf), str(peer), span)
    return found


__all__ = ["OpenRun", "Wait", "open_runs", "waits"]
