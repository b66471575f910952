"""Exports of the example team, opened by agent-tracegraph: one whole graph, with our causes as its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.cli import cli
from tests.bench.environments import environment
from tests.example_team import THREAD, ExampleTeam

SCRIPT = Path(__file__).with_name("trace_graph.py")
# It says that it needs Python 3.12, and runs with the 3.11 that we still support.
TRACEGRAPH = ("--ignore-requires-python", "agent-tracegraph==0.9.0")
Opened = Callable[..., dict[str, Any]]


@pytest.fixture
def opened(example_team: ExampleTeam, surroundings: dict[str, str], tmp_path: Path) -> Opened:
    """`opened("--all")`: the graph of each trace in a file that was exported so."""

    def graphs(*words: str) -> dict[str, Any]:
        path = tmp_path / "run.jsonl"
        exported = CliRunner().invoke(cli, ["export", *words, "--store", str(example_team.store), "-o", str(path)])
        assert exported.exit_code == 0, exported.output
        python = environment("tracegraph", TRACEGRAPH, surroundings)
        done = subprocess.run([python, str(SCRIPT), str(path)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-4000:]
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return graphs


def pieces(graph: dict[str, Any]) -> int:
    """The number of parts that no edge joins."""
    above = {step: step for step in graph["steps"]}

    def top(step: str) -> str:
        while above[step] != step:
            step = above[step]
        return step

    for cause, effect, _ in graph["edges"]:
        above[top(effect)] = top(cause)
    return len({top(step) for step in above})


def test_each_trace_is_one_graph_with_one_root_and_every_link_a_cause(
    opened: Opened, example_team: ExampleTeam
) -> None:
    graphs = opened("--all")

    with otel_mas.open(example_team.store) as source:
        traces = {trace.trace_id: trace for trace in source.each()}
    assert graphs.keys() == traces.keys()
    for trace_id, graph in graphs.items():
        spans = {span.span_id: span for span in traces[trace_id].spans}
        assert set(graph["steps"]) == set(spans)
        assert pieces(graph) == 1
        assert len(spans.keys() - {effect for _, effect, _ in graph["edges"]}) == 1
        links = {(link.span_id, one.span_id) for one in spans.values() for link in one.links if link.span_id in spans}
        assert links
        parents = {(one.parent_span_id, one.span_id) for one in spans.values() if one.parent_span_id}
        assert {(cause, effect) for cause, effect, _ in graph["edges"]} == links | parents
        assert not graph["gaps"]


def test_a_conversation_that_paused_is_one_graph_too(opened: Opened, example_team: ExampleTeam) -> None:
    graphs = opened("--conversation", THREAD, "--one-trace")

    with otel_mas.open(example_team.store) as source:
        conversation = source.conversation(THREAD)
    ((trace_id, graph),) = graphs.items()
    assert trace_id == conversation.spans[0].trace_id
    assert pieces(graph) == 1
    assert {(cause, effect) for cause, effect, _ in graph["edges"]} == {
        (edge.cause, edge.effect) for edge in conversation.graph().edges
    }
