"""Operations whose durations grow with how many of them run at once."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from otel_mas.analyse.findings.facts import RunFacts, ids, model_name, tool_name
from otel_mas.model import Finding, Severity, Span
from otel_mas.model.amounts import duration
from otel_mas.semconv import attributes as names

_CORRELATED = 0.7
"""Rank correlation (Spearman's) from which on one quantity grows with another; by chance with 12 pairs 1 in 100."""
_ALONE, _FEWEST = 0.5, 3
"""Others at once, on average, up to which a call counts as alone, and how many such calls there must be."""
_BURST, _ROUNDS = 8, 4
"""Calls at once, and times that each of the slots is used, from which on a queue shows."""
_TOLERANCE = 0.35
"""Deviation from the regular end of a queued call, in durations of one."""
_FEW_TASKS, _EXACT = 5, 0.15
"""The same for tasks: LangGraph runs but a few more at once than there are processors."""


def resource_contention(facts: RunFacts) -> Iterator[Finding]:
    """Calls of a tool or a model take the longer the more of them run at once: they wait for the same lock, pool or
    limit. Either their durations correlate with the mean number of others at the same time, or with the number that
    were there before, and those among others take twice as long as those alone; or calls that began together ended one
    after another (or two by two, ...) at regular distances, as from a queue. Few calls, calls that all ran alone, and
    models whose durations follow the size of their input are none. So with tasks of one node, such as those of a
    `Send`, that ended one after another though no call inside of them took that long: they wait for a lock in the node.
    Other waits in a task outside of its calls do not show.
    """
    by_operation: dict[str, list[Span]] = defaultdict(list)
    for call in facts.tool_calls:
        if call.end_ns is not None:
            by_operation[tool_name(call)].append(call)
    for call in facts.model_calls:
        if call.end_ns is not None:
            by_operation[model_name(call)].append(call)
    for operation, calls in by_operation.items():
        if len(calls) >= _BURST and not _follows_input(calls):
            found = _growing(facts, operation, calls) or _queued(operation, calls)
            if found is not None:
                yield found
    by_node: dict[tuple[str | None, str], list[Span]] = defaultdict(list)
    for task in facts.tasks:
        if task.end_ns is not None and task.task_name:
            by_node[task.parent_span_id, task.task_name].append(task)
    for (_, node), tasks in by_node.items():
        found = _queued(node, tasks, "tasks", _FEW_TASKS, _EXACT) if len(tasks) >= _FEW_TASKS else None
        if found is not None and _wait_themselves(facts, tasks):
            yield found


def _wait_themselves(facts: RunFacts, tasks: Sequence[Span]) -> bool:
    """Whether the last of these ended noticeably late, for what it did outside of the spans inside of it."""
    last = max(tasks, key=lambda task: task.last_ns)
    first = min(tasks, key=lambda task: task.last_ns)
    own = last.duration_ns - sum(span.duration_ns for span in facts.graph.children_of(last.span_id))
    return own > last.duration_ns / 2 and last.last_ns - first.last_ns >= facts.thresholds.stacking_seconds * 1e9


def _growing(facts: RunFacts, operation: str, calls: Sequence[Span]) -> Finding | None:
    if len(calls) < facts.thresholds.contention_calls:
        return None
    others, durations = _others_at_once(calls), [call.duration_ns for call in calls]
    alone = [took for took, number in zip(durations, others, strict=True) if number <= _ALONE]
    among = [call for call, number in zip(calls, others, strict=True) if number > _ALONE]
    if len(alone) < _FEWEST or len(among) < max(_FEWEST, len(calls) // 4):
        return None
    usual, longer = median(alone), median(call.duration_ns for call in among)
    correlated = max(spearman(others, durations), spearman(_others_before(calls), durations))
    if correlated < _CORRELATED or longer < facts.thresholds.contention_growth * max(1, usual):
        return None
    return _finding(
        operation,
        sorted(among, key=lambda call: -call.duration_ns),
        f"{operation} takes {duration(round(longer))} among others and {duration(round(usual))} alone",
        round(max(call.duration_ns for call in among) - usual),
    )


def _queued(
    operation: str, calls: Sequence[Span], what: str = "calls", fewest: int = _BURST, tolerance: float = _TOLERANCE
) -> Finding | None:
    """The first calls or tasks that began together and ended at regular distances."""
    for burst in _bursts(calls, fewest):
        ended = sorted((call for call in burst), key=lambda call: call.last_ns)
        took = [call.last_ns - burst[0].start_ns for call in ended]
        for slots in range(1, len(burst) // _ROUNDS + 1):
            rounds = [number // slots + 1 for number in range(len(took))]
            one = median(took[number] / rounds[number] for number in range(len(took)))
            if all(abs(end - turn * one) <= tolerance * one for end, turn in zip(took, rounds, strict=True)):
                at_once = "one at a time" if slots == 1 else f"{slots} at a time"
                summary = (
                    f"{len(burst)} {what} of {operation} that began together were served {at_once}, "
                    f"each in {duration(round(one))}"
                )
                return _finding(operation, list(reversed(ended)), summary, round(took[-1] - one), what)
    return None


def _bursts(calls: Sequence[Span], fewest: int) -> Iterator[Sequence[Span]]:
    """Calls that began before any of them had ended, as many as a queue shows in."""
    ordered = sorted(calls, key=lambda call: call.start_ns)
    burst: list[Span] = []
    for call in ordered:
        if burst and call.start_ns >= min(one.last_ns for one in burst[:1]):
            if len(burst) >= fewest:
                yield burst
            burst = []
        burst.append(call)
    if len(burst) >= fewest:
        yield burst


def _finding(operation: str, calls: Sequence[Span], summary: str, saves_ns: int, what: str = "calls") -> Finding:
    return Finding(
        code="resource-contention",
        severity=Severity.WARNING,
        confidence=0.7 if what == "calls" else 0.5,
        summary=summary,
        subject=operation,
        spans=ids(calls),
        rests_on=("recorded", "inferred"),
        saves_ns=max(0, saves_ns),
        advice=f"look for what {what} of {operation} share: a lock, a pool of connections, a limit of the provider; "
        "enlarge it, or begin no more calls at once than it serves (`max_concurrency` of the config)",
    )


# -- statistics --------------------------------------------------------------------------------------------------------


def _others_at_once(calls: Sequence[Span]) -> list[float]:
    """For each call the mean number of the others that were open while it was."""
    times = sorted({time for call in calls for time in (call.start_ns, call.last_ns)})
    change: dict[int, int] = defaultdict(int)
    for call in calls:
        change[call.start_ns] += 1
        change[call.last_ns] -= 1
    total, number = {times[0]: 0}, 0
    for time, following in pairwise(times):
        number += change[time]
        total[following] = total[time] + number * (following - time)
    return [(total[call.last_ns] - total[call.start_ns]) / max(1, call.duration_ns) - 1 for call in calls]


def _others_before(calls: Sequence[Span]) -> list[float]:
    """For each call the number of the others that were open when it began: those before it in a queue."""
    begun, ended = (sorted(times) for times in zip(*((call.start_ns, call.last_ns) for call in calls), strict=True))
    return [float(bisect_left(begun, call.start_ns) - bisect_left(ended, call.start_ns)) for call in calls]


def _follows_input(calls: Sequence[Span]) -> bool:
    """Whether durations grow with the tokens that went in."""
    tokens = [call.columns.get(names.GEN_AI_USAGE_INPUT_TOKENS) for call in calls]
    known = [float(one) for one in tokens if isinstance(one, int | float)]
    return len(known) == len(calls) and spearman(known, [call.duration_ns for call in calls]) >= _CORRELATED


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's rank correlation, with mean ranks for equal values; 0 where one of both does not vary."""
    ranks = _ranks(one), _ranks(other)
    mean = (len(one) - 1) / 2
    both = sum((x - mean) * (y - mean) for x, y in zip(*ranks, strict=True))
    spread = [sum((x - mean) ** 2 for x in rank) for rank in ranks]
    return both / (spread[0] * spread[1]) ** 0.5 if all(spread) else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end + 1 < len(order) and values[order[end + 1]] == values[order[at]]:
            end += 1
        for place in order[at : end + 1]:
            ranks[place] = (at + end) / 2
        at = end + 1
    return ranks


__all__ = ["resource_contention", "spearman"]
