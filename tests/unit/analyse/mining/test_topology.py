"""The topology of many runs: each edge by kind and provenance, how often, after what, and what it led to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from otel_mas.analyse.mining.figures import Run
from otel_mas.analyse.mining.rare_paths import rare_paths
from otel_mas.analyse.mining.steps import Steps
from otel_mas.analyse.mining.topology import MinedEdge, TopologyMiner
from otel_mas.analyse.mining.variants import VariantMiner
from otel_mas.causal import CausalGraph
from otel_mas.semconv import attributes as names
from tests.unit.analyse.profile.conftest import Made

Miner = TopologyMiner | VariantMiner


def run(number: int, *, failed: bool = False, workflow: str = "team", cost: float | None = None) -> Run:
    return Run(number, f"t{number}", workflow, "apps", failed, 1000, 10, 1, cost)


def mined(miner: Miner, graphs: Sequence[CausalGraph], runs: Sequence[Run] = ()) -> None:
    for number, graph in enumerate(graphs):
        miner.add(runs[number] if runs else run(number), Steps(graph))


def edges(*graphs: CausalGraph) -> dict[tuple[str, str, str], MinedEdge]:
    miner = TopologyMiner()
    mined(miner, graphs)
    return {(one.cause, one.effect, one.kind): one for one in miner.topology().edges}


def team(made: Made, rounds: int = 1) -> CausalGraph:
    """A boss, a writer who sends as many sections as rounds, and an editor who waits for them."""
    sections = [
        made.task(f"section{i}", 210, 300 + 10 * i, "run", causes=[("send", "writer1")]) for i in range(1, rounds + 1)
    ]
    return made.graph(
        made.span("run", 0, 1000, record_kind="WORKFLOW"),
        made.task("boss1", 0, 90, "run"),
        made.agent("writer1", 100, 200, "run", causes=[("trigger", "boss1")]),
        made.call("chat1", 110, 150, "writer1", **{names.MAS_COST_USD: 0.5}),
        made.tool("look1", 150, 190, "writer1"),
        *sections,
        made.task("edit1", 420, 480, "run", causes=[("trigger", one.span_id) for one in sections], failed=True),
    )


def test_edges_are_what_caused_what_and_what_was_used(made: Made) -> None:
    assert set(edges(team(made))) == {
        ("START", "boss", "start"),
        ("boss", "writer", "trigger"),
        ("writer", "small", "use"),
        ("writer", "look", "use"),
        ("writer", "section", "send"),
        ("section", "edit", "trigger"),
    }


def test_a_join_takes_an_edge_several_times_to_one_execution(made: Made) -> None:
    found = edges(team(made, 3))["section", "edit", "trigger"]

    assert (found.count, found.executions, found.errors, found.error_rate) == (3, 1, 1, 1.0)
    assert (found.wait_p50_ns, found.wait_p95_ns) == (100, 109)
    assert found.duration_p50_ns == 60


def test_shares_are_of_runs_and_probabilities_of_the_executions_of_the_cause(made: Made) -> None:
    short = made.graph(made.task("boss1", 0, 90), made.task("boss2", 100, 190, causes=[("trigger", "boss1")]))
    found = edges(team(made), team(made), short, short)

    writer = found["boss", "writer", "trigger"]
    assert (writer.count, writer.runs, writer.share, writer.probability) == (2, 2, 0.5, pytest.approx(2 / 6))
    assert (found["START", "boss", "start"].share, found["START", "boss", "start"].probability) == (1.0, 1.0)
    assert writer.example_trace == "t0"


def test_cost_and_tokens_are_those_of_the_model_calls_inside(made: Made) -> None:
    miner = TopologyMiner()
    mined(miner, [team(made), team(made)])
    found = {one.name: one for one in miner.topology().nodes}

    assert (found["writer"].input_tokens, found["writer"].cost_usd, found["writer"].kind) == (20, 1.0, "agent")
    assert (found["boss"].cost_usd, found["look"].kind, found["small"].executions) == (None, "tool", 2)


def test_a_guess_is_never_counted_with_what_is_known(made: Made) -> None:
    known = made.graph(made.task("a1", 0, 10), made.task("b1", 20, 30, causes=[("trigger", "a1")]))
    guessed = made.graph(
        made.task("a1", 0, 10, task_outcome="ok"),
        made.task("b1", 20, 30, **{names.MAS_CAUSE_REFS: ("trigger?|task|a1",)}),
    )
    miner = TopologyMiner()
    mined(miner, [known, guessed])

    found = {one.provenance: one.count for one in miner.topology().edges if one.effect == "b" and one.cause == "a"}
    assert found == {"recorded": 1, "inferred": 1}


def test_a_message_leads_from_the_task_that_wrote_to_the_one_that_read(made: Made) -> None:
    found = edges(
        made.graph(
            made.task("a1", 0, 50),
            made.call("chat1", 10, 40, "a1"),
            made.task("b1", 60, 100, causes=[("trigger", "a1")]),
            made.call("chat2", 70, 90, "b1", causes=[("message", "chat1")]),
            made.call("chat3", 91, 95, "b1", causes=[("message", "chat1"), ("message", "chat2")]),
        )
    )

    assert (found["a", "b", "message"].count, found["a", "b", "message"].wait_p50_ns) == (1, 20)
    assert ("b", "b", "message") not in found


def test_a_cause_in_another_trace_is_an_earlier_one(made: Made) -> None:
    resumed = made.graph(made.task("b1", 60, 100, **{names.MAS_CAUSE_REFS: ("trigger|task|gone",)}))
    linked = made.graph(made.task("b1", 60, 100, causes=[("trigger", "elsewhere")]))

    assert set(edges(resumed)) == {("EARLIER", "b", "start")}
    assert edges(linked)["EARLIER", "b", "trigger"].probability is None


def test_a_task_and_the_agent_that_repeats_its_id_are_one_step(made: Made) -> None:
    found = edges(made.graph(made.task("a1", 0, 90), made.agent("x1", 1, 89, "a1", **{names.MAS_TASK_ID: "a1"})))

    assert {(one.effect, one.effect_kind) for one in found.values()} == {("a", "agent")}


def test_workflows_are_told_apart(made: Made) -> None:
    miner = TopologyMiner()
    mined(miner, [team(made), team(made)], [run(0), run(1, workflow="other")])

    assert {(one.workflow, one.share) for one in miner.topology().edges} == {("team", 1.0), ("other", 1.0)}


def test_rare_paths_are_told_with_their_runs_and_how_the_others_ended(made: Made) -> None:
    odd = made.graph(made.task("boss1", 0, 90), made.task("fix1", 100, 190, causes=[("error_handler", "boss1")]))
    graphs = [team(made)] * 9 + [odd]
    runs = [run(number, failed=number == 9, cost=0.25) for number in range(10)]
    topology, variants = TopologyMiner(), VariantMiner()
    mined(topology, graphs, runs)
    mined(variants, graphs, runs)

    handler, variant = rare_paths(topology, variants, 0.2)
    assert (handler.name, handler.traces, handler.share) == ("boss → fix (error_handler)", ("t9",), 0.1)
    assert (handler.error_rate, handler.other_error_rate, handler.cost_usd) == (1.0, 0.0, 0.25)
    assert (variant.of, variant.traces) == ("variant", ("t9",))
    assert "+ fix, + boss → fix (error_handler), - edit" in variant.name

    most_frequent = rare_paths(topology, variants, 1.0)[-1]
    assert (most_frequent.of, most_frequent.runs) == ("variant", 9)
    assert most_frequent.name == variants.variants()[0].id


def test_a_guess_tells_how_likely_it_is(made: Made) -> None:
    graph = made.graph(made.task("a1", 0, 10), made.task("b1", 20, 30, causes=[("trigger", "a1")]))
    graph._links.provenance[0], graph._links.probabilities[0] = "inferred", 0.25
    miner = TopologyMiner()
    mined(miner, [graph, graph])

    [guess] = [one for one in miner.topology().edges if one.cause == "a"]
    assert (guess.provenance, guess.count, guess.confidence) == ("inferred", 2, 0.25)


def test_values_that_mean_nothing_lose_no_other_step(made: Made) -> None:
    odd: dict[str, Any] = {
        names.MAS_RECORD_KIND: ["AGENT_TASK"],
        names.GEN_AI_OPERATION_NAME: {"x": 1},
        names.GEN_AI_AGENT_NAME: [],
        names.MAS_COST_USD: float("nan"),
        names.GEN_AI_USAGE_INPUT_TOKENS: -1,
    }
    found = edges(
        made.graph(made.task("a1", 0, 50), made.span("odd", 10, 20, "a1", **odd), made.tool("t1", 12, 15, "odd"))
    )

    assert set(found) == {("START", "a", "start"), ("a", "t", "use")}
