"""Topologies are read back from the attributes of a run, whatever they hold."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from otel_mas.causal.topology import ANY, DeclaredEdge, Topology, topologies
from otel_mas.model import Span
from otel_mas.semconv import attributes as names


def run(**lists: object) -> Span:
    attributes = {f"mas.graph.{name}": value for name, value in lists.items()}
    return Span("t", "s", None, "invoke_workflow w", 0, 1, columns=attributes)


def test_nodes_edges_and_channels_are_those_of_their_graph() -> None:
    found = topologies(
        run(
            nodes=("boss", "team|crew", "team:reader"),
            edges=("edge|__start__|boss", "branch|boss|", "join|boss|team|end", "edge|team:__start__|team:reader"),
            channels=("LastValue|||draft", "BinaryOperatorAggregate|add|team|odd|name"),
        )
    )

    assert found[""].nodes == ("boss", "team")
    assert found[""].node("crew") == "team"
    assert found[""].edges == (
        DeclaredEdge("edge", ("__start__",), "boss"),
        DeclaredEdge("branch", ("boss",), ANY),
        DeclaredEdge("join", ("boss", "team"), "end"),
    )
    assert found["team"].edges == (DeclaredEdge("edge", ("__start__",), "reader"),)
    assert found[""].channels == {"draft": ("LastValue", "")}
    assert found["team"].channels == {"odd|name": ("BinaryOperatorAggregate", "add")}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))), st.integers(0, 5), st.integers(0, 5))
def test_reachability_is_that_of_the_edges(pairs: list[tuple[int, int]], source: int, target: int) -> None:
    edges = tuple(DeclaredEdge("edge", (str(one),), str(other)) for one, other in pairs)
    reached, frontier = set(), {source}
    while frontier:
        frontier = {other for one, other in pairs if one in frontier} - reached
        reached |= frontier

    assert Topology((), {}, edges, {}).reaches([str(source)], str(target)) == (target in reached)


@given(st.lists(st.one_of(st.text(), st.integers())), st.lists(st.text()), st.text())
def test_any_value_is_read(nodes: list[object], edges: list[str], channels: str) -> None:
    span = run(nodes=nodes, edges=edges, channels=channels)
    assert span.get(names.MAS_GRAPH_NODES) == nodes
    topologies(span)
