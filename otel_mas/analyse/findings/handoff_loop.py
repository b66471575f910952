"""Agents that hand over to each other in turn without anything new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.findings.tool_results import is_command
from otel_mas.analyse.state.values import is_message
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

_LONGEST = 4
"""Agents of a round at most."""
_LIMIT = "GraphRecursionError"
_UNTOLD = 0.8
"""Confidence about turns until the limit in which something new was written each time."""


def handoff_loop(facts: RunFacts) -> Iterator[Finding]:
    """The same agents (two to four) took turns again and again, and in the later rounds none of them wrote a message, a
    value of the state or got a result of a tool that had not been there before: hand-offs in a circle, or a supervisor
    that asks the same agents without end. Numbers that only count do not make a round new. It is an error, whatever was
    written, where the run ended in such turns at LangGraph's recursion limit. Rounds that add something, such as a
    review that leads to another draft, are none, nor are polls, in which no model is asked.
    """
    for scope in facts.scopes.all:
        tasks = _one_after_the_other(scope.tasks)
        turns = list(_turns([None if task is None else task.task_name for task in tasks]))
        if not turns:
            continue
        known: set[Hashable] = set()
        new = [task is None or _adds(facts, task, known) for task in tasks]
        for first, last, period in turns:
            in_turn = [task for task in tasks[first:last] if task is not None]
            idle = _without_news(in_turn, new[first:last])
            limited = last == len(tasks) and hit_the_limit(facts, in_turn[-1])
            least = facts.thresholds.handoff_loop_rounds * period
            if len({facts.who(task) for task in in_turn[:period]}) == 1:
                continue  # one agent's own model and tools
            if len(idle) >= least and any(_asks_a_model(facts, task) for task in idle):
                yield _finding(facts, idle, period, limited)
            elif limited and len(in_turn) >= least:
                yield _finding(facts, in_turn, period, limited, sure=_UNTOLD)


def _one_after_the_other(tasks: Sequence[Span]) -> list[Span | None]:
    """The task of each step, its last attempt; None in the place of several that ran at once."""
    steps: dict[object, dict[str | None, Span]] = defaultdict(dict)
    for task in tasks:
        steps[task.trace_id, task.columns.get(names.MAS_TASK_STEP)][task.task_id] = task
    return [next(iter(step.values())) if len(step) == 1 else None for step in steps.values()]


def _turns(nodes: Sequence[str | None]) -> Iterator[tuple[int, int, int]]:
    """Stretches in which the same few nodes take turns, two rounds at least: first, end, nodes in a round."""
    done = 0
    for period in range(2, _LONGEST + 1):
        at = done
        while at + 2 * period <= len(nodes):
            end = at + period
            while end < len(nodes) and nodes[end] is not None and nodes[end] == nodes[end - period]:
                end += 1
            if end - at >= 2 * period and len(set(nodes[at : at + period])) == period:
                yield at, end, period
                at = done = end
            else:
                at = max(at + 1, end - period + 1)


def _without_news(tasks: Sequence[Span], new: Sequence[bool]) -> list[Span]:
    """The longest row of tasks that added nothing."""
    longest: list[Span] = []
    idle: list[Span] = []
    for task, is_new in zip(tasks, new, strict=True):
        idle = [] if is_new else [*idle, task]
        longest = max(longest, idle, key=len)
    return longest


def _adds(facts: RunFacts, task: Span, known: set[Hashable]) -> bool:
    """Whether a task wrote something that nobody before it had, or it cannot be told; notes what it wrote."""
    wrote: set[Hashable] = set(map(facts.text_or_digest, facts.wrote(task)))
    for one in facts.state_values(task):
        messages = one.value if isinstance(one.value, list) else [one.value]
        if messages and all(map(is_message, messages)):
            wrote.update(message["text"] or one.digest for message in messages)
        elif not _is_comparable(one.digest):
            return True
        elif not isinstance(one.value, int | float) and (one.value is not None or one.missing is not None):
            wrote.add((one.channel, one.digest))
    for span in _inside(facts, task):
        if span.record_kind == RecordKind.LLM_CALL:
            wrote.update(map(facts.text_or_digest, facts.wrote(span)))
        elif span.record_kind == RecordKind.TOOL_CALL and not is_command(facts, span):
            wrote.add(facts.result(span) or span.span_id)
    new = wrote - known
    known |= wrote
    return bool(new)


def _is_comparable(digest: str) -> bool:
    """Whether it is a digest, and no size or other remark in the place of one."""
    return digest.isalnum() and digest not in ("opaque", "large")


def _inside(facts: RunFacts, task: Span) -> Iterator[Span]:
    waiting = [task]
    while waiting:
        inside = facts.graph.children_of(waiting.pop().span_id)
        yield from inside
        waiting += inside


def _asks_a_model(facts: RunFacts, task: Span) -> bool:
    return any(span.record_kind == RecordKind.LLM_CALL for span in _inside(facts, task))


def hit_the_limit(facts: RunFacts, task: Span) -> bool:
    """Whether the run of a task ended at LangGraph's recursion limit."""
    run = facts.parent(task)
    return run is not None and str(run.get(names.ERROR_TYPE) or "").endswith(_LIMIT)


def _finding(facts: RunFacts, tasks: Sequence[Span], period: int, limited: bool, sure: float = 1.0) -> Finding:
    agents, rounds = [facts.who(task) for task in tasks[:period]], len(tasks) // period
    without = "" if sure < 1 else " without anything new"
    until = ", until the recursion limit" if limited else ""
    return Finding(
        code="handoff-loop",
        severity=Severity.ERROR if limited else Severity.WARNING,
        confidence=sure,
        summary=f"{', '.join(agents[:-1])} and {agents[-1]} took turns {rounds} times{without}{until}",
        subject=" -> ".join(sorted(agents)),
        spans=ids(tasks),
        rests_on=("recorded",) if sure == 1 else ("recorded", "inferred"),
        saves_ns=facts.saves_ns_without(tasks),
        advice=f"count the rounds in the state and route to the end, or to a person, after a few; tell {agents[0]} who "
        "has been asked what already",
    )


__all__ = ["handoff_loop", "hit_the_limit"]
