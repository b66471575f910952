"""Spans on tracks: each once, nested, and never inside of one that is not around it."""

from __future__ import annotations

from hypothesis import given

from otel_mas.causal import CausalGraph, build
from otel_mas.model import Span, Trace
from otel_mas.report.tracks import tracks
from tests.unit.report.graph_strategies import graphs


@given(graphs())
def test_spans_of_a_track_nest_in_those_around_them(graph: CausalGraph) -> None:
    above = {span.span_id: graph.parents[i] for i, span in enumerate(graph.spans)}
    seen = []
    for track in tracks(graph):
        around: list[Span] = []
        last = 0
        for span, at, begins in track.steps():
            assert at >= last
            last = at
            if begins:
                assert span.service == track.service
                if around:
                    assert graph.spans[above[span.span_id]] is around[-1]
                around.append(span)
                seen.append(span.span_id)
            else:
                assert around.pop() is span
        assert not around
    assert sorted(seen) == sorted(span.span_id for span in graph.spans)


def test_what_runs_after_each_other_shares_a_track_and_what_runs_beside_has_its_own() -> None:
    spans = (
        Span("t", "run", None, "run", 0, 100, service="app"),
        Span("t", "a", "run", "a", 10, 40, service="app"),
        Span("t", "b", "run", "b", 20, 60, service="app"),
        Span("t", "in b", "b", "in b", 30, 50, service="app"),
        Span("t", "c", "run", "c", 60, 90, service="app"),
        Span("t", "d", "run", "d", 70, 80, service="app"),
    )
    found = tracks(build([Trace("t", spans)]))
    assert [(track.name, [span.name for span, _, _ in track.spans]) for track in found] == [
        ("app", ["run", "a", "c"]),
        ("app (2)", ["b", "in b", "d"]),
    ]


def test_tracks_are_of_one_service() -> None:
    spans = (
        Span("t", "run", None, "run", 0, 100, service="app"),
        Span("t", "far", "run", "far", 10, 40, service="other"),
    )
    assert [track.name for track in tracks(build([Trace("t", spans)]))] == ["app", "other"]
