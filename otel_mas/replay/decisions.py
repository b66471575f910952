"""Decision models in a replay: LangChain's own code asks a copy of the model that is answered from the recording."""

from __future__ import annotations

import functools
from typing import Any

from opentelemetry.trace import get_current_span

from otel_mas.errors import ConfigError
from otel_mas.instrumentation.marks.mark_messages import messages_of
from otel_mas.instrumentation.replacements import Original
from otel_mas.record import snapshot
from otel_mas.replay import answers
from otel_mas.replay.active import answered_copy, session_for
from otel_mas.replay.recording import CallKind
from otel_mas.replay.request import Request, role_and_parts
from otel_mas.replay.session import Answer, ReplaySession


def classify(original: Original) -> Original:
    """`BaseDecisionModel._classify_and_record`, inside of which the model answers one request."""

    @functools.wraps(original)
    def classify(self: Any, request: Any) -> Any:
        # Recording has its span inside of the original: only there the call is answered.
        return original(_answered(self), request)

    return classify


def aclassify(original: Original) -> Original:
    """`BaseDecisionModel._aclassify_and_record`."""

    @functools.wraps(original)
    async def aclassify(self: Any, request: Any) -> Any:
        return await original(_answered(self), request)

    return aclassify


def _answered(model: Any) -> Any:
    """A copy of the model that is answered by the replay; the model itself where there is none."""
    session = session_for(model)
    if session is None:
        return model
    asked = _Asked(model, session)
    return answered_copy(model, {"_classify": asked.classify, "_aclassify": asked.aclassify})


class _Asked:
    """Requests to a decision model in a replay."""

    def __init__(self, model: Any, session: ReplaySession) -> None:
        self._model = model
        self._session = session

    def classify(self, state: Any, questions: Any) -> Any:
        answer = self._ask(state, questions)
        if answer.call is None:
            return self._called(answer)._classify(state, questions)
        self._session.take_time(answer.call)
        return answers.decision_response(answer.call)

    async def aclassify(self, state: Any, questions: Any) -> Any:
        answer = self._ask(state, questions)
        if answer.call is None:
            return await self._called(answer)._aclassify(state, questions)
        await self._session.atake_time(answer.call)
        return answers.decision_response(answer.call)

    def _ask(self, state: Any, questions: Any) -> Answer:
        name = str(self._model.model)
        messages = list(map(role_and_parts, messages_of(state)))
        head = {"model": name, "questions": snapshot(questions)[0]}
        request = Request(head, messages, self._session.normaliser)
        return self._session.answer(CallKind.MODEL, name, request, get_current_span(), state)

    def _called(self, answer: Answer) -> Any:
        """The model that is really called."""
        if answer.model is None:
            return self._model
        if isinstance(answer.model, str):
            return self._model.model_copy(update={"model": answer.model})
        if not hasattr(answer.model, "_classify"):
            raise ConfigError(
                f"{type(answer.model).__name__} answers no questions of a decision model: give a function as stub"
            )
        return answer.model


__all__ = ["aclassify", "classify"]
