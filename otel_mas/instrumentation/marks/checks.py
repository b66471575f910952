"""Marks for checks and judgements: guardrails, and grades of relevance, grounding or quality."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, overload

from otel_mas.instrumentation.judgements import Judgement, fields_of, judgement, score_of
from otel_mas.instrumentation.langchain.structured import record_judgement
from otel_mas.instrumentation.marks.mark import Mark
from otel_mas.record import Copy, guarded, recorder, text_of
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind, Verdict

Function = TypeVar("Function", bound=Callable[..., Any])
Target = Literal["input", "output", "tool_call"]
VerdictName = Literal["pass", "block", "modified"]
_VERDICTS = frozenset(verdict.value for verdict in Verdict)


class Guardrail(Mark):
    """A check that may stop or change what passes it."""

    def __init__(self, name: str | None = None, *, target: Target | None = None) -> None:
        super().__init__(name)
        self._target = target
        self._seen: Any = None

    def _describe(self) -> tuple[str, dict[str, Any]]:
        name = self._name or "guardrail"
        attributes: dict[str, Any] = {
            names.MAS_RECORD_KIND: RecordKind.GUARDRAIL.value,
            names.MAS_GUARDRAIL_NAME: name,
        }
        if self._target is not None:
            attributes[names.MAS_GUARDRAIL_TARGET] = self._target
        return f"guardrail {name}", attributes

    @guarded("mark: verdict")
    def verdict(self, verdict: VerdictName, reason: str | None = None, *, score: float | None = None) -> None:
        """Say what the check decided.

        Args:
            verdict: it let what it saw through ("pass"), stopped it ("block"), or let something else through instead.
            reason: why; content, kept beside the span.
            score: how sure it is, or how bad it is, by the check's own measure.
        """
        if not self.span.is_recording():
            return
        attributes: dict[str, Any] = {names.MAS_GUARDRAIL_VERDICT: str(verdict)}
        if score is not None:
            attributes[names.GEN_AI_EVALUATION_SCORE_VALUE] = float(score)
        recorder().set_attributes(self.span, attributes)
        if reason is not None:
            recorder().content(self.span, names.MAS_GUARDRAIL_REASON, reason)

    def _given(self, arguments: Mapping[str, Any]) -> None:
        self._seen = next(iter(arguments.values()), None)

    def _returned(self, result: Any) -> None:
        if result is None or type(result) is bool:
            self.verdict("block" if result is False else "pass")
        elif (verdict := text_of(result)) in _VERDICTS:
            self.verdict(verdict)  # type: ignore[arg-type] # just compared
        else:
            self.verdict("pass" if _equal(result, self._seen) else "modified")


class _Comparable(Copy):
    """A copy of what can be compared by its content."""

    __slots__ = ()

    def _opaque(self, value: Any) -> Any:
        return (id(value),)  # equal to nothing but itself


def _equal(one: Any, other: Any) -> bool:
    """Whether two values hold the same, told without their own code; of large ones, by what is copied of them."""
    return one is other or bool(_Comparable().of(one) == _Comparable().of(other))


class Grade(Mark):
    """A judgement of something: whether it is relevant, grounded, good enough."""

    def _describe(self) -> tuple[str, dict[str, Any]]:
        name = self._name or "grade"
        return f"evaluate {name}", {
            names.MAS_RECORD_KIND: RecordKind.EVALUATION.value,
            names.GEN_AI_EVALUATION_NAME: name,
        }

    @guarded("mark: score")
    def score(self, score: float | str | bool, reason: str | None = None) -> None:
        """Say the judgement.

        Args:
            score: a number, a label, or whether it is so.
            reason: why; content, kept beside the span.
        """
        scored = score_of(score)
        if scored is not None and self.span.is_recording():
            record_judgement(self.span, Judgement(*scored, reason))

    def _returned(self, result: Any) -> None:
        fields = fields_of(result)
        judged = None if fields is None else judgement(fields)
        if judged is not None:
            record_judgement(self.span, judged)
        elif fields is None:
            self.score(result)


@overload
def guardrail(name: Function, /) -> Function: ...
@overload
def guardrail(name: str | None = None, *, target: Target | None = None) -> Guardrail: ...
def guardrail(name: Any = None, *, target: Target | None = None) -> Any:
    """Mark a check that may stop or change what passes it.

    In a `with` the block says its `verdict`. Of a decorated function the result says it: True or None let pass, False
    blocks, "pass", "block" and "modified" say themselves; anything else lets pass if it equals the first argument, and
    is what was let through instead if not.

    Args:
        name: by default, that of the function.
        target: what it looks at: "input", "output" or "tool_call".
    """
    return Guardrail.of(name, target=target)


@overload
def grade(name: Function, /) -> Function: ...
@overload
def grade(name: str | None = None) -> Grade: ...
def grade(name: Any = None) -> Any:
    """Mark a judgement: of relevance, grounding or quality.

    In a `with` the block says its `score`. Of a decorated function the result says it: a number, a label, whether it is
    so, or something with such a field and a reason (`score` and `reason`, `binary_score` and `explanation`, ...).

    Args:
        name: of what is judged, for instance "relevance"; by default, that of the function.
    """
    return Grade.of(name)


__all__ = ["Grade", "Guardrail", "grade", "guardrail"]
