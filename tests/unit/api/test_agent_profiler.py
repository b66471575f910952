"""Profiles by the name that other projects are written against: of a source, of traces, of records."""

from __future__ import annotations

from pathlib import Path

import pytest

import otel_mas


def test_a_source_a_trace_and_its_records_have_one_profile(store: Path) -> None:
    with otel_mas.open(store) as source:
        trace = source.trace(source.traces()[-1].trace_id)
        whole = otel_mas.AgentProfiler(source).profile()
        one = otel_mas.AgentProfiler(trace)
        several = otel_mas.AgentProfiler([source.trace(summary.trace_id) for summary in source.traces()])
        of_records = otel_mas.AgentProfiler(trace.records())

        assert whole.runs == several.profile().runs == len(source.traces())
        assert several.profile().total_ns == whole.total_ns
        assert one.profile() == trace.profile()
        assert one.percentiles() == of_records.percentiles()
        assert one.percentiles()["researcher"].n == 1
        assert one.percentiles("model")
        assert one.hotspots(2) == trace.profile().hot_spots[:2]
        assert [spot.self_ns for spot in of_records.hotspots()] == [spot.self_ns for spot in one.hotspots()]
        assert len(one.to_pandas()) == len(trace.profile().rows)


def test_a_source_is_filtered(store: Path) -> None:
    with otel_mas.open(store) as source:
        assert otel_mas.AgentProfiler(source, agent="nobody").profile().runs == 0
        assert otel_mas.AgentProfiler(source, limit=1).profile().limited
        with pytest.raises(TypeError, match="filters are for a source"):
            otel_mas.AgentProfiler(source.latest(), agent="nobody")
