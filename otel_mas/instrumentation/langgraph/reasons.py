"""RoutingReasons of routing decisions: the app's own, or those of a model that was asked for the decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from otel_mas.instrumentation.judgements import reason_in

_MAX_ANSWERS = 64  # structured answers of one task; of more it is not known which of them decided

StructuredAnswer = Callable[[], Mapping[str, Any] | None]


class RoutingReason(NamedTuple):
    """A reason that the app gave, or the choice of a decision model, which has a confidence instead."""

    reason: str | None
    choice: tuple[str, ...]
    candidates: tuple[str, ...]
    decider: str
    """The name of the function that gave it."""
    confidence: float | None = None


class RoutingReasons:
    """The reasons that the app gave in one task, and the structured answers of models there."""

    __slots__ = ("_answers", "_choices", "_given")

    def __init__(self) -> None:
        self._given: list[RoutingReason] = []
        self._answers: list[StructuredAnswer] = []
        self._choices: list[RoutingReason] = []

    def add(self, reason: str, choice: tuple[str, ...], candidates: tuple[str, ...], decider: str) -> None:
        """Add a reason of the app's."""
        self._given.append(RoutingReason(reason, choice, candidates, decider))

    def add_answer(self, answer: StructuredAnswer) -> None:
        """Add a model's structured answer, which is read only if a decision follows."""
        if len(self._answers) <= _MAX_ANSWERS:
            self._answers.append(answer)

    def add_choice(self, choice: str, candidates: tuple[str, ...], confidence: float | None) -> None:
        """Add the choice of a decision model among its candidates."""
        if len(self._choices) <= _MAX_ANSWERS:
            self._choices.append(RoutingReason(None, (choice,), candidates, "", confidence))

    def take(self, chosen: set[str]) -> RoutingReason | None:
        """The reason of a decision, with the confidence of a decision model that chose the same."""
        reason, classified = self._reason_of(chosen), self._classified(chosen)
        if reason is None or classified is None:
            return reason or classified
        candidates = reason.candidates or classified.candidates
        return reason._replace(candidates=candidates, confidence=classified.confidence)

    def _classified(self, chosen: set[str]) -> RoutingReason | None:
        """The decision model's answer that names the choice, if there is one such."""
        found = {one for one in self._choices if chosen.issuperset(one.choice)}
        return found.pop() if len(found) == 1 and len(self._choices) <= _MAX_ANSWERS else None

    def _reason_of(self, chosen: set[str]) -> RoutingReason | None:
        """The app's own reason; else that of the one model's answer that names the choice.

        Answers of the same task that name it for different reasons leave it open which of them decided.
        """
        named = [one for one in self._given if one.choice and chosen.issuperset(one.choice)]
        for one in named or [one for one in self._given if not one.choice]:
            self._given.remove(one)
            return one
        if len(self._answers) > _MAX_ANSWERS:
            return None
        found = {reason for answer in self._answers if (reason := _reason(answer(), chosen)) is not None}
        return RoutingReason(found.pop(), (), (), "") if len(found) == 1 else None

    def take_unused(self) -> list[RoutingReason]:
        """The app's reasons that no decision has used."""
        unused, self._given = self._given, []
        return unused


def _reason(fields: Mapping[str, Any] | None, chosen: set[str]) -> str | None:
    """The reason in an answer, if another of its fields is the choice."""
    if fields is None or (reason := reason_in(fields)) is None:
        return None
    named = any(type(value) is str and value in chosen and value != reason for value in fields.values())
    return reason if named else None


__all__ = ["RoutingReason", "RoutingReasons", "StructuredAnswer"]
