"""The example team, paused in one process and resumed in another: the same graph from wherever it is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from otel_mas.causal import CausalGraph, build
from otel_mas.sources import open_source
from tests.conformance.places import Ground, Place
from tests.example_team import SERVICE, THREAD, ExampleTeam
from tests.examples.truth import CONTROL_EDGES


@pytest.fixture(scope="session")
def exported(example_team: ExampleTeam) -> Sequence[TracesData]:
    """The exports of its processes: one request for each resource and scope, the stored bytes as they are."""
    with sqlite3.connect(example_team.store) as connection:
        rows = connection.execute(
            "SELECT r.body, r.schema_url, c.name, c.version, c.schema_url, s.body FROM spans s "
            "JOIN resources r ON r.id = s.resource JOIN scopes c ON c.id = s.scope WHERE s.version = 0 ORDER BY s.id"
        ).fetchall()
    requests: dict[tuple[Any, ...], list[Span]] = {}
    for *of, body in rows:
        requests.setdefault(tuple(of), []).append(Span.FromString(body))
    return [
        TracesData(
            resource_spans=[
                ResourceSpans(
                    resource=Resource.FromString(resource),
                    schema_url=resource_schema,
                    scope_spans=[
                        ScopeSpans(
                            scope=InstrumentationScope(name=name, version=version), schema_url=schema, spans=spans
                        )
                    ],
                )
            ]
        )
        for (resource, resource_schema, name, version, schema), spans in requests.items()
    ]


def edges(graph: CausalGraph) -> set[tuple[str, str, str, str]]:
    return {(edge.cause, edge.effect, edge.kind, edge.provenance) for edge in graph.edges}


def test_the_team_has_its_true_graph_edge_by_edge(
    place: Place, ground: Ground, example_team: ExampleTeam, exported: Sequence[TracesData]
) -> None:
    source = place.setup(ground, exported)
    graph = build(source.conversation(THREAD, SERVICE))
    labels = graph.labels()
    local = open_source(example_team.store)

    assert {(edge.kind, labels[edge.cause], labels[edge.effect]) for edge in graph.control_edges()} == CONTROL_EDGES
    assert graph.problems == ()
    assert edges(graph) == edges(build(local.conversation(THREAD, SERVICE)))
    source.close()
    local.close()
