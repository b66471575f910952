"""Guardrails that blocked and grades that led elsewhere, in a task or before it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otel_mas.analyse.content import RunContent
from otel_mas.causal import CausalGraph
from otel_mas.errors.printable import one_line
from otel_mas.model import Span
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind, RecordKind, Verdict

_MOST_QUOTED = 100


class Judgements:
    """Finds them in the tasks of a causal graph."""

    def __init__(self, causal: CausalGraph, spans: Mapping[str, Span], content: RunContent) -> None:
        self._causal = causal
        self._spans = spans
        self._content = content

    def below(self, task: Span) -> Iterator[Span]:
        """A span and all inside of it, parents first."""
        waiting = [task]
        while waiting:
            span = waiting.pop()
            yield span
            waiting.extend(reversed(self._causal.children_of(span.span_id)))

    def guardrail(self, task: Span) -> Span | None:
        """The guardrail in a task that stopped what it saw; of a run, only its own."""
        inside = self.below(task) if task.task_id else self._causal.children_of(task.span_id)
        return next(
            (
                one
                for one in inside
                if one.columns.get(names.MAS_RECORD_KIND) == RecordKind.GUARDRAIL
                and one.get(names.MAS_GUARDRAIL_VERDICT) == Verdict.BLOCK
            ),
            None,
        )

    def blocked(self, guardrail: Span, where: str) -> str:
        """The words for a guardrail that blocked in a task."""
        reason = self._content.reason(guardrail)
        quoted = f" (“{quote(reason)}”)" if reason else ""
        return f"guardrail {guardrail.get(names.MAS_GUARDRAIL_NAME) or 'without a name'} in {where} blocked{quoted}"

    def grade(self, task: Span) -> tuple[Span | None, bool]:
        """The grade in a task that decided; else a bad one in a task that caused it, which is inferred."""
        if not task.task_id:
            return None, False
        inside = [one for one in self.below(task) if one.record_kind == RecordKind.EVALUATION]
        if inside:
            return inside[-1], False
        for edge in self._causal.causes_of(task.span_id):
            cause = self._spans.get(edge.cause)
            if edge.kind == LinkKind.TRIGGER and cause is not None and cause.task_id:
                bad = [one for one in self.below(cause) if one.record_kind == RecordKind.EVALUATION and _bad(one)]
                if bad:
                    return bad[-1], True
        return None, False

    def graded(self, grade: Span) -> str:
        """The words for a grade: its name, score and reason."""
        label = grade.get(names.GEN_AI_EVALUATION_SCORE_LABEL)
        value = grade.get(names.GEN_AI_EVALUATION_SCORE_VALUE)
        score = str(label) if label is not None else f"{value:g}" if isinstance(value, int | float) else "no score"
        reason = self._content.reason(grade)
        name = grade.get(names.GEN_AI_EVALUATION_NAME) or "a grade"
        return f"{name} was {score}" + (f" (“{quote(reason)}”)" if reason else "")


_BAD_LABELS = frozenset(("no", "false", "fail", "failed", "irrelevant", "not relevant", "reject", "rejected", "bad"))


def _bad(grade: Span) -> bool:
    label = grade.get(names.GEN_AI_EVALUATION_SCORE_LABEL)
    value = grade.get(names.GEN_AI_EVALUATION_SCORE_VALUE)
    return str(label).casefold() in _BAD_LABELS if label is not None else value == 0


def quote(text: object) -> str:
    """A text on one line, cut where it is long."""
    return one_line(str(text), _MOST_QUOTED)


__all__ = ["Judgements", "quote"]
