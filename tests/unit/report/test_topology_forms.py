"""A mined topology drawn: SVG, DOT, Mermaid, a page; whatever names hold, and never a guess as if it were known."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pydot
import pytest
from click.testing import CliRunner

from otel_mas.analyse.mining.topology import MinedEdge, MinedNode
from otel_mas.api.mined import Topology
from otel_mas.cli import cli
from otel_mas.report.topology_picture import Picture

ARCHIVE = Path(__file__).parents[2] / "answers" / "example_team.jsonl.gz"
HOSTILE = 'a"]; n9 -> n1 [label="x<script>alert(1)</script>\\\n--> |#`& \u202e'


def edge(cause: str, effect: str, *, count: int = 1, provenance: str = "recorded", kind: str = "trigger") -> MinedEdge:
    outside = cause == "START"
    return MinedEdge(
        workflow="team", cause=cause, cause_kind="" if outside else "agent", effect=effect, effect_kind="agent",
        kind="start" if outside else kind, provenance=provenance, count=count, executions=count, runs=1, share=1.0,
        confidence=0.75 if provenance == "inferred" else None, probability=0.5, wait_p50_ns=5_000, wait_p95_ns=5_000,
        duration_p50_ns=7, duration_p95_ns=7, errors=0, input_tokens=0, output_tokens=0, cost_usd=None,
        example_trace="t1",
    )  # fmt: skip


def node(name: str, errors: int = 0) -> MinedNode:
    return MinedNode("team", "agent", name, 3, 1, 1.0, errors, 7, 7, 0, 0, None, "t1")


def topology(*edges: MinedEdge) -> Topology:
    named = dict.fromkeys(name for one in edges for name in (one.cause, one.effect) if name != "START")
    return Topology(edges, [node(name) for name in named], 1)


LOOP = topology(edge("START", "a"), edge("a", "b"), edge("b", "c", provenance="inferred"), edge("c", "a", count=4))


def test_what_leads_to_something_is_left_of_it_unless_it_leads_back() -> None:
    layers = {name: layer for (_, _, name), layer in Picture.of(LOOP, LOOP.nodes).layers.items()}

    assert layers == {"START": 0, "a": 1, "b": 2, "c": 3}


def test_a_guess_is_drawn_as_one() -> None:
    svg = ElementTree.fromstring(LOOP.to_svg())
    guesses = [one for one in svg.iter() if "om-inferred" in one.get("class", "")]

    assert [next(one.itertext()) for one in guesses] == ["b → c: trigger ×1, 50%, wait 5 µs, inferred (75% sure)"]
    assert 'n3 -> n0 [label="trigger ×1, 50%, wait 5 µs, inferred (75% sure)", style=dashed];' in LOOP.to_dot()
    assert LOOP.to_mermaid().count("-.->") == 1


def test_hostile_names_stay_names() -> None:
    found = topology(edge("START", HOSTILE), edge(HOSTILE, "b"))

    ElementTree.fromstring(found.to_svg())
    assert "<script" not in found.to_html() + found.to_svg()
    assert len(found.to_dot().splitlines()) == 9
    assert len(re.findall(r'(?<!\\)"', found.to_dot())) % 2 == 0
    assert all(line.count('"') == 2 for line in found.to_mermaid().splitlines()[1:])


def test_a_reader_of_dot_finds_every_node_and_edge() -> None:
    for found in (LOOP, topology(edge("START", HOSTILE))):
        (graph,) = pydot.graph_from_dot_data(found.to_dot())
        assert len(graph.get_edges()) == len(found)


def test_networkx_has_every_edge_with_its_figures() -> None:
    graph = LOOP.to_networkx()

    assert graph.number_of_edges() == len(LOOP)
    assert graph["team", "agent", "c"]["team", "agent", "a"]["trigger", "recorded"]["edge"].count == 4
    assert graph.nodes["team", "", "START"]["node"] is None


def test_of_very_many_edges_those_that_are_taken_most_are_drawn() -> None:
    found = topology(*(edge("a", f"b{number}", count=number) for number in range(1, 301)))
    picture = Picture.of(found, found.nodes)

    assert (len(picture.arrows), picture.left_out) == (200, 100)
    assert min(arrow.edge.count for arrow in picture.arrows) == 101
    assert "Left out: 100 edges." in found.to_html()


@pytest.mark.parametrize("ending", ["html", "svg", "dot", "mmd"])
def test_the_command_draws_in_the_form_that_the_file_is_named_for(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"drawn.{ending}"
    done = CliRunner().invoke(cli, ["query", "topology", "--from", str(ARCHIVE), "-o", str(file)])

    assert done.exit_code == 0, done.output
    assert "supervisor" in file.read_text()


def test_other_endings_are_refused(tmp_path: Path) -> None:
    for words in (["topology", "-o", str(tmp_path / "x.png")], ["variants", "-o", str(tmp_path / "x.svg")]):
        done = CliRunner().invoke(cli, ["query", *words, "--from", str(ARCHIVE)])
        assert done.exit_code == 2
        assert ".html" in done.output
    done = CliRunner().invoke(cli, ["query", "variants", "--from", str(ARCHIVE), "-o", str(tmp_path / "x.html")])
    assert done.exit_code == 0
    assert "Variants of workflows" in (tmp_path / "x.html").read_text()
