"""The state of a run's graphs: what each task wrote, and which version of it another one read."""

from otel_mas.analyse.state.changes import StateChange, StateTimeline, state_timeline
from otel_mas.analyse.state.snapshot import ChannelVersion, Difference, StateComparison, StateSnapshot

__all__ = [
    "ChannelVersion",
    "Difference",
    "StateChange",
    "StateComparison",
    "StateSnapshot",
    "StateTimeline",
    "state_timeline",
]
