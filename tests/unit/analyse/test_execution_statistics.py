"""Executions counted by agent, node, tool and model."""

from __future__ import annotations

import pytest

from otel_mas.analyse.execution_statistics import ExecutionStatistics, execution_statistics
from otel_mas.analyse.executions import executions
from otel_mas.semconv import attributes as names
from tests.unit.analyse.test_executions import made, team


def row(by: str, name: str) -> ExecutionStatistics:
    return next(one for one in execution_statistics(executions(team()), by) if one.name == name)


def test_an_agent_has_its_times_its_errors_and_its_models() -> None:
    researcher, writer = row("agent", "researcher"), row("agent", "writer")

    assert (researcher.executions, researcher.errors, researcher.success_rate) == (1, 0, 1.0)
    assert (researcher.durations.p50, researcher.total_ns, researcher.model_share) == (400, 400, 250 / 400)
    assert [(use.name, use.calls, use.errors, use.input_tokens) for use in researcher.models] == [("small", 2, 1, 20)]
    assert (writer.errors, writer.success_rate, writer.error_types) == (1, 0.0, (("ValueError", 1),))


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ("agent", ["researcher", "writer"]),
        ("node", ["researcher", "writer", "researcher/look", "plan"]),
        ("tool", ["search"]),
        ("model", ["small"]),
    ],
)
def test_there_is_a_row_for_each_the_one_with_the_most_time_first(by: str, found: list[str]) -> None:
    assert [one.name for one in execution_statistics(executions(team()), by)] == found


def test_paused_cancelled_and_unfinished_executions_neither_succeed_nor_fail() -> None:
    outcomes = ("ok", "handoff", "error", "error", "error", "interrupted", "cancelled")
    spans = [made.agent(f"a{n}", 0, 10 * (n + 1), **{names.MAS_TASK_OUTCOME: one}) for n, one in enumerate(outcomes)]
    spans.append(made.span("a9", 0, None, record_kind="AGENT_TASK", **{
        names.GEN_AI_OPERATION_NAME: "invoke_agent", names.GEN_AI_AGENT_NAME: "a",
    }))  # fmt: skip

    [found] = execution_statistics(executions(made.graph(*spans)))

    assert (found.executions, found.errors, found.success_rate) == (8, 3, 2 / 5)
    assert (found.durations.n, found.durations.longest) == (6, 70)
    assert found.error_types == (("", 3),)


def test_without_any_that_ended_there_is_no_rate() -> None:
    [found] = execution_statistics(
        executions(made.graph(made.agent("a", 0, 1, **{names.MAS_TASK_OUTCOME: "cancelled"})))
    )

    assert found.success_rate is None
