"""Statements about the runs of an app: as a person writes them, and as they were recorded.

A truth is a table of lines, each one of

    plan --send--> worker#1..3              each effect has each cause, by this kind of link
    flaky: error, error, ok                 how each span of the task ended; `ok`, once, is left out
    inner: error in inner/bad               an error that happened further inside
    grade decides by route: rewrite from publish, rewrite      a routing decision, and what it could have been
    START@2 forks from START                it went on from an older checkpoint, made by that run or update
    review@2 is answered                    a person's answer came with that run of the task

A task is `name#k`, the how-manieth distinct task of that name in its graph's run, and `outer/inner` in a subgraph; `#1`
may be left out. Where a task ran several times (it paused, or was tried again), `@n` says which time; `@1` may be left
out. `START` is the run itself, what `__start__` stands for; `outer/START` a run inside of a task that is not the task
itself. `#1..3` stands for three tasks.

Together the statements say everything: which spans there are, which causes each has, how each ended and every routing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from otel_mas.model import Span, StatusCode
from otel_mas.semconv import attributes as names

START = "START"
_EDGE = re.compile(r"(?P<causes>.+?) --(?P<kind>\w+)--> (?P<effects>.+)")
_DECISION = re.compile(r"(?P<task>\S+) decides by (?P<function>\S+): (?P<chosen>.*?)(?: from (?P<candidates>.+))?")
_ANSWER = re.compile(r"(?P<tasks>.+?) (?:is|are) answered")
_FORK = re.compile(r"(?P<fork>\S+) forks from (?P<origin>\S+)")
_ENDING = re.compile(r"(?P<tasks>[^:]+): (?P<endings>.+)")
_RANGE = re.compile(r"(.*[#@])(\d+)\.\.(\d+)(.*)")
_FIRST = re.compile(r"[#@]1(?=[/@]|$)")


def differences(truth: str, graph: Any) -> list[str]:
    """Differences of a graph from the truth, a line each: `-` is true and not recorded, `+` the reverse."""
    expected, found = Counter(stated(truth)), Counter(recorded(graph))
    return sorted(f"- {one}" for one in expected - found) + sorted(f"+ {one}" for one in found - expected)


# -- as it is written ------------------------------------------------------------------------------------------


def stated(truth: str) -> Iterator[str]:
    """The single statements of a table."""
    ended: dict[str, list[str]] = {}
    mentioned: dict[str, set[int]] = defaultdict(set)
    for line in filter(None, map(str.strip, truth.splitlines())):
        if edge := _EDGE.fullmatch(line):
            for cause in _listed(edge["causes"]):
                for effect in _listed(edge["effects"]):
                    yield f"{cause} --{edge['kind']}--> {effect}"
                    for name in (cause, effect):
                        task, _, time = name.partition("@")
                        mentioned[task].add(int(time or 1))
        elif decision := _DECISION.fullmatch(line):
            yield _decision(
                _short(decision["task"]),
                decision["function"],
                _split(decision["chosen"]),
                _split(decision["candidates"]),
            )
        elif answer := _ANSWER.fullmatch(line):
            yield from (f"{task} is answered" for task in _listed(answer["tasks"]))
        elif fork := _FORK.fullmatch(line):
            yield f"{_short(fork['fork'])} forks from {_short(fork['origin'])}"
        elif ending := _ENDING.fullmatch(line):
            ended.update(
                (task, [_short(one) for one in _split(ending["endings"])]) for task in _listed(ending["tasks"])
            )
        else:
            raise ValueError(f"not a statement: {line!r}")
    for task in {START, *mentioned, *ended}:
        for time, how in enumerate(ended.get(task, ["ok"] * max(mentioned[task], default=1)), 1):
            yield f"{_short(f'{task}@{time}')}: {how}"


def _split(listed: str | None) -> list[str]:
    return [one.strip() for one in listed.split(",")] if listed else []


def _listed(tasks: str) -> list[str]:
    return [_short(one) for task in _split(tasks) for one in _ranged(task)]


def _ranged(task: str) -> list[str]:
    found = _RANGE.fullmatch(task)
    if found is None:
        return [task]
    before, first, last, after = found.groups()
    return [f"{before}{number}{after}" for number in range(int(first), int(last) + 1)]


def _short(name: str) -> str:
    return _FIRST.sub("", name)


def _decision(task: str, function: str, chosen: Iterable[str], candidates: Iterable[str]) -> str:
    among = f" from {', '.join(sorted(candidates))}" if candidates else ""
    return f"{task} decides by {function}: {', '.join(sorted(chosen))}{among}"


# -- as it was recorded ------------------------------------------------------------------------------------------


def recorded(graph: Any) -> Iterator[str]:
    """The statements that a causal graph makes."""
    named = _named(graph)
    for edge in graph.edges:
        if edge.kind not in ("child", "message"):
            yield f"{named[edge.cause]} --{edge.kind}--> {named[edge.effect]}"
    for span in graph.spans:
        fork = span.get(names.MAS_FORK_SPAN)
        if fork is not None:
            yield f"{named[span.span_id]} forks from {named[fork.rpartition('-')[2]]}"
        if span.span_id in named:
            yield f"{named[span.span_id]}: {_ending(span, named)}"
        elif span.record_kind == "HUMAN_INPUT":
            yield f"{named[span.parent_span_id]} is answered"
        elif span.record_kind == "ROUTING_DECISION":
            yield _decision(
                named[span.parent_span_id],
                span.get(names.MAS_ROUTING_FUNCTION),
                span.get(names.MAS_ROUTING_CHOICE),
                span.get(names.MAS_ROUTING_CANDIDATES, ()),
            )


def _named(graph: Any) -> dict[str, str]:
    """Tasks and runs by span id, each with the time that it ran."""
    labels, spans = graph.labels(), {span.span_id: span for span in graph.spans}
    times: Counter[str] = Counter()
    found = {}
    for span in graph.spans:
        label = labels.get(span.span_id)
        if label is None:
            if span.get(names.MAS_RUN_OUTCOME) is None:
                continue
            above = span.parent_span_id
            while above is not None and above not in labels:
                above = spans[above].parent_span_id
            label = START if above is None else f"{labels[above]}/{START}"
        times[label] += 1
        found[span.span_id] = _short(f"{label}@{times[label]}")
    return found


def _ending(span: Span, named: dict[str, str]) -> str:
    """How a span ended, and whether all that it says of it agrees."""
    if span.get(names.MAS_TASK_CACHED):
        return "cached"
    outcome = span.get(names.MAS_TASK_OUTCOME) or span.get(names.MAS_RUN_OUTCOME)
    origin = span.get(names.MAS_ERROR_SPAN)
    exceptions = [event.attributes[names.EXCEPTION_TYPE] for event in span.events if event.name == "exception"]
    if origin is not None:
        outcome = f"{outcome} in {named[origin.rpartition('-')[2]]}"
    fails = outcome == "error"
    if fails != (span.status == StatusCode.ERROR) or len(exceptions) != fails:
        return f"{outcome}, {span.status.name}, exceptions {exceptions}"
    if fails and span.get(names.ERROR_TYPE) != exceptions[0]:
        return f"error of type {span.get(names.ERROR_TYPE)}, exception {exceptions[0]}"
    return outcome if span.end_ns is not None else f"{outcome}, open"
