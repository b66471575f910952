"""Findings of many runs, read one after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from otel_mas.analyse.findings.groups import ExaminedRun, group
from otel_mas.api.findings import FindingGroups, find, load_detectors
from otel_mas.api.queries import Runs
from otel_mas.api.trace import Conversation, Trace
from otel_mas.config.thresholds import Thresholds
from otel_mas.model import Query
from otel_mas.sources import Source as Port
from otel_mas.sources.server import download_once


def find_findings(port: Port, query: Query, codes: str | Collection[str], thresholds: Thresholds) -> FindingGroups:
    """Findings about the runs that match, grouped.

    Raises:
        UnsupportedQuery: The source cannot select by something that is asked, or there is no such kind of finding.
    """
    detectors = load_detectors(codes)
    with download_once(listed=True):
        runs = Runs(port, query)
        examined = [
            ExaminedRun(run.spans[0].trace_id, run.spans[0].start_ns, find(run._facts(thresholds), detectors))
            for run in _handles(port, runs)
            if run.spans
        ]
    return FindingGroups(group(examined), examined=len(examined), limited=runs.limited, incomplete=runs.incomplete)


def _handles(port: Port, runs: Runs) -> Iterator[Trace | Conversation]:
    for thread, trace_ids in runs.groups():
        traces = [Trace(port.trace(trace_id), port) for trace_id in trace_ids]
        yield traces[0] if thread is None else Conversation(thread, traces)


__all__ = ["find_findings"]
