"""Documents for speedscope; tests/browser loads one into speedscope itself, with its schema."""

from __future__ import annotations

from types import ModuleType

from hypothesis import given

from otel_mas.causal import CausalGraph, build
from otel_mas.report.speedscope import speedscope
from tests.unit.report.graph_strategies import graphs


@given(graphs())
def test_events_close_what_they_opened_in_order_and_within_the_profile(graph: CausalGraph) -> None:
    document = speedscope([graph])
    frames = document["shared"]["frames"]
    for profile in document["profiles"]:
        opened: list[int] = []
        at = profile["startValue"]
        for event in profile["events"]:
            assert at <= event["at"] <= profile["endValue"]
            at = event["at"]
            assert 0 <= event["frame"] < len(frames)
            if event["type"] == "O":
                opened.append(event["frame"])
            else:
                assert opened.pop() == event["frame"]
        assert not opened
    opens = sum(event["type"] == "O" for profile in document["profiles"] for event in profile["events"])
    assert opens == len(graph.spans)


def test_what_has_one_name_is_one_frame(team: ModuleType) -> None:
    document = speedscope([build(team.research_traces())], "research")
    names = [frame["name"] for frame in document["shared"]["frames"]]
    assert document["name"] == "research"
    assert len(names) == len(set(names))
    assert "task summarise" in names
