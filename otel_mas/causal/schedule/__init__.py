"""Rescheduling: the times of a run worked out again from its causes, under changes."""

from otel_mas.causal.schedule.changes import (
    Change,
    Faster,
    Instead,
    Lasting,
    Parallel,
    Without,
    WithoutBarriers,
    WithoutRetries,
    WithoutWaiting,
)
from otel_mas.causal.schedule.rescheduled import Assumption, Schedule, ideal, reschedule, slack

__all__ = [
    "Assumption",
    "Change",
    "Faster",
    "Instead",
    "Lasting",
    "Parallel",
    "Schedule",
    "Without",
    "WithoutBarriers",
    "WithoutRetries",
    "WithoutWaiting",
    "ideal",
    "reschedule",
    "slack",
]
