"""Agents that wait for one another, and joins that can never fill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.findings.open_spans import OpenRun, Wait, open_runs, waits
from otel_mas.analyse.topology import GraphScope
from otel_mas.analyse.why_not import WhyNotKind, why_not
from otel_mas.causal.references import texts
from otel_mas.causal.topology import JOIN, DeclaredEdge, Topology
from otel_mas.model import Finding, Severity, Span
from otel_mas.model.amounts import duration
from otel_mas.model.channels import END, START
from otel_mas.semconv import RecordKind, RunOutcome, TaskOutcome
from otel_mas.semconv import attributes as names

_SECOND = 10**9
_OK = (RunOutcome.OK, TaskOutcome.OK)


def deadlock(facts: RunFacts) -> Iterator[Finding]:
    """Agents wait in a circle: each has sent the next one a message, has not heard anything since and does nothing
    else, for a minute or more. Or all that is open in a run waits for an agent that has ended. Or a join of a graph
    never filled: a node waits for one that can only run after itself, or for one that another branch was taken instead
    of; the run ended without either. Agents of which one is at work, a join whose missing branch chose the end, and
    runs that failed, were paused or cancelled are no deadlock.
    """
    yield from _circles(facts)
    for scope in facts.scopes.all:
        yield from _joins(facts, scope)


# -- open runs ---------------------------------------------------------------------------------------------------------


def _circles(facts: RunFacts) -> Iterator[Finding]:
    runs = open_runs(facts)
    waiting = waits(facts, runs)
    for run in runs:
        quiet_ns = facts.now_ns - run.active_ns
        if quiet_ns < facts.thresholds.deadlock_after_s * _SECOND:
            continue
        busy = {facts.who(leaf) for leaf in run.leaves if leaf.span_id not in waiting}
        own = {
            wait.agent: wait for leaf in run.leaves if (wait := waiting.get(leaf.span_id)) and wait.agent not in busy
        }
        circle = _circle(own)
        if circle:
            words = " waits for ".join([*(wait.agent for wait in circle), circle[0].agent])
            yield _waiting(facts, run, circle, f"{words}, for {duration(quiet_ns)} now", 0.9)
        elif own and not busy and all(_is_over(facts, wait.whom) for wait in own.values()):
            waits_for = "; ".join(f"{wait.agent} waits for {wait.whom}, which has ended" for wait in own.values())
            yield _waiting(facts, run, list(own.values()), f"all that is open waits: {waits_for}", 0.8)


def _circle(own: Mapping[str, Wait]) -> list[Wait]:
    """A circle of waits, from the agent of the first name on."""
    for agent in sorted(own):
        path: list[Wait] = []
        at = agent
        while at in own and len(path) < len(own):
            path.append(own[at])
            at = own[at].whom
            if at == agent:
                return path
    return []


def _is_over(facts: RunFacts, agent: str) -> bool:
    """Whether an agent was at work and is no more."""
    tasks = [task for task in facts.tasks if agent in (task.agent, task.task_name)]
    return bool(tasks) and all(task.end_ns is not None for task in tasks)


def _waiting(facts: RunFacts, run: OpenRun, circle: Sequence[Wait], summary: str, confidence: float) -> Finding:
    return Finding(
        code="deadlock",
        severity=Severity.ERROR,
        confidence=confidence,
        summary=summary,
        subject=" -> ".join(sorted({name for wait in circle for name in (wait.agent, wait.whom)})),
        spans=ids([*(wait.span for wait in circle), *run.leaves]),
        messages=tuple(digest for wait in circle for digest in facts.wrote(wait.span)),
        rests_on=("recorded", "inferred"),
        advice="let one of them go on without the answer of the other: wait with a timeout, or send before waiting",
    )


# -- joins -------------------------------------------------------------------------------------------------------------


def _joins(facts: RunFacts, scope: GraphScope) -> Iterator[Finding]:
    topology, run = scope.topology, scope.runs[-1]
    outcome = run.columns.get(names.MAS_RUN_OUTCOME) or run.columns.get(names.MAS_TASK_OUTCOME)
    joins = [edge for edge in topology.edges if edge.kind == JOIN] if topology is not None else []
    if topology is None or not joins or outcome not in _OK:
        return
    acted = {task.task_name for task in scope.tasks}
    for join in joins:
        missing = [source for source in join.sources if source not in acted]
        if join.target in acted or not missing or len(missing) == len(join.sources):
            continue
        found = _join(facts, topology, join, missing, [task for task in scope.tasks if task.task_name in join.sources])
        if found is not None:
            yield found


def _join(
    facts: RunFacts, topology: Topology, join: DeclaredEdge, missing: Sequence[str], arrived: Sequence[Span]
) -> Finding | None:
    node, lacks = join.target, " and ".join(missing)
    reason = why_not(facts.graph, node, facts.content)
    if reason.kind is not WhyNotKind.JOIN:
        return None
    after = [source for source in missing if not _reaches_without(topology, source, node)]
    if not after and any(END in texts(span.get(names.MAS_ROUTING_CHOICE)) for span in _decisions(reason.spans)):
        return None
    what = f"which can only run after {node}" if after else "which did not run"
    return Finding(
        code="deadlock",
        severity=Severity.ERROR if after else Severity.WARNING,
        confidence=1.0 if after else 0.6,
        summary=f"{node} never ran: its join waits for {lacks}, {what}",
        subject=f"{lacks} -> {node}",
        spans=ids([*arrived, *(span for span in reason.spans if span not in arrived)]),
        rests_on=("recorded",) if after else ("recorded", "inferred"),
        advice=f"let {node} be reached by an edge of its own from each branch, with `defer=True` if it is to wait for "
        "those that run, or let every branch lead to the join",
    )


def _reaches_without(topology: Topology, node: str, without: str) -> bool:
    """Whether a node can be reached from the start without another one."""
    waiting, seen = [START], {START, without}
    while waiting:
        at = waiting.pop()
        for edge in topology.edges:
            if at in edge.sources:
                if edge.target in (node, ""):
                    return True
                if edge.target not in seen:
                    seen.add(edge.target)
                    waiting.append(edge.target)
    return False


def _decisions(spans: Sequence[Span]) -> list[Span]:
    return [span for span in spans if span.record_kind == RecordKind.ROUTING_DECISION]


__all__ = ["deadlock"]
