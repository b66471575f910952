"""The diff of two sets of runs, each from a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from otel_mas.analyse import diff
from otel_mas.analyse.diff import Limits, RunSample, RunSteps
from otel_mas.api.diff import SetDiff
from otel_mas.api.queries import RunSet, check_apart, incomplete_of
from otel_mas.api.trace import Trace
from otel_mas.model import Query
from otel_mas.sources import Source as Port
from otel_mas.sources.server import download_once


def diff_sets(port: Port, before: Query, other: Port, after: Query, limits: Limits) -> SetDiff:
    """Compare the traces of two queries step by step.

    Raises:
        UnsupportedQuery: No trace matches one of them, some match both, or a source cannot select by something.
        MissingExtra: scipy is not installed.
    """
    with download_once(listed=True):
        sides = [RunSet(port, "before", before), RunSet(other, "after", after)]
        if other is port:
            check_apart(sides, before, after)
        answer = diff.diff_sets(list(_samples(sides[0], port)), list(_samples(sides[1], other)), limits)
    return SetDiff(
        **{one.name: getattr(answer, one.name) for one in fields(answer)},
        limited=any(side.limited for side in sides),
        incomplete=incomplete_of(sides),
    )


def _samples(side: RunSet, port: Port) -> Iterator[RunSample]:
    for one in side.found:
        run = Trace(port.trace(one.trace_id), port)
        yield RunSample.of(RunSteps(run.graph().judged, run._content))


__all__ = ["diff_sets"]
