"""Variants: runs of one structure, whatever differs in time, model and what is said."""

from __future__ import annotations

import random

from otel_mas.analyse.mining.variants import Variant, VariantMiner
from otel_mas.causal import CausalGraph
from otel_mas.semconv import attributes as names
from tests.unit.analyse.mining.test_topology import mined, run, team
from tests.unit.analyse.profile.conftest import Made


def variants(*graphs: CausalGraph, loops: bool = False) -> tuple[Variant, ...]:
    miner = VariantMiner(loops=loops)
    mined(miner, graphs)
    return miner.variants()


def loop(made: Made, *names_of_tasks: str) -> CausalGraph:
    """Tasks one after the other, each caused by the one before."""
    spans, counted, before = [], dict[str, int](), None
    for at, name in enumerate(names_of_tasks):
        counted[name] = counted.get(name, 0) + 1
        span_id = f"{name}{counted[name]}"
        causes = [] if before is None else [("trigger", before)]
        spans.append(made.task(span_id, at * 10, at * 10 + 5, causes=causes))
        before = span_id
    return made.graph(*spans)


def test_loops_and_the_width_of_a_fan_out_count_only_where_asked_for(made: Made) -> None:
    graphs = team(made, 2), team(made, 3), team(made, 3)

    assert [one.runs for one in variants(*graphs)] == [3]
    assert [one.runs for one in variants(*graphs, loops=True)] == [2, 1]


def test_the_order_within_a_loop_tells_runs_apart_where_asked_for(made: Made) -> None:
    one, other = loop(made, "s", "a", "s", "b", "s"), loop(made, "s", "b", "s", "a", "s")

    assert len(variants(one, other)) == 1
    assert len(variants(one, other, loops=True)) == 2


def test_models_and_messages_are_no_part_of_the_structure(made: Made) -> None:
    other = made.graph(
        made.task("a1", 0, 50),
        made.call("chat1", 10, 40, "a1", **{names.GEN_AI_RESPONSE_MODEL: "large"}),
        made.task("b1", 60, 100, causes=[("trigger", "a1"), ("message", "a1")]),
    )

    assert len(variants(other, loop(made, "a", "b"))) == 1


def test_a_variant_says_what_is_other_than_in_the_most_frequent(made: Made) -> None:
    usual, other = variants(loop(made, "a", "b"), loop(made, "a", "b"), loop(made, "a", "c"))

    assert (usual.rank, usual.share, usual.added, usual.missing) == (1, 2 / 3, (), ())
    assert (other.rank, other.added, other.missing) == (2, ("c", "a → c"), ("b", "a → b"))
    assert (other.nodes, other.edges, other.traces) == (2, 2, ("t2",))


def test_a_calls_of_tools_are_counted_with_loops(made: Made) -> None:
    once = made.graph(made.task("a1", 0, 50), made.tool("look1", 10, 20, "a1"))
    twice = made.graph(made.task("a1", 0, 50), made.tool("look1", 10, 20, "a1"), made.tool("look2", 20, 30, "a1"))

    assert len(variants(once, twice)) == 1
    assert variants(twice, once, twice, loops=True)[1].missing == ("a#1 ⇒ look ×2",)


def test_the_id_does_not_depend_on_the_order_of_runs_or_spans(made: Made) -> None:
    graphs = [team(made, rounds) for rounds in (1, 2, 3)] + [loop(made, "a", "b", "a"), loop(made, "b", "a")]
    expected = {one.id: one.runs for one in variants(*graphs, loops=True)}
    random.Random(1).shuffle(graphs)

    assert {one.id: one.runs for one in variants(*graphs, loops=True)} == expected
    assert variants(loop(made, "a", "b"))[0].id == "641fdefe88f9"


def test_a_name_that_looks_like_an_edge_is_another_structure(made: Made) -> None:
    odd = made.graph(made.task("a1", 0, 9, task_name="a → b"), made.task("b1", 10, 20, task_name="b"))

    assert len(variants(odd, loop(made, "a", "b"))) == 2


def test_errors_durations_and_costs_are_those_of_the_runs(made: Made) -> None:
    miner = VariantMiner()
    mined(miner, [loop(made, "a")] * 4, [run(n, failed=n == 0, cost=0.1) for n in range(4)])

    [found] = miner.variants()
    assert (found.errors, found.error_rate, found.duration_p50_ns, found.input_tokens) == (1, 0.25, 1000, 40)
    assert found.cost_usd == 0.4
