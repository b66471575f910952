"""Answers that were cut off, and used all the same."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from otel_mas.analyse.findings.facts import RunFacts, ids, model_name
from otel_mas.analyse.findings.handoff_loop import hit_the_limit
from otel_mas.analyse.finish_reasons import was_cut
from otel_mas.causal.failed import failed
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names

_SHORT = 16
"""Tokens: an answer that was allowed no more was meant to be short, a yes or no."""
_PARSING = re.compile(r"JSON|Pars|Validation|Decode|Syntax|Value|Key|Index|Type", re.IGNORECASE)
"""In types of errors: what happens to code that reads half an answer."""
_NEXT = 5
"""Later calls of the agent among which one may have asked again."""


@dataclass
class _Cut:
    """Answers of one model to one agent that were cut off and used."""

    calls: list[Span] = field(default_factory=list)
    readers: list[Span] = field(default_factory=list)
    errors: list[Span] = field(default_factory=list)
    recorded: bool = True


def truncated_output(facts: RunFacts) -> Iterator[Finding]:
    """An answer was cut off since it ran out of tokens (finish reason `length`, `max_tokens`), and used all the same:
    another agent read it, the run returned it, its task went on with it, or what parsed it failed. Made good is a call
    that was asked again, or to go on, with the same messages, and ended properly. Answers that were allowed a few
    tokens only were meant to be short.
    """
    calls: dict[tuple[str, str], list[Span]] = {}
    for call in facts.model_calls:
        calls.setdefault((facts.places[call.span_id].root.span_id, facts.who(call)), []).append(call)
    found: dict[tuple[str, str], _Cut] = {}
    for same in calls.values():
        for number, call in enumerate(same):
            if not was_cut(call) or _meant_to_be(call):
                continue
            if not _asked_again(facts, call, same[number + 1 : number + 1 + _NEXT]):
                cut = found.setdefault((facts.who(call), model_name(call)), _Cut())
                _use(facts, call, cut)
    for (who, model), cut in found.items():
        if cut.calls:
            yield _finding(facts, who, model, cut)


def _use(facts: RunFacts, call: Span, cut: _Cut) -> None:
    """Add a call to those whose cut answer was used, with what shows it."""
    error = _error_after(facts, call)
    reader = _other_reader(facts, call)
    around = facts.task(call) or facts.places[call.span_id].root
    if error is not None:
        cut.errors.append(error)
    elif reader is not None:
        cut.readers.append(reader)
    elif around is not call and around.end_ns is not None and not failed(around):
        cut.readers.append(around)
        cut.recorded = cut.recorded and not set(facts.wrote(call)).isdisjoint(facts.wrote(around))
    else:
        return
    cut.calls.append(call)


def _finding(facts: RunFacts, who: str, model: str, cut: _Cut) -> Finding:
    many = "an answer" if len(cut.calls) == 1 else f"{len(cut.calls)} answers"
    was = "was" if len(cut.calls) == 1 else "were"
    if cut.errors:
        error = str(cut.errors[0].columns.get(names.ERROR_TYPE) or "an error").rpartition(".")[2]
        used = f"reading it failed ({error})"
    else:
        other = next((facts.who(one) for one in cut.readers if facts.who(one) != who), None)
        used = "used all the same" if other is None else f"read by {other} all the same"
    limits = sorted({str(call.get(names.GEN_AI_REQUEST_MAX_TOKENS)) for call in cut.calls} - {"None"})
    than = f" than {limits[0]} tokens (max_tokens)" if limits else ""
    return Finding(
        code="truncated-output",
        severity=Severity.ERROR if facts.ended_a_run(cut.errors) or _until_the_limit(facts, cut) else Severity.WARNING,
        confidence=0.9 if cut.recorded and not cut.errors else 0.8,
        summary=f"{many} of {model} to {who} {was} cut off, and {used}",
        subject=f"{who}: {model}",
        spans=ids(dict.fromkeys([*cut.calls, *cut.errors, *cut.readers])),
        messages=tuple(digest for call in cut.calls for digest in facts.wrote(call)),
        rests_on=("recorded",) if cut.recorded and not cut.errors else ("recorded", "inferred"),
        advice=f"let {model} write more{than}, ask it for less, or look at the finish reason and ask it to go on",
    )


def _until_the_limit(facts: RunFacts, cut: _Cut) -> bool:
    """Whether the answers were cut again and again, until the recursion limit ended the run."""
    tasks = [task for call in cut.calls if (task := facts.task(call)) is not None]
    return len(tasks) >= facts.thresholds.handoff_loop_rounds and hit_the_limit(facts, tasks[-1])


def _meant_to_be(call: Span) -> bool:
    limit = call.get(names.GEN_AI_REQUEST_MAX_TOKENS)
    return isinstance(limit, int | float) and limit <= _SHORT


def _asked_again(facts: RunFacts, call: Span, later: Sequence[Span]) -> bool:
    """Whether one of the agent's next calls has the same messages first, and was not cut."""
    read = facts.read(call)
    return bool(read) and any(
        facts.read(one)[: len(read)] == read and one.start_ns >= call.last_ns and not was_cut(one) and not failed(one)
        for one in later
    )


def _other_reader(facts: RunFacts, call: Span) -> Span | None:
    """A later span of another agent or task that read the answer."""
    who = facts.who(call)
    for digest in facts.wrote(call):
        readers = facts.readers.get(digest, ())
        for reader in readers[bisect_left(readers, call.last_ns, key=lambda span: span.start_ns) :]:
            if facts.who(reader) != who:
                return reader
    return None


def _error_after(facts: RunFacts, call: Span) -> Span | None:
    """An error of reading in the call's task, after it."""
    task = facts.task(call)
    if task is None or not failed(task):
        return None
    for span in facts.errors:
        if facts.task(span) is task and span.last_ns >= call.last_ns and span is not call:
            kind = str(span.columns.get(names.ERROR_TYPE) or "").rpartition(".")[2]
            return span if _PARSING.search(kind) else None
    return None


__all__ = ["truncated_output"]
