"""Replays that are going on in this process, and the objects of the app that they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from opentelemetry import context as otel_context

from otel_mas.instrumentation.replacements import with_attributes
from otel_mas.record import SUPPRESSED
from otel_mas.replay.counterfactual import IN_STUB

if TYPE_CHECKING:
    from otel_mas.replay.session import ReplaySession

Object = TypeVar("Object")
_REPLAYED: Final = "_otel_mas_replayed"
_active: tuple[ReplaySession, ...] = ()


def active() -> ReplaySession | None:
    """The innermost replay that is going on in this process; None where none is, and in the code of a stub or judge."""
    if not _active:
        return None
    context = otel_context.get_current()
    return None if context.get(IN_STUB) or context.get(SUPPRESSED) else _active[-1]


def set_active(sessions: Iterable[ReplaySession]) -> None:
    """Replace the replays that are going on, the innermost last."""
    global _active
    _active = tuple(sessions)


def sessions() -> tuple[ReplaySession, ...]:
    """All replays that are going on, the innermost last."""
    return _active


def session_for(one: Any) -> ReplaySession | None:
    """The replay that is to answer an object of the app; None where there is none, or it does already."""
    session = active()
    return None if session is None or _REPLAYED in vars(one) else session


def answered_copy(one: Object, methods: Mapping[str, Any]) -> Object:
    """A copy of an object of the app with methods that a replay answers."""
    return with_attributes(one, {**methods, _REPLAYED: True})


__all__ = ["active", "answered_copy", "session_for", "sessions", "set_active"]
