"""How a trace stands, in one word, for every list, heading and query. `store/sql/summaries.sql` has the same rule."""

from __future__ import annotations

from otel_mas.semconv import RunOutcome

RUNNING, STOPPED = "running", "stopped"
ENDED = ("ok", "interrupted", "error", "cancelled", "abandoned")
"""How a trace can end: as its root run did. What a source that keeps only ended spans can be asked for."""
STATUSES = (*ENDED, RUNNING, STOPPED)
"""Every status."""
MEANINGS = (
    "ok; interrupted: waits for input; error; cancelled; abandoned: its caller stopped listening; running; "
    "stopped: its process ended before it did"
)
"""What they mean, for help and documentation."""

ROOT, INNER, NONE = 0, 1, 2
"""Ranks of spans: the root of a trace is one without a parent; where none has come, one of the others."""


def status(*, running: int, stopped: int, errors: int, run: tuple[int, str | None], root: int) -> str:
    """The status of a trace.

    Args:
        running: how many spans are open in a living process.
        stopped: how many never ended, their process being gone.
        errors: how many have failed; those that a run has dealt with do not make it a failure.
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
        return "error"
    # A run inside something else that has not failed: a pause is still a pause.
    return "interrupted" if outcome == RunOutcome.INTERRUPTED else "ok"
