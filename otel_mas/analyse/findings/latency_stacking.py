"""Work in series that nothing keeps from running side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.findings.retracted_statement_used import retracted_statement_used
from otel_mas.analyse.findings.task_flow import TaskFlow
from otel_mas.analyse.root_cause.values import values_in
from otel_mas.analyse.state import StateChange
from otel_mas.analyse.state.values import value_text
from otel_mas.causal import CHILD
from otel_mas.causal.schedule import Parallel
from otel_mas.model import Finding, Severity, Span, StatusCode, Undecided
from otel_mas.model.amounts import duration
from otel_mas.model.message_text import text_of
from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.semconv import attributes as names

_CODE = "latency-stacking"
_ANSWER = "tool_call_response"
_SHORTEST = 12
"""Characters of a text whose way can be followed; a shorter one may be used without a trace."""
_WORDS = 3
"""Words in a row that two texts do not share by chance."""
_ARGUMENT, _TELLING = 3, 5
"""Letters of a word that tells where it is from: in arguments, and in prompts, which have words of their own."""
_MOST_GROUPS = 5
"""Series whose saving is worked out, the longest ones."""
_SURENESS = {"asked": 0.9, "calls": 0.7, "tasks": 0.7, "called": 0.6}
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d{2,}")


def latency_stacking(facts: RunFacts) -> Iterator[Finding | Undecided]:
    """Work ran in series although nothing that was recorded makes the later part wait: tool calls that one answer of a
    model asked for, model calls in one task, tasks that an edge of the graph puts in a row, or that a function of the
    functional API called one by one. The later one read nothing of what the earlier one wrote: no message, no value, no
    number, no three words in a row. The saving is that of `otel-mas what-if --parallel`, and has to be worth it. The
    advice is to hand it on first, if the later one should have had it, where nobody at all read it; a dropped
    correction of what the later one states is a `retracted-statement-used` alone. Not told: order that was decided as
    the run went on, a later task that reads the state by code of its own, and an earlier one that wrote nothing, or
    flags and short words, which can be used without a trace. It is not recorded whether a function decided by the
    result of one task to call the next.
    """
    if not facts.content.kept:
        return
    found = [*_asked_for_at_once(facts), *_model_calls(facts), *_tasks(facts), *_called_tasks(facts)]
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
    if what == "tasks" and not facts.once(_uncorrected).isdisjoint(ids(spans[1:])):
        return
    are_tasks = what in ("tasks", "called")
    labels = list(dict.fromkeys(facts.once(TaskFlow).name(span) if are_tasks else span.name for span in spans))
    subject, why, advice = _words(facts, what, spans, labels)
    yield Finding(
        code=_CODE,
        severity=Severity.WARNING,
        confidence=_SURENESS[what],
        summary=f"{len(spans)} {'tasks' if are_tasks else 'calls'} ran in series, {', '.join(labels)}, and none "
        f"read what another one wrote: {why}; side by side they save {duration(saves)}",
        subject=subject,
        spans=ids([*spans[1:], spans[0]]),
        rests_on=("recorded", "inferred"),
        saves_ns=saves,
        advice=advice,
    )


def _words(facts: RunFacts, what: str, spans: Sequence[Span], labels: Sequence[str]) -> tuple[str, str, str]:
    """The subject of a finding, why they ran in series, and the advice."""
    flow, listed = facts.once(TaskFlow), " and ".join(labels)
    if what == "tasks":
        advice = f"let the same node lead to {listed}, and join them with add_edge([...], ...)"
        unread = [flow.name(span) for span in spans[:-1] if _is_unread(facts, span)]
        if unread:
            whose = " and ".join(dict.fromkeys(unread))
            advice = f"nobody read what {whose} wrote: hand it to {labels[-1]} if that should know it; else {advice}"
        return " -> ".join(labels), f"the edge {labels[0]} -> {labels[-1]} is all that puts them in a row", advice
    if what == "called":
        caller = flow.name(_caller(facts, spans[0]) or spans[0])
        advice = f"call {listed} first and take the results then, if {caller} does not decide by one to call the next"
        return f"{caller}: {listed}", f"{caller} waits for each before it calls the next", advice
    task = facts.task(spans[0])
    where = flow.name(task) if task is not None else facts.who(spans[0])
    why = f"one answer asked for all of them in {where}" if what == "asked" else f"{where} makes them one by one"
    advice = f"run them side by side in {where}: asyncio.gather, batch, or ToolNode for calls of tools"
    return f"{where}: {listed}", why, advice


def _uncorrected(facts: RunFacts) -> frozenset[str]:
    """Ids of the tasks that used what an earlier one had corrected, which they should have waited for and read."""
    found = retracted_statement_used(facts)
    return frozenset(span for one in found for span in one.spans[:-1])


def _is_unread(facts: RunFacts, task: Span) -> bool:
    """Whether no model that was asked later read what a task wrote, and the answer does not have it."""
    flow = facts.once(TaskFlow)
    texts = [value_text(one.value) for one in facts.state_values(task) if one.missing is None]
    read = [flow.read_text(later) for later in facts.tasks if later.start_ns >= task.last_ns]
    known = flow.read_text(task)
    return bool(texts) and not any(
        _uses(one, text, known) for one in (*read, facts.final_output or "") for text in texts
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


def _call_ids(facts: RunFacts, digest: str, kind: str = "tool_call") -> Iterator[str]:
    """Ids of the calls of tools in a message, or of those that it answers."""
    message = facts.message(digest)
    parts = None if message is None or message.body is None else message.body.get("parts")
    for part in parts if isinstance(parts, list | tuple) else ():
        if isinstance(part, Mapping) and part.get("type") == kind and part.get("id"):
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
    if not read or not again or set(read) == set(again) or _answers(facts, one, again):
        return False
    wrote = [facts.text(digest) for digest in facts.wrote(one)]
    prompt, prompts = _texts(facts, again), _texts(facts, read)
    if prompt is None or prompts is None or not wrote:
        return False
    return all(text is not None and not _uses(prompt, text, prompts) for text in wrote)


def _answers(facts: RunFacts, one: Span, read: Sequence[str]) -> bool:
    """Whether what a call read is what another one wrote itself, or the result of a tool that this had asked for."""
    wrote = facts.wrote(one)
    if not set(read).isdisjoint(wrote):
        return True
    asked = {call_id for digest in wrote for call_id in _call_ids(facts, digest)}
    return not asked.isdisjoint(call_id for digest in read for call_id in _call_ids(facts, digest, _ANSWER))


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


def _called_tasks(facts: RunFacts) -> Iterator[_Group]:
    """Tasks of the functional API that the same function called one by one, none of which was given another's result.

    With a model in each, so that what was read is recorded as well.
    """
    flow = facts.once(TaskFlow)
    called: dict[str, list[Span]] = {}
    for task in _long(facts, facts.tasks):
        caller = _caller(facts, task)
        if caller is not None and _ended(task) and flow.model_calls.get(task.span_id):
            called.setdefault(caller.span_id, []).append(task)
    for tasks in called.values():
        for row in _in_series(tasks, lambda one, other: _apart_as_called(facts, one, other)):
            yield "called", row


def _caller(facts: RunFacts, task: Span) -> Span | None:
    edges = facts.graph.causes_of(task.span_id)
    return next((facts.graph.span(edge.cause) for edge in edges if edge.kind == LinkKind.CALL), None)


def _apart_as_called(facts: RunFacts, one: Span, other: Span) -> bool:
    """Whether nothing that a called task was given or read is of an earlier one: no word that is new with that."""
    flow = facts.once(TaskFlow)
    result, given = facts.value(one, names.MAS_TASK_RESULT), facts.value(other, names.MAS_TASK_INPUT)
    if result is None or given is None or not _can_be_followed(result):
        return False
    before, wrote = "\n".join((flow.read_text(one), text_of(facts.value(one, names.MAS_TASK_INPUT)))), text_of(result)
    read = "\n".join((text_of(given), *filter(None, map(facts.text, flow.prompts(other)))))
    new = set(_WORD.findall(wrote.lower())) - set(_WORD.findall(before.lower()))
    arguments = {word for word in _WORD.findall(text_of(given).lower()) if len(word) >= _ARGUMENT}
    telling = {word for word in new if len(word) >= _TELLING}
    return (
        new.isdisjoint(arguments) and telling.isdisjoint(_WORD.findall(read.lower())) and not _uses(read, wrote, before)
    )


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
