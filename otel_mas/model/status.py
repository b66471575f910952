"""The status of a trace, for every list, heading and query. `store/sql/summaries.sql` has the same rule."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from otel_mas.semconv import RunOutcome


class TraceStatus(StrEnum):
    """The outcome of a trace's root run, or its state before that."""

    OK = "ok"
    INTERRUPTED = "interrupted"
    """It waits for input."""
    ERROR = "error"
    """It failed; or no run is the root, and a span failed. An error that the run has dealt with does not count."""
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    """Its caller stopped listening."""
    RUNNING = "running"
    """A span is open in a living process."""
    STOPPED = "stopped"
    """Its process stopped before the run ended."""


STATUSES: Final = tuple(status.value for status in TraceStatus)
RUNNING, STOPPED = TraceStatus.RUNNING.value, TraceStatus.STOPPED.value
ENDED: Final = tuple(value for value in STATUSES if value not in (RUNNING, STOPPED))
"""The ones that a source of ended spans alone can be asked for."""
MEANINGS: Final = (
    "ok; interrupted: waits for input; error; cancelled; abandoned: its caller stopped listening; running; "
    "stopped: its process ended before it did"
)
"""The meaning of each, for help and documentation."""

ROOT, INNER, NONE = 0, 1, 2
"""Ranks of spans: the root of a trace is one without a parent; where none has come, one of the others."""


def status(*, running: int, stopped: int, errors: int, run: tuple[int, str | None], root: int) -> str:
    """The status of a trace.

    Args:
        running: number of spans that are open in a living process.
        stopped: number of spans that never ended, their process being gone.
        errors: number of failed spans; those that a run has dealt with do not make it a failure.
        run: rank and `mas.run.outcome` of the outermost run: of the best rank, the one that ended last.
        root: the best rank of any span.
    """
    rank, outcome = run
    if running:
        return RUNNING
    if outcome is not None and rank <= root:
        return str(outcome)
    if stopped:
        return STOPPED
    if errors:
        return TraceStatus.ERROR.value
    # A run inside something else that has not failed: a pause is still a pause.
    return (TraceStatus.INTERRUPTED if outcome == RunOutcome.INTERRUPTED else TraceStatus.OK).value
