"""Marks for checks and judgements: guardrails, and grades of relevance, grounding or quality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from otel_mas.instrumentation.judgements import Judgement, fields_of, judgement, score_of
from otel_mas.instrumentation.langchain.structured import record_judgement
from otel_mas.instrumentation.marks.mark import Kind, Mark, marker
from otel_mas.record import Copy, guarded, recorder, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind, Verdict

Target = Literal["input", "output", "tool_call"]
VerdictName = Literal["pass", "block", "modified"]
_VERDICTS = frozenset(verdict.value for verdict in Verdict)


class Guardrail(Mark):
    """A check that may stop or change what passes it."""

    _kind = Kind(
        "guardrail",
        "guardrail",
        (names.MAS_GUARDRAIL_NAME,),
        {names.MAS_RECORD_KIND: RecordKind.GUARDRAIL.value},
    )
    _checked: Any = None

    def __init__(self, name: str | None = None, *, target: Target | None = None) -> None:
        super().__init__(name, None, {names.MAS_GUARDRAIL_TARGET: target})

    @guarded("mark: verdict")
    def verdict(
        self,
        verdict: VerdictName,
        reason: str | None = None,
        *,
        score: float | None = None,
        category: str | None = None,
    ) -> None:
        """Record the verdict.

        Args:
            verdict: the value went through ("pass"), was stopped ("block"), or was replaced by another ("modified").
            reason: why; content, stored apart from the span.
            score: how sure it is, or how bad it is, by the check's own measure.
            category: what it found, as one of a few words ("pii", "off_topic"): metrics count by it.
        """
        if not self.span.is_recording():
            return
        attributes: dict[str, Any] = {names.MAS_GUARDRAIL_VERDICT: str(verdict)}
        if score is not None:
            attributes[names.GEN_AI_EVALUATION_SCORE_VALUE] = float(score)
        if category is not None:
            attributes[names.MAS_GUARDRAIL_CATEGORY] = str(category)
        recorder().set_attributes(self.span, attributes)
        if reason is not None:
            recorder().content(self.span, names.MAS_GUARDRAIL_REASON, reason)

    def _on_arguments(self, arguments: Mapping[str, Any]) -> None:
        self._checked = next(iter(arguments.values()), None)

    def _on_result(self, result: Any) -> None:
        if result is None or type(result) is bool:
            self.verdict("block" if result is False else "pass")
        elif (verdict := text_of(result)) in _VERDICTS:
            self.verdict(verdict)  # type: ignore[arg-type] # just compared
        else:
            self.verdict("pass" if _equal(result, self._checked) else "modified")


class _Comparable(Copy):
    """A copy of what can be compared by its content."""

    __slots__ = ()

    def _opaque(self, value: Any) -> Any:
        return (id(value),)  # equal to nothing but itself


def _equal(one: Any, other: Any) -> bool:
    """Whether two values have the same content, without running their code. Of large ones, a part is compared."""
    return one is other or bool(_Comparable().of(one) == _Comparable().of(other))


class Grade(Mark):
    """A judgement of something: whether it is relevant, grounded, good enough."""

    _kind = Kind(
        "evaluate",
        "grade",
        (names.GEN_AI_EVALUATION_NAME,),
        {names.MAS_RECORD_KIND: RecordKind.EVALUATION.value},
    )

    @guarded("mark: score")
    def score(self, score: float | str | bool, reason: str | None = None) -> None:
        """Record the judgement.

        Args:
            score: a number, a label, or a yes or no.
            reason: why; content, stored apart from the span.
        """
        scored = score_of(score)
        if scored is not None and self.span.is_recording():
            record_judgement(self.span, Judgement(*scored, reason))

    def _on_result(self, result: Any) -> None:
        fields = fields_of(result)
        judged = None if fields is None else judgement(fields)
        if judged is not None:
            record_judgement(self.span, judged)
        elif fields is None:
            self.score(result)


@marker
def guardrail(name: str | None = None, *, target: Target | None = None) -> Guardrail:
    """Mark a check that may stop or change what passes it.

    A `with` block records its `verdict`. The result of a decorated function is the verdict: True, None and "pass" let
    pass, False and "block" stop, "modified" is that. Any other result passes if it equals the first argument; else it
    is a replacement, and the verdict is "modified".

    Args:
        name: by default, that of the function.
        target: the thing it checks: "input", "output" or "tool_call".
    """
    return Guardrail(name, target=target)


@marker
def grade(name: str | None = None) -> Grade:
    """Mark a judgement: of relevance, grounding or quality.

    A `with` block records its `score`. The result of a decorated function is the score: a number, a label, a yes or no,
    or something with such a field and a reason (`score` and `reason`, `binary_score` and `explanation`, ...).

    Args:
        name: the quality that is judged, for instance "relevance"; by default, the name of the function.
    """
    return Grade(name)


__all__ = ["Grade", "Guardrail", "grade", "guardrail"]
