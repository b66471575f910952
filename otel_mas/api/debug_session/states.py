"""States of a debug session, and the events that lead from one to another. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class SessionState(StrEnum):
    """State of a debug session."""

    IDLE = "IDLE"
    """No store is open: it is waited for, or the session is closed."""
    ATTACHED = "ATTACHED"
    """The store is open, and no run is followed."""
    RECORDING = "RECORDING"
    """A run is followed."""
    ANALYZING = "ANALYZING"
    """A run has ended, or is quiet, and is analysed."""


class SessionEvent(StrEnum):
    """Reason for a change of state."""

    STORE_OPENED = "store opened"
    STORE_LOST = "store lost"
    """Its file was removed or replaced."""
    RUN_BEGAN = "began"
    RUN_CLOSED = "closed"
    """Nothing of the run is open any more: it returned, failed, or paused for a person."""
    RUN_STOPPED = "stopped"
    """The process of the run is gone."""
    RUN_QUIET = "quiet"
    """Nothing was recorded of the run for a while, though it is open."""
    ANALYZED = "analyzed"
    DETACHED = "detached"


_S, _E = SessionState, SessionEvent
RUN_ENDS: Final = (_E.RUN_CLOSED, _E.RUN_STOPPED, _E.RUN_QUIET)
TRANSITIONS: Final[Mapping[tuple[SessionState, SessionEvent], SessionState]] = {
    (_S.IDLE, _E.STORE_OPENED): _S.ATTACHED,
    (_S.ATTACHED, _E.RUN_BEGAN): _S.RECORDING,
    **{(_S.RECORDING, end): _S.ANALYZING for end in RUN_ENDS},
    (_S.ANALYZING, _E.ANALYZED): _S.ATTACHED,
    **{(state, _E.STORE_LOST): _S.IDLE for state in _S if state is not _S.IDLE},
    **{(state, _E.DETACHED): _S.IDLE for state in _S},
}


def following(state: SessionState, event: SessionEvent) -> SessionState:
    """The state after an event.

    Raises:
        ValueError: This event cannot happen in this state.
    """
    if (state, event) not in TRANSITIONS:
        raise ValueError(f"a session that is {state} cannot get the event {event!r}")
    return TRANSITIONS[state, event]


__all__ = ["RUN_ENDS", "TRANSITIONS", "SessionEvent", "SessionState", "following"]
