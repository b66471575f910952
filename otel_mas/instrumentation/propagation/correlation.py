"""Correlation by the app: what runs inside belongs to a user, a session, a conversation and the like."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.baggage import set_baggage

from otel_mas.errors.log import logger
from otel_mas.record import CORRELATION, MAX_CHARACTERS, guarded, is_id, recorder, restore_context

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context

_warned: set[str] = set()


class Correlation:
    """The block in which the ids hold, for `with`. It can be entered again, also inside itself."""

    def __init__(self, ids: dict[str, str]) -> None:
        self._ids = ids
        self._tokens: list[Token[Context] | None] = []

    def __enter__(self) -> None:
        self._tokens.append(self._begin() if recorder().active and self._ids else None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        restore_context(self._tokens.pop())

    @guarded("correlation")
    def _begin(self) -> Any:
        context = otel_context.get_current()
        for name, value in self._ids.items():
            context = set_baggage(name, value, context)
        return otel_context.attach(context)


def correlation(
    *,
    workflow: str | int | None = None,
    mission: str | int | None = None,
    conversation: str | int | None = None,
    session: str | int | None = None,
    turn: str | int | None = None,
    user: str | int | None = None,
    request: str | int | None = None,
) -> Correlation:
    """Put ids on every span and log record of a `with` block, in this process and in those that it calls.

    Ids are texts of 256 characters at most; another value is left out, with one warning. An id that is None stays as it
    is outside of the block. They travel as OpenTelemetry's baggage, to hosts in OTEL_MAS_BAGGAGE_HOSTS only. Spans
    of a LangGraph thread have that thread's id as conversation.

    Args:
        workflow: `mas.workflow.id`: a business process of several runs.
        mission: `mas.mission.id`: a goal that several workflows have.
        conversation: `gen_ai.conversation.id`.
        session: `session.id`.
        turn: `mas.turn.id`: the id or number of the turn in its conversation.
        user: `user.id`.
        request: `mas.request.id`.
    """
    given = {
        "workflow": workflow,
        "mission": mission,
        "conversation": conversation,
        "session": session,
        "turn": turn,
        "user": user,
        "request": request,
    }
    return Correlation({CORRELATION[name]: text for name, value in given.items() if (text := _text(name, value))})


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    text = str(value) if type(value) is int else value
    if isinstance(text, str) and is_id(text := str(text)):
        return text
    if name not in _warned:
        _warned.add(name)
        logger.warning(
            "otel-mas: the correlation id %r is left out: an id is a text of 1 to %d characters that can be printed",
            name,
            MAX_CHARACTERS,
        )
    return None


__all__ = ["Correlation", "correlation"]
