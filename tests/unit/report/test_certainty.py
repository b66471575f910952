"""Causes that were worked out are shown as such, with their probability, wherever edges are shown."""

from __future__ import annotations

import pytest

from otel_mas.causal import CausalGraph, build
from otel_mas.model import Scope, Span, Trace
from otel_mas.report import json, terminal
from otel_mas.report.certainty import certainty
from otel_mas.report.html.graph import graph as drawn
from otel_mas.report.perfetto import perfetto
from otel_mas.semconv import attributes as names

THEIRS = Scope("openinference.instrumentation.langchain")


def _task(name: str, step: int, start: int) -> Span:
    columns = {
        names.MAS_TASK_ID: f"id of {name}",
        names.MAS_TASK_NAME: name,
        names.MAS_TASK_STEP: step,
        names.MAS_TASK_TRIGGERS: (f"branch:to:{name}",),
    }
    return Span("t" * 32, name * 16, "0" * 15 + "1", name, start, start + 9_000_000, columns=columns, scope=THEIRS)


@pytest.fixture(scope="module")
def graph() -> CausalGraph:
    """Two tasks before one, and then one before two and two before two."""
    run = Span("t" * 32, "0" * 15 + "1", None, "LangGraph", 0, 100_000_000, scope=THEIRS)
    tasks = ("a", 1, 1), ("b", 1, 2), ("c", 2, 20), ("d", 3, 40), ("e", 3, 41), ("f", 4, 60), ("g", 4, 61)
    spans = (run, *(_task(name, step, start * 1_000_000) for name, step, start in tasks))
    return build([Trace("t" * 32, spans)])


def _edges(found: list[json.EdgeForm]) -> list[tuple[str | None, str, str, float | None]]:
    return [(one["cause_label"], one["effect_label"], one["provenance"], one["probability"]) for one in found]


def test_the_terminal_says_how_likely_a_cause_is_and_that_it_may_be_none(graph: CausalGraph) -> None:
    text = " ".join("\n".join(line.plain for line in terminal.graph(graph, 160)).split())
    assert "c ← trigger from a, b; waited for b, 1.0 ms after a (inferred, 90 %)" in text
    assert "d ← trigger from c +" in text
    assert "f ← perhaps after d (45 %), e (45 %)" in text


def test_json_has_the_probability_and_unlikely_causes_apart(graph: CausalGraph) -> None:
    document = json.graph(graph, ())
    triggers = [one for one in document["edges"] if one["kind"] == "trigger"]
    assert _edges(triggers)[2:] == [
        ("a", "c", "inferred", 0.9),
        ("b", "c", "inferred", 0.9),
        ("c", "d", "metadata", None),
        ("c", "e", "metadata", None),
    ]
    assert _edges(document["possible_edges"])[:2] == [("d", "f", "inferred", 0.45), ("e", "f", "inferred", 0.45)]


def test_the_picture_draws_them_otherwise_and_unlikely_ones_not_at_all(graph: CausalGraph) -> None:
    picture = str(drawn(graph, graph.critical_path()))
    assert picture.count("om-inferred") == 3  # one of them in the legend
    assert "trigger: a → c (inferred, 90 %)" in picture
    assert "d → f" not in picture


def test_the_critical_path_doubts_its_reason_and_follows_nothing_unlikely(graph: CausalGraph) -> None:
    reasons = [step.why for step in graph.critical_path()]
    assert any("c waited for b (inferred, 90 %)" in reason for reason in reasons)
    assert not any(f"{effect} waited for {cause}" in reason for reason in reasons for effect in "fg" for cause in "de")


def test_networkx_and_perfetto_keep_it(graph: CausalGraph) -> None:
    edges = {(cause[0], effect[0]): data for cause, effect, data in graph.to_networkx().edges(data=True)}
    assert edges["a", "c"] == {"kind": "trigger", "provenance": "inferred", "probability": 0.9}
    assert "probability" not in edges["c", "d"]
    assert b"trigger from a (inferred, 90 %), trigger from b (inferred, 90 %)" in perfetto([graph])


def test_a_recorded_edge_is_said_without_doubt(graph: CausalGraph) -> None:
    assert {certainty(edge) for edge in graph.edges} == {"", "metadata", "inferred, 90 %"}
