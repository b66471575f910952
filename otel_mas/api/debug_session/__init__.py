"""Debug session: follows the runs of a store one after the other, live, and analyses each when it ends."""

from otel_mas.api.debug_session.session import DebugSession
from otel_mas.api.debug_session.states import SessionEvent, SessionState
from otel_mas.api.debug_session.watcher import FollowedRun, Transition

__all__ = ["DebugSession", "FollowedRun", "SessionEvent", "SessionState", "Transition"]
