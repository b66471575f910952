"""What is mined in columns agrees with what the answers about single runs say, over recorded runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

import otel_mas
from otel_mas.analyse.execution_statistics import ended
from otel_mas.analyse.executions import Execution, ExecutionKind, executions
from otel_mas.analyse.mining.figures import Run
from otel_mas.analyse.mining.hot_spots import HotSpotMiner
from otel_mas.analyse.mining.steps import Steps
from otel_mas.analyse.profile import profile
from otel_mas.causal import CausalGraph, build
from otel_mas.model import SummaryBuilder, Trace

ARCHIVES = sorted((Path(__file__).parents[3] / "answers").glob("*.jsonl.gz"))


def graphs(archive: Path) -> Sequence[CausalGraph]:
    with otel_mas.open(archive) as source:
        return [build([trace]) for trace in (source._port.trace(one.trace_id) for one in source.traces(limit=1000))]


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name.partition(".")[0])
def test_steps_are_the_executions_with_the_same_figures(archive: Path) -> None:
    for graph in graphs(archive):
        steps = Steps(graph)
        mined = Counter(
            (node.kind, node.name, *steps.figures[step][:4], round(steps.figures[step][4] or 0, 12))
            for step, node in enumerate(steps.nodes)
        )

        assert mined == Counter(map(_figures, executions(graph)))


def _figures(one: Execution) -> tuple[object, ...]:
    works = one.kind in (ExecutionKind.AGENT, ExecutionKind.TASK)
    return (
        one.kind,
        (one.node if works else None) or one.name,
        one.status == "error",
        one.duration_ns if ended(one) else None,
        one.input_tokens,
        one.output_tokens,
        round(one.cost_usd or 0, 12),
    )


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name.partition(".")[0])
def test_hot_spots_are_those_of_a_profile_of_the_same_runs(archive: Path) -> None:
    miner, every = HotSpotMiner(), graphs(archive)
    for number, graph in enumerate(every):
        summary = SummaryBuilder.of(Trace(graph.table.trace_ids[0], graph.spans)).summary()
        steps = Steps(graph)
        miner.add(Run.of(number, summary, steps.call_costs()), steps)

    mined = {(one.kind, one.name): (one.spans, one.self_ns, one.on_path_ns) for one in miner.hot_spots()}
    profiled = {(one.kind, one.name): (one.spans, one.self_ns, one.on_path_ns) for one in profile(every).hot_spots}
    assert {name: times for name, times in mined.items() if times[1:] != (0, 0)} == profiled
