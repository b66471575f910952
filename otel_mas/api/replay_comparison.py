"""The comparison of a recorded run with its replay, from the handles on both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.final_output import outcome_without_output
from otel_mas.api.trace import Trace
from otel_mas.replay.changes import Change
from otel_mas.replay.comparison import ReplayComparison, RunSide, compare_runs
from otel_mas.replay.recording import Recording


def compared(original: Sequence[Trace], replayed: Sequence[Trace], changes: Iterable[Change]) -> ReplayComparison:
    """Compare a recorded run with its replay, each in its traces."""
    return compare_runs(side(original, "the recording"), side(replayed, "the replay"), tuple(changes))


def side(traces: Sequence[Trace], what: str, *, findings: bool = True) -> RunSide:
    """One run of the two, in its traces; its findings only if they are asked for."""
    recording = Recording.read([(one._data, one._port) for one in traces], what)
    ordered = sorted(traces, key=lambda one: min((span.start_ns for span in one.spans), default=0))
    found = [finding for one in ordered for finding in one.findings()] if findings else []
    last = ordered[-1] if ordered else None
    outcome = None if last is None else outcome_without_output(last.graph().causal)
    return RunSide(
        recording,
        RunContent.joined(one._content for one in ordered),
        found,
        None if last is None else last.final_output(),
        None if outcome is None else outcome.value,
    )


__all__ = ["compared", "side"]
