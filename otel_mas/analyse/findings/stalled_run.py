"""Runs that are open and show no sign of life."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.findings.open_spans import OpenRun, open_runs, waits
from otel_mas.model import Finding, Severity, Span
from otel_mas.model.amounts import duration
from otel_mas.semconv import RunOutcome
from otel_mas.semconv import attributes as names

_SECOND = 10**9


def stalled_run(facts: RunFacts) -> Iterator[Finding]:
    """A run has not ended, and its process has stopped (killed, or out of memory, say), which is an error; or nothing
    has begun or ended in it for a long time, be it that the process lives, and what is open hangs, or that nothing is
    known of it. A thread that went on and ended well in a later run is no error, and a run whose agents wait for one
    another is a deadlock.
    """
    runs = open_runs(facts)
    waiting = waits(facts, runs)
    for run in runs:
        quiet_ns = facts.now_ns - (run.active_ns if run.root.seen_ns is not None else run.alive_ns)
        if run.stopped:
            yield _stopped(facts, run)
        elif quiet_ns >= facts.thresholds.stalled_after_s * _SECOND and not all(
            leaf.span_id in waiting for leaf in run.leaves
        ):
            yield _quiet(facts, run, quiet_ns)


def _stopped(facts: RunFacts, run: OpenRun) -> Finding:
    on = _went_on(facts, run.root)
    is_part = run.root.parent_span_id is not None
    at = facts.label(run.leaves[0])
    what = "; the thread went on in a later run" if on is not None else ""
    return Finding(
        code="stalled-run",
        severity=Severity.WARNING if on is not None or is_part else Severity.ERROR,
        confidence=1.0,
        summary=f"the process of {_name(run.root)} stopped while {at} was open{what}",
        subject=_name(run.root),
        spans=ids([*run.leaves, *((run.root,) if run.root not in run.leaves else ())]),
        advice="see why the process ended (its exit code, memory, a deployment); with a checkpointer the thread can be "
        "invoked again with None as its input, and goes on from its last step",
    )


def _quiet(facts: RunFacts, run: OpenRun, quiet_ns: int) -> Finding:
    at = facts.label(run.leaves[0])
    return Finding(
        code="stalled-run",
        severity=Severity.WARNING,
        confidence=0.6,
        summary=f"{_name(run.root)} has been open without a sign of life for {duration(quiet_ns)}, since {at} began",
        subject=_name(run.root),
        spans=ids([*run.leaves, *((run.root,) if run.root not in run.leaves else ())]),
        rests_on=("recorded", "inferred"),
        advice=f"give {at} a timeout (`timeout=` of the model or the HTTP client, `step_timeout` of the graph) and try "
        "it again",
    )


def _went_on(facts: RunFacts, root: Span) -> Span | None:
    """A later run of the same thread that ended well."""
    if root.conversation_id is None:
        return None
    for later in facts.graph.roots:
        same = later.conversation_id == root.conversation_id and later.start_ns > root.start_ns
        if same and later.columns.get(names.MAS_RUN_OUTCOME) == RunOutcome.OK:
            return later
    return None


def _name(root: Span) -> str:
    return root.workflow or root.agent or root.task_name or root.name


__all__ = ["stalled_run"]
