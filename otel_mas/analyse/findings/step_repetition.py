"""Steps that are repeated without new information."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from otel_mas.analyse.findings.facts import RunFacts, ids, model_name
from otel_mas.causal.failed import failed
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names

_Node = tuple[str | None, str]
"""The span of a graph, and the name of a node in it."""


def step_repetition(facts: RunFacts) -> Iterator[Finding]:
    """An agent asked its model again and again, one call after the other, read nothing that it had not read or written
    before, and got the same answer each time. Or a node with a model ran again and again and wrote the same each time,
    while nothing else in its graph's state changed. Calls of a task that failed and is tried again are none, nor are
    calls side by side (several samples of one answer, say), a later turn of a conversation, and answers that differ.
    """
    reported: set[str] = set()
    calls: dict[tuple[str, str, str], list[Span]] = {}
    for call in facts.model_calls:
        if call.end_ns is not None and not failed(call) and facts.wrote(call):
            root = facts.places[call.span_id].root.span_id
            calls.setdefault((root, facts.who(call), model_name(call)), []).append(call)
    for (_, who, model), same in calls.items():
        if len(same) >= facts.thresholds.repeated_steps:
            for steps in _repeated(facts, same):
                if len(steps) >= facts.thresholds.repeated_steps:
                    reported.update(task.span_id for call in steps if (task := facts.task(call)) is not None)
                    yield _finding(facts, who, model, steps)
    for tasks in _repeated_tasks(facts):
        if reported.isdisjoint(task.span_id for task in tasks):
            yield _task_finding(facts, tasks)


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


def _task_finding(facts: RunFacts, tasks: Sequence[Span]) -> Finding:
    who, node = facts.who(tasks[0]), tasks[0].task_name
    named = who if who == node else f"{node} of {who}"
    return Finding(
        code="step-repetition",
        severity=Severity.WARNING,
        confidence=0.8,
        summary=f"{named} ran {len(tasks)} times and wrote the same each time, with no other change of the state",
        subject=named,
        spans=ids([*tasks[1:], tasks[0]]),
        rests_on=("recorded", "inferred"),
        saves_ns=facts.saves_ns_without(tasks[1:]),
        advice=f"leave the loop when {node} writes what is there already, or limit it by a counter in the state",
    )


def _repeated_tasks(facts: RunFacts) -> Iterator[list[Span]]:
    """Runs of tasks of one node that has a model, between which nothing new was written to the graph's state."""
    models = Counter(_node(task) for call in facts.model_calls if (task := facts.task(call)) is not None)
    looping = {node for node, count in models.items() if count >= facts.thresholds.repeated_steps}
    graphs = {graph for graph, _ in looping}
    by_graph: dict[str | None, list[Span]] = {}
    for task in facts.tasks if looping else ():
        if task.parent_span_id in graphs and task.end_ns is not None:
            by_graph.setdefault(task.parent_span_id, []).append(task)
    for tasks in by_graph.values():
        for steps in _without_change(sorted(tasks, key=lambda task: task.last_ns), looping):
            if len(steps) >= facts.thresholds.repeated_steps:
                yield steps


def _without_change(tasks: Sequence[Span], looping: Collection[_Node]) -> Iterator[list[Span]]:
    """Runs of tasks of each of these nodes that wrote the same, while nothing new was written.

    Args:
        tasks: of one graph, in the order of their ends. Those that a `Send` began have an input of their own.
        looping: the nodes.
    """
    known: set[tuple[str, str]] = set()
    running: dict[_Node, tuple[list[Span], frozenset[tuple[str, str]]]] = {}
    for task in tasks:
        wrote = _written(task)
        if failed(task) or not known.issuperset(wrote):
            yield from (steps for steps, _ in running.values())
            running.clear()
        known.update(wrote)
        node = _node(task)
        if node not in looping or not wrote or failed(task) or any(link.kind == LinkKind.SEND for link in task.links):
            continue
        steps, before = running.get(node, ([], wrote))
        if before != wrote:
            yield steps
            steps = []
        if not steps or task.start_ns >= steps[-1].last_ns:
            steps.append(task)
        running[node] = steps, wrote
    yield from (steps for steps, _ in running.values())


def _node(task: Span) -> _Node:
    return task.parent_span_id, task.task_name or task.name


def _written(task: Span) -> frozenset[tuple[str, str]]:
    """The values that a task wrote to the state, as channels with digests."""
    channels, digests = task.get(names.MAS_STATE_CHANGED), task.get(names.MAS_STATE_DIGESTS)
    if not isinstance(channels, list | tuple) or not isinstance(digests, list | tuple):
        return frozenset()
    return frozenset(zip(map(str, channels), map(str, digests), strict=False))


__all__ = ["step_repetition"]
