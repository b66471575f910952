"""Judgements, recognized by the names of their fields, in structured answers of models and results of functions.

The fields are those that LangGraph's tutorials on self-RAG, corrective and agentic RAG, and evaluator-optimizer loops
use, with their variants. A form that has any other field is not taken for a judgement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from otel_mas.record import snapshot

# A field of one of these names is a verdict whatever else there is.
VERDICTS: Final = ("binary_score", "is_relevant", "relevant", "relevance_score", "is_grounded", "grounded")
# These may mean anything (a player's score), unless there is a reason as well.
WITH_REASON: Final = ("score", "grade", "relevance", "rating", "passed", "verdict")
REASONS: Final = ("reason", "reasoning", "explanation", "rationale", "justification", "feedback")
_KNOWN: Final = frozenset((*VERDICTS, *WITH_REASON, *REASONS))


class Judgement(NamedTuple):
    """A score, as a number or as a label, and its reason."""

    score: float | None
    label: str | None
    reason: str | None


def is_judgement(fields: Mapping[str, Any]) -> bool:
    """Whether something with exactly these fields is a judgement."""
    names = fields.keys()
    if not names <= _KNOWN:
        return False
    verdicts = [name for name in names if name not in REASONS]
    if len(verdicts) != 1:
        return False
    return verdicts[0] in VERDICTS or len(names) > 1


def judgement(fields: Mapping[str, Any]) -> Judgement | None:
    """Judgement from the values of its fields; None if they are none."""
    if not is_judgement(fields):
        return None
    verdict = next(value for name, value in fields.items() if name not in REASONS)
    reason = reason_in(fields)
    return None if (scored := score_of(verdict)) is None else Judgement(*scored, reason)


def score_of(verdict: Any) -> tuple[float | None, str | None] | None:
    """A verdict as a number and a label: yes and no are both; None for what is no verdict."""
    kind = type(verdict := snapshot(verdict)[0])
    if kind is bool:
        return float(verdict), "yes" if verdict else "no"
    if kind in (int, float):
        return float(verdict), None
    return (None, verdict) if kind is str and verdict else None


def reason_in(fields: Mapping[str, Any]) -> str | None:
    """The first reason among the fields."""
    return next((value for name in REASONS if isinstance(value := fields.get(name), str) and value), None)


def fields_of(value: Any) -> dict[str, Any] | None:
    """A copy of the fields of a dict, a data class or a pydantic model, made without running any of its code."""
    if issubclass(type(value), (str, int, float)):
        return None
    fields = snapshot(value)[0]
    return fields if type(fields) is dict else None


__all__ = [
    "REASONS",
    "VERDICTS",
    "WITH_REASON",
    "Judgement",
    "fields_of",
    "is_judgement",
    "judgement",
    "reason_in",
    "score_of",
]
