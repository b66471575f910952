"""Agents that give up and are counted as ok."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.final_output import final_output
from otel_mas.analyse.findings.facts import RunFacts, ids, tool_name
from otel_mas.analyse.findings.named_values import named_by
from otel_mas.analyse.findings.task_flow import TaskFlow
from otel_mas.analyse.findings.tool_results import succeeded
from otel_mas.analyse.finish_reasons import was_cut
from otel_mas.analyse.giving_up import gives_up
from otel_mas.analyse.root_cause.passages import is_none, labelled_texts
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import RunOutcome, TaskOutcome
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import Verdict

_SURE, _AFTER_A_FAILURE, _EMPTY, _KEPT_BACK = 0.7, 0.9, 0.8, 0.6
_QUOTED = 20
"""Earlier texts that a later one may only repeat."""
_SHOWN = 9
"""Failed calls that are shown, beside the last one."""


def gave_up(facts: RunFacts) -> Iterator[Finding]:
    """An agent said that it could not do what it was asked for, or said nothing at all, and counts as done. An error
    where the run ended well with that as its answer. It is told by words, in English only: a short text of the form "I
    could not find …", "we are unable to answer"; after a call of a tool that failed it is surer. So does an agent that
    returned nothing under a name under which its own model had just said something. A remark in a longer text, a
    question to the user, a task that failed, one whose agent answered later after all, and a run that a guardrail
    stopped are none.
    """
    if any(span.get(names.MAS_GUARDRAIL_VERDICT) == Verdict.BLOCK for span in facts.by_kind.get("GUARDRAIL", ())):
        return
    answer = final_output(facts.graph, facts.content) or ""
    known: list[str] = []
    for task, text in _last_words(facts):
        words = gives_up(text)
        if words is not None and not any(earlier in text for earlier in known[-_QUOTED:]):
            known.append(text)
            says = f"{facts.who(task)} gave up (“{words}”) and counts as done"
            says += ", and the answer of the run says so" if text in answer else ""
            yield _finding(facts, task, says, text in answer)
    yield from _no_answer(facts)
    yield from _kept_back(facts)


def _last_words(facts: RunFacts) -> Iterator[tuple[Span, str]]:
    """Texts of the last step of each node that ended well, with their tasks: several at once may run the same node."""
    last: dict[tuple[str, str | None, str | None], list[Span]] = {}
    for task in facts.tasks:
        if task.end_ns is not None and task.columns.get(names.MAS_TASK_OUTCOME) in (None, TaskOutcome.OK):
            same = last.setdefault((task.trace_id, task.parent_span_id, task.task_name or task.agent), [])
            if same and same[-1].columns.get(names.MAS_TASK_STEP) != task.columns.get(names.MAS_TASK_STEP):
                same.clear()
            same.append(task)
    for task in sorted((task for tasks in last.values() for task in tasks), key=lambda task: task.last_ns):
        for text in facts.outputs(task):
            yield task, text


def _no_answer(facts: RunFacts) -> Iterator[Finding]:
    """The last call of a model in a run that ended well, if it said nothing and called no tool."""
    ended = [root for root in facts.graph.roots if root.columns.get(names.MAS_RUN_OUTCOME) == RunOutcome.OK]
    for root in ended:
        calls = [call for call in facts.model_calls if call.trace_id == root.trace_id]
        digests = facts.wrote(calls[-1]) if calls else ()
        if digests and all(facts.text(digest) == "" for digest in digests):
            yield _finding(
                facts,
                calls[-1],
                f"{facts.who(calls[-1])} answered nothing, at the end of a run that ended well",
                True,
                _EMPTY,
            )


def _kept_back(facts: RunFacts) -> Iterator[Finding]:
    """Tasks that returned nothing under a name under which their own model had just said something."""
    reported: set[str] = set()
    for task in facts.tasks:
        calls = facts.once(TaskFlow).model_calls.get(task.span_id, ())
        if not calls or facts.who(task) in reported or any(map(was_cut, calls)):
            continue
        none = {label for label, value in named_by(facts, task) if is_none(value)}
        texts = [facts.text(digest) or "" for call in calls for digest in facts.wrote(call)] if none else []
        messages = {label: value for text in texts for label, value in labelled_texts(text) if not is_none(value)}
        lost = sorted(none & messages.keys())
        if lost:
            reported.add(facts.who(task))
            says = (
                f"{facts.who(task)} returned no {lost[0]} and counts as done, though its model said {messages[lost[0]]}"
            )
            yield _finding(facts, task, says, False, _KEPT_BACK)


def _finding(facts: RunFacts, span: Span, summary: str, is_answer: bool, sure: float = _SURE) -> Finding:
    failed = _failed_before(facts, span)
    task = facts.task(span) or span
    return Finding(
        code="gave-up",
        severity=Severity.ERROR if is_answer else Severity.WARNING,
        confidence=_AFTER_A_FAILURE if failed else sure,
        summary=summary + (f", after {tool_name(failed[-1])} had failed" if failed else ""),
        subject=facts.who(span),
        spans=ids([task, *failed]),
        messages=tuple(facts.wrote(span)),
        rests_on=("recorded", "inferred"),
        advice=f"let {facts.who(span)} raise, or return a field that says that it has nothing, and route on that to a "
        "retry, a fallback or a person",
    )


def _failed_before(facts: RunFacts, span: Span) -> list[Span]:
    """Calls of tools that failed before the end of a span and after its agent's last that did not, in the same run."""
    who, failed = facts.who(span), list[Span]()
    for call in facts.once(_calls_by_agent).get((span.trace_id, who), ()):
        if call.start_ns < span.last_ns:
            failed = [] if succeeded(call) else [*failed[-_SHOWN:], call]
    return failed


def _calls_by_agent(facts: RunFacts) -> dict[tuple[str, str], list[Span]]:
    found: dict[tuple[str, str], list[Span]] = {}
    for call in facts.tool_calls:
        if call.end_ns is not None:
            found.setdefault((call.trace_id, facts.who(call)), []).append(call)
    return found


__all__ = ["gave_up"]
