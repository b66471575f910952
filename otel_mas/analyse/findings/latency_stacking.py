"""Work in series that nothing keeps from running side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.findings.task_flow import TaskFlow
from otel_mas.analyse.root_cause.values import values_in
from otel_mas.analyse.state import StateChange
from otel_mas.analyse.state.values import value_text
from otel_mas.causal import CHILD
from otel_mas.causal.schedule import Parallel
from otel_mas.model import Finding, Severity, Span, StatusCode, Undecided
from otel_mas.model.amounts import duration
from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.semconv import attributes as names

_CODE = "latency-stacking"
_SHORTEST = 12
"""Characters of a text whose way can be followed; a shorter one may be used without a trace."""
_WORDS = 3
"""Words in a row that two texts do not share by chance."""
_MOST_GROUPS = 5
"""Series whose saving is worked out, the longest ones."""
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d{2,}")


def latency_stacking(facts: RunFacts) -> Iterator[Finding | Undecided]:
    """Work ran in series although nothing that was recorded makes the later part wait: tool calls that one answer of a
    model asked for, model calls in one task, or tasks that an edge of the graph puts in a row. The later one read
    nothing of what the earlier one wrote: no message, no value, no number, no three words in a row. The saving is that
    of `otel-mas what-if --parallel`, and has to be worth it. Not told: order that was decided as the run went on, a
    later task that reads the state by code of its own, and an earlier one that wrote nothing, or flags and short
    words, which can be used without a trace.
    """
    if not facts.content.kept:
        return
    found = [*_asked_for_at_once(facts), *_model_calls(facts), *_tasks(facts)]
    longest = sorted(found, key=lambda group: -sum(span.duration_ns for span in group[1]))
    done: set[str] = set()
    for what, spans in longest[:_MOST_GROUPS]:
        if done.isdisjoint(span.span_id for span in spans):
            done.update(span.span_id for span in spans)
            yield from _finding(facts, what, spans)


_Group = tuple[str, Sequence[Span]]


def _finding(facts: RunFacts, what: str, spans: Sequence[Span]) -> Iterator[Finding]:
    saves = facts.saves_ns(Parallel([span.span_id for span in spans]))
    if saves is None or saves < _worth(facts, spans[0]):
        return
    flow = facts.once(TaskFlow)
    if what == "tasks":
        labels = list(dict.fromkeys(flow.name(span) for span in spans))
        why = f"the edge {labels[0]} -> {labels[-1]} is all that puts them in a row"
        advice = f"let the same node lead to {' and '.join(labels)}, and join them with add_edge([...], ...)"
        subject = " -> ".join(labels)
    else:
        task = facts.task(spans[0])
        where = flow.name(task) if task is not None else facts.who(spans[0])
        labels = list(dict.fromkeys(span.name for span in spans))
        why = f"one answer asked for all of them in {where}" if what == "asked" else f"{where} makes them one by one"
        advice = f"run them side by side in {where}: asyncio.gather, batch, or ToolNode for calls of tools"
        subject = f"{where}: {' and '.join(labels)}"
    yield Finding(
        code=_CODE,
        severity=Severity.WARNING,
        confidence=0.9 if what == "asked" else 0.7,
        summary=f"{len(spans)} {'tasks' if what == 'tasks' else 'calls'} ran in series, {', '.join(labels)}, and none "
        f"read what another one wrote: {why}; side by side they save {duration(saves)}",
        subject=subject,
        spans=ids([*spans[1:], spans[0]]),
        rests_on=("recorded", "inferred"),
        saves_ns=saves,
        advice=advice,
    )


def _worth(facts: RunFacts, span: Span) -> float:
    root = facts.places[span.span_id].root
    return max(facts.thresholds.stacking_share * root.duration_ns, facts.thresholds.stacking_seconds * 1e9)


def _long(facts: RunFacts, spans: Iterable[Span]) -> list[Span]:
    """Those that ended well and took long enough that it matters where they stand, in start order."""
    return [
        span
        for span in spans
        if span.end_ns is not None and span.status is not StatusCode.ERROR and span.duration_ns >= _worth(facts, span)
    ]


def _in_series(spans: Sequence[Span], together: Callable[[Span, Span], bool]) -> Iterator[Sequence[Span]]:
    """Rows of spans each of which began after the one before had ended, where any two may run together."""
    row: list[Span] = []
    for span in spans:
        if row and not (row[-1].last_ns <= span.start_ns and all(together(one, span) for one in row)):
            if len(row) > 1:
                yield row
            row = []
        row.append(span)
    if len(row) > 1:
        yield row


# -- calls -------------------------------------------------------------------------------------------------------------


def _asked_for_at_once(facts: RunFacts) -> Iterator[_Group]:
    """Calls of tools that the same answer of a model asked for."""
    calls: dict[tuple[str, str], list[Span]] = {}
    asked: dict[str, str] = {}
    tools = _long(facts, facts.tool_calls)
    for call in facts.model_calls if len(tools) > 1 else ():
        for digest in facts.wrote(call):
            for call_id in _call_ids(facts, digest):
                asked[call_id] = call.span_id
    for tool in tools:
        answer = asked.get(str(tool.columns.get(names.GEN_AI_TOOL_CALL_ID)))
        if answer is not None:
            calls.setdefault((answer, tool.parent_span_id or ""), []).append(tool)
    for group in calls.values():
        for row in _in_series(group, lambda one, other: True):
            yield "asked", row


def _call_ids(facts: RunFacts, digest: str) -> Iterator[str]:
    message = facts.message(digest)
    parts = None if message is None or message.body is None else message.body.get("parts")
    for part in parts if isinstance(parts, list | tuple) else ():
        if isinstance(part, Mapping) and part.get("type") == "tool_call" and part.get("id"):
            yield str(part["id"])


def _model_calls(facts: RunFacts) -> Iterator[_Group]:
    """Calls of models made one by one in the same task, none of which read what another one had written."""
    calls: dict[str, list[Span]] = {}
    for call in _long(facts, facts.model_calls):
        calls.setdefault(call.parent_span_id or "", []).append(call)
    for group in calls.values():
        for row in _in_series(group, lambda one, other: _apart(facts, one, other)):
            yield "calls", row


def _apart(facts: RunFacts, one: Span, other: Span) -> bool:
    read, again = facts.read(one), facts.read(other)
    if not read or not again or set(read) == set(again):
        return False
    wrote = [facts.text(digest) for digest in facts.wrote(one)]
    prompt, prompts = _texts(facts, again), _texts(facts, read)
    if prompt is None or prompts is None or not wrote:
        return False
    return all(text is not None and not _uses(prompt, text, prompts) for text in wrote)


def _texts(facts: RunFacts, digests: Iterable[str]) -> str | None:
    texts = [facts.text(digest) for digest in digests]
    return None if None in texts else "\n".join(filter(None, texts))


def _uses(read: str, wrote: str, known: str) -> bool:
    """Whether a text may rest on another one: has something new of it, or this is too short to tell."""
    if len(wrote.strip()) < _SHORTEST:
        return True
    new = values_in(wrote) - values_in(known)
    return bool(new & values_in(read)) or bool((_rows(wrote) - _rows(known)) & _rows(read))


def _rows(text: str) -> set[tuple[str, ...]]:
    """All rows of a few words in a text."""
    words = _WORD.findall(text[:20_000].lower())
    return set(zip(*(words[at:] for at in range(_WORDS)), strict=False))


# -- tasks -------------------------------------------------------------------------------------------------------------


def _tasks(facts: RunFacts) -> Iterator[_Group]:
    """Tasks in a row, each of which an edge of the graph, and nothing else, lets follow the one before."""
    tasks = {task.span_id: task for task in _long(facts, facts.tasks) if _ended(task)}
    changes: dict[str, list[StateChange]] = {}
    for change in facts.state.changes if len(tasks) > 1 else ():
        changes.setdefault(change.span.span_id, []).append(change)
    following: dict[str, Span] = {}
    for task in tasks.values():
        causes = [edge for edge in facts.graph.causes_of(task.span_id) if edge.kind != CHILD]
        earlier = tasks.get(causes[0].cause) if len(causes) == 1 and causes[0].kind == LinkKind.TRIGGER else None
        if earlier is not None and _apart_in_state(facts, earlier, task, changes):
            following[earlier.span_id] = task
    rows = [[tasks[first], later] for first, later in following.items()]
    for row in rows:
        later = following.get(row[-1].span_id)
        if later is not None and all(_apart_in_state(facts, one, later, changes) for one in row):
            row.append(later)
        yield "tasks", row


def _ended(task: Span) -> bool:
    return task.columns.get(names.MAS_TASK_OUTCOME) in (None, TaskOutcome.OK)


def _apart_in_state(facts: RunFacts, one: Span, other: Span, changes: Mapping[str, Sequence[StateChange]]) -> bool:
    """Whether all that a task did follows from what it read, and it read nothing of what an earlier one had written."""
    flow = facts.once(TaskFlow)
    wrote, later = changes.get(one.span_id, ()), changes.get(other.span_id, ())
    if not wrote or not later or any(change.missing for change in (*wrote, *later)):
        return False
    if not flow.model_calls.get(other.span_id) or any(not _can_be_followed(change.value) for change in wrote):
        return False
    read = flow.read_text(other)
    before = "\n".join(value_text(change.value) for change in facts.state.changes if change.time_ns <= one.start_ns)
    if any(_uses(read, value_text(change.value), before) for change in wrote):
        return False
    prompts = "\n".join(filter(None, map(facts.text, flow.prompts(other))))
    answers = [facts.text(digest) or "" for call in flow.model_calls[other.span_id] for digest in facts.wrote(call)]
    results = [facts.result(call) or "" for call in flow.tool_calls.get(other.span_id, ())]
    outputs = "\n".join([*answers, *results])
    if set(_NUMBER.findall(prompts)) - set(_NUMBER.findall("\n".join((before, outputs)))):
        return False  # may be worked out from what the earlier one wrote
    return all(_follows(value_text(change.value), "\n".join((prompts, outputs))) for change in later)


def _can_be_followed(value: Any) -> bool:
    """Whether a value leaves a trace where it is used: a text of some length, or a number of some digits."""
    if isinstance(value, bool) or value is None:
        return False
    return len(value_text(value).strip()) >= _SHORTEST or len(re.findall(r"\d", value_text(value))) > _WORDS


def _follows(text: str, outputs: str) -> bool:
    """Whether a text is made of what was read or answered: all its rows of words are there."""
    return " ".join(text.split()) in " ".join(outputs.split()) or (
        len(text) >= _SHORTEST and _rows(text) <= _rows(outputs)
    )


__all__ = ["latency_stacking"]
