"""Records as a graph: who caused what, the critical path, and where the agents' time went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx
import pytest

import otel_mas
from otel_mas import InteractionGraph, TraceRecord

EXAMPLE = Path(__file__).parents[2] / "answers" / "example_team.jsonl.gz"
SECOND = 10**9


def record(span: str, kind: str, start: int, took: int, **fields: Any) -> TraceRecord:
    begin = 1_700_000_000 * SECOND + start * SECOND
    return TraceRecord(
        trace_id="run", span_id=span, event_type=kind, timestamp=begin, duration_ns=took * SECOND, **fields
    )


RECORDS = (
    record("plan", "AGENT_TASK", 0, 2, agent_name="planner"),
    record("ask", "LLM_CALL", 0, 1, agent_name="planner", parent_id="plan"),
    record("write", "AGENT_TASK", 2, 6, agent_name="writer", parent_id="plan"),
    record("check", "AGENT_TASK", 2, 1, agent_name="critic", parent_id="plan"),
    record("edit", "AGENT_TASK", 8, 1, agent_name="editor", parents=[{"span_id": "write"}, {"span_id": "check"}]),
    record("edit", "ERROR", 8, 0, payload="no"),
)


def test_nodes_are_spans_and_edges_lead_from_causes_to_effects() -> None:
    graph = InteractionGraph(RECORDS).G

    assert isinstance(graph, networkx.DiGraph)
    assert set(graph.nodes) == {"plan", "ask", "write", "check", "edit"}
    assert graph.nodes["write"]["agent_name"] == "writer"
    assert {(cause, effect, kind) for cause, effect, kind in graph.edges(data="kind")} == {
        ("plan", "ask", "child"),
        ("plan", "write", "trigger"),
        ("plan", "check", "trigger"),
        ("write", "edit", "trigger"),
        ("check", "edit", "trigger"),
    }


def test_the_critical_path_goes_through_what_was_waited_for() -> None:
    path = InteractionGraph(RECORDS).critical_path()

    assert path.total_ns == 9 * SECOND
    assert [span.agent for span in path.spans if span.task_id] == ["planner", "writer", "editor"]


def test_hot_spots_are_the_agents_by_their_part_of_the_path() -> None:
    spots = InteractionGraph(RECORDS).agent_hotspots()

    assert [(row.name, row.on_path_ns // SECOND) for row in spots] == [
        ("writer", 6), ("planner", 2), ("editor", 1), ("critic", 0)
    ]  # fmt: skip


def test_it_is_the_graph_of_the_run_that_the_records_are_of() -> None:
    with otel_mas.open(EXAMPLE) as source:
        run = source.conversation("tram")
        graph = InteractionGraph(run.records())

        assert graph.graph.edges == run.graph().edges
        assert graph.critical_path().total_ns == run.graph().critical_path().total_ns
        assert set(graph.G.edges) == {(edge.cause, edge.effect) for edge in run.graph().edges}


@pytest.mark.parametrize("records", [[], [record("a", "SPAN", 0, 0)]])
def test_little_is_a_graph_too(records: list[TraceRecord]) -> None:
    graph = InteractionGraph(records)

    assert len(graph.G) == len(records)
    assert graph.critical_path().total_ns == 0
    assert graph.agent_hotspots() == ()
