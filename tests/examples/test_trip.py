"""The example without a framework: its graph is that which its code says, and recording changes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.semconv import attributes as names

ROOT = Path(__file__).resolve().parents[2]

# examples/trip.py: the planner sends a wish to each of two agents, both send an offer to the booker, which waits for
# both; it costs 240 + 3 × 70 = 450 of 500, so the booker goes on to `book`.
CONTROL_EDGES = {
    ("send", "planner#1", "flights#1"),
    ("send", "planner#1", "hotels#1"),
    ("send", "flights#1", "booker#1"),
    ("send", "hotels#1", "booker#1"),
    ("trigger", "booker#1", "book#1"),
}
# (sender, receiver) of each message.
MESSAGES = {("planner", "flights"), ("planner", "hotels"), ("flights", "booker"), ("hotels", "booker")}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trip") / "runs.db"
    command = [Path(sys.executable).with_name("otel-mas"), "run", "--store", path, "--quiet", "--"]
    done = subprocess.run(
        [*command, sys.executable, "-m", "examples.trip"], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout) == (0, "book\n"), done.stderr
    return path


def test_it_does_the_same_without_being_recorded() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.trip"], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "book\n", "")


def test_its_graph_is_the_true_one_edge_by_edge(store: Path) -> None:
    with otel_mas.open(store) as source:
        graph = source.latest().graph()
    labels = graph.labels()
    assert {(e.kind, labels[e.cause], labels[e.effect]) for e in graph.control_edges()} == CONTROL_EDGES
    assert graph.problems == ()


def test_each_message_is_linked_from_its_receiver_to_its_sender(store: Path) -> None:
    with otel_mas.open(store) as source:
        spans = {span.span_id: span for span in source.latest().spans}

    def agent(span: Any) -> str:
        return str(spans[span.parent_span_id].agent)

    received = [span for span in spans.values() if span.record_kind == "RECEIVE"]
    assert {(agent(spans[link.span_id]), agent(span)) for span in received for link in span.links} == MESSAGES
    assert {link.kind for span in received for link in span.links} == {"message"}


def test_what_was_checked_graded_and_decided_is_there(store: Path) -> None:
    with otel_mas.open(store) as source:
        trace = source.latest()
        by_kind = {span.record_kind: span for span in trace.spans}
        assert by_kind["GUARDRAIL"].get(names.MAS_GUARDRAIL_VERDICT) == "pass"
        assert by_kind["EVALUATION"].get(names.GEN_AI_EVALUATION_SCORE_LABEL) == "yes"
        assert trace.contents(by_kind["EVALUATION"])[names.GEN_AI_EVALUATION_EXPLANATION] == "450 of 500"
        assert list(by_kind["ROUTING_DECISION"].get(names.MAS_ROUTING_CHOICE)) == ["book"]
        assert trace.contents(by_kind["ROUTING_DECISION"])[names.MAS_ROUTING_REASON] == "450 is within the budget"
