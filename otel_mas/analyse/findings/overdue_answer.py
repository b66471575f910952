"""Answers of people that are overdue, or came too late."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.questions import QuestionState, questions
from otel_mas.model import Finding, Severity
from otel_mas.model.amounts import duration

_WAITS = "answer it and resume the thread; let the app go on by itself, or tell somebody, when time is up"
_LATE = "tell the person when a question comes up, or give more time where the answer may take it"


def overdue_answer(facts: RunFacts) -> Iterator[Finding]:
    """A person was asked something and has not answered in time, or answered later than that. The time is that which
    was recorded with the question, else `OTEL_MAS_INPUT_TIMEOUT`; where neither says it, nothing is overdue. Nor is a
    question that the thread went on without.
    """
    for question in questions(facts.graph, now_ns=facts.now_ns, timeout_s=facts.input_timeout_s):
        if not question.overdue or question.timeout_ns is None:
            continue
        waits = question.state is QuestionState.WAITING
        task, allowed = question.paused[-1], duration(question.timeout_ns)
        took = duration(question.waited_ns)
        what = f"has waited {took} for a person" if waits else f"got its answer after {took} from a person"
        yield Finding(
            code="overdue-answer",
            severity=Severity.WARNING,
            confidence=1.0,
            summary=f"{facts.who(task)} {what}, who was to answer within {allowed}",
            subject=facts.who(task),
            spans=ids(question.paused if question.answer is None else (*question.paused, question.answer)),
            saves_ns=None if waits else question.waited_ns - question.timeout_ns,
            advice=_WAITS if waits else _LATE,
        )


__all__ = ["overdue_answer"]
