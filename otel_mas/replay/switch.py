"""Switching replay on and off: hooks go in with the first session, and out with the last."""

from __future__ import annotations

from otel_mas.config import Settings
from otel_mas.errors import ConfigError
from otel_mas.fork import ForkLock
from otel_mas.instrumentation import switch as recording
from otel_mas.instrumentation.marks.mark import answer_calls_by
from otel_mas.record import recorder
from otel_mas.replay.active import sessions, set_active
from otel_mas.replay.freeze import Freeze
from otel_mas.replay.hook_tables import HOOKS
from otel_mas.replay.marks import answered, begun
from otel_mas.replay.session import ReplaySession

_lock = ForkLock()
_frozen: tuple[ReplaySession, Freeze] | None = None
"""The replay that the clock stands still for: the outermost that asked for it."""


def start(session: ReplaySession, settings: Settings | None = None) -> None:
    """Begin to replay, and to record where nothing is recorded yet: places are known by what is recorded.

    Raises:
        ConfigError: Recording is switched off.
    """
    if not recorder().active:
        recording.switch_on(settings or Settings.from_env(), asked=True)
    if not recorder().active:
        raise ConfigError(
            "a replay is recorded like any run, and recording is off: unset OTEL_SDK_DISABLED and OTEL_MAS_ENABLED"
        )
    with _lock:
        if session.policy.freeze:
            _freeze(session)
        first = not sessions()
        set_active((*sessions(), session))
        if first:
            answer_calls_by(answered, begun)
            HOOKS.put()


def _freeze(session: ReplaySession) -> None:
    global _frozen
    if _frozen is None and session.recording.spans:
        frozen = Freeze(min(span.start_ns for span in session.recording.spans))
        frozen.start()
        _frozen = session, frozen


def stop(session: ReplaySession) -> None:
    """Stop replaying; with the last session the hooks are taken out."""
    global _frozen
    with _lock:
        if _frozen is not None and _frozen[0] is session:
            _frozen[1].stop()
            _frozen = None
        set_active(one for one in sessions() if one is not session)
        if not sessions():
            answer_calls_by(None)
            HOOKS.take_out()


__all__ = ["start", "stop"]
