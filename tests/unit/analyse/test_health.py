"""Health: healthy, degraded, unhealthy or unknown, with why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from otel_mas.analyse.health import (
    Health,
    HealthStatus,
    ResourceHealth,
    WorkflowRun,
    agent_health,
    agent_tasks,
    last_activities,
    resource_health,
    workflow_health,
)
from otel_mas.config.thresholds import Thresholds
from otel_mas.model import TraceSummary
from otel_mas.model.processes import ProcessFigures, RecordingProcess, StoreDisk
from tests.unit.analyse.profile.conftest import Made

S = 10**9
NOW = 10_000 * S
USUAL = Thresholds()


def agents(*spans: Any, asked: tuple[str, ...] = (), since: int = 0, **thresholds: float) -> dict[str, Any]:
    made = Made()
    tasks = list(agent_tasks(made.graph(*spans)))
    return {one.name: one for one in agent_health(tasks, asked, since, NOW, Thresholds.of(thresholds))}


def failing(number: int, of: int) -> list[Any]:
    made = Made()
    return [made.agent(f"write{n}", n * S, n * S + S, failed=n < number) for n in range(of)]


@pytest.mark.parametrize(
    ("number", "of", "status"),
    [(0, 20, "healthy"), (1, 20, "healthy"), (2, 20, "degraded"), (10, 20, "unhealthy"), (1, 1, "degraded")],
)
def test_an_agent_is_as_healthy_as_the_share_of_its_tasks_that_failed(number: int, of: int, status: str) -> None:
    found = agents(*failing(number, of))["write"]

    assert (found.status, found.done, found.errors, found.error_rate) == (status, of - number, number, number / of)
    assert bool(found.reasons) == (status != "healthy")


def test_an_agent_is_stuck_where_nothing_begins_or_ends_in_its_task() -> None:
    made = Made()
    quiet = made.agent("write1", 1 * S, None)
    busy = [made.agent("read1", 1 * S, None), made.call("chat", NOW - 5 * S, NOW - S, "read1")]
    found = agents(quiet, *busy)

    assert (found["write"].status, found["write"].stuck, found["write"].running) == ("unhealthy", 1, 1)
    assert (found["read"].status, found["read"].last_activity_ns) == ("healthy", NOW - S)
    assert agents(quiet, stalled_after_s=20_000)["write"].status == "healthy"


def test_an_agent_that_is_asked_for_and_did_nothing_is_unknown() -> None:
    assert agents(*failing(0, 3), asked=("plan",))["plan"].status == "unknown"
    assert list(agents(*failing(0, 3), asked=("plan",))) == ["plan"]
    assert agents(*failing(0, 3), since=NOW, asked=("write",))["write"].reasons == ("it did nothing in this time",)


def test_a_slow_agent_is_degraded_where_a_threshold_says_what_slow_is() -> None:
    assert agents(*failing(0, 3), health_p95_s=0.5)["write"].status == "degraded"


def test_nodes_count_where_an_app_has_no_agents_or_where_they_are_named() -> None:
    made = Made()
    node = made.task("load1", S, 2 * S)
    assert list(agents(node)) == ["load"]
    assert list(agents(node, made.agent("write1", S, 2 * S))) == ["write"]
    assert agents(node, made.agent("write1", S, 2 * S), asked=("load",))["load"].done == 1


def run(status: str, number: int = 1, last: int = NOW, *, overdue: bool = False) -> list[WorkflowRun]:
    summary = TraceSummary("t1", "team", "shop", 0, None if status == "running" else last, status, 3)
    return [WorkflowRun(summary, last, overdue)] * number


@pytest.mark.parametrize(
    ("runs", "status"),
    [
        (run("ok", 9), "healthy"),
        (run("ok", 8) + run("error"), "degraded"),
        (run("ok", 2) + run("stopped", 2), "unhealthy"),
        (run("running"), "healthy"),
        (run("running", last=0), "unhealthy"),
        (run("running", last=0) + run("running"), "degraded"),
        (run("interrupted"), "healthy"),
        (run("interrupted", overdue=True), "degraded"),
        (run("cancelled"), "unknown"),
    ],
)
def test_a_workflow_is_as_healthy_as_its_runs(runs: list[WorkflowRun], status: str) -> None:
    (found,) = workflow_health(runs, NOW, USUAL)

    assert (found.status, found.name, found.service, found.runs) == (status, "team", "shop", len(runs))
    assert bool(found.reasons) == (status != "healthy")


def process(**changes: Any) -> RecordingProcess:
    figures = ProcessFigures(rss_bytes=1, cpu=0.5, queue_spans=5, queue_limit=100, loop_lag_ns=0)
    whole = RecordingProcess(
        service="shop", run_id=None, started_ns=0, heartbeat_ns=NOW, alive=True, finished=False, open_spans=0,
        dropped=0, figures=figures,
    )  # fmt: skip
    return replace(whole, **changes)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "healthy"),
        ({"alive": False}, "unknown"),
        ({"alive": False, "open_spans": 2}, "unhealthy"),
        ({"dropped": 1}, "degraded"),
        ({"figures": ProcessFigures(queue_spans=80, queue_limit=100)}, "degraded"),
        ({"figures": ProcessFigures(loop_lag_ns=S)}, "degraded"),
        ({"figures": ProcessFigures()}, "healthy"),
    ],
)
def test_a_process_is_told_by_its_heartbeat(changes: dict[str, Any], status: str) -> None:
    (found,) = resource_health([process(**changes), process(finished=True)], None, NOW, USUAL)

    assert (found.status, found.kind, found.name) == (status, "process", "shop")
    assert bool(found.reasons) == (status != "healthy")


@pytest.mark.parametrize(("free", "status"), [(50, "healthy"), (4, "degraded"), (0, "unhealthy")])
def test_a_disk_is_told_by_what_is_free(free: int, status: str) -> None:
    (found,) = resource_health([], StoreDisk(store_bytes=1, cap_bytes=0, free_bytes=free, total_bytes=100), NOW, USUAL)
    assert found.status == status


def test_all_together_are_as_healthy_as_the_worst_and_unknown_where_nothing_is_known() -> None:
    disk = ResourceHealth("disk", "store", HealthStatus.HEALTHY, (), {})
    assert Health((), (), (disk,), 0, NOW).status == "healthy"
    assert Health((), (), (disk, replace(disk, status=HealthStatus.DEGRADED)), 0, NOW).status == "degraded"
    assert Health((), (), (disk, replace(disk, status=HealthStatus.UNKNOWN)), 0, NOW).status == "healthy"
    assert Health((), (), (), 0, NOW).status == "unknown"


def test_activity_is_that_of_everything_inside() -> None:
    made = Made()
    graph = made.graph(made.task("a1", 0, None), made.task("b1", 1, 5, "a1"), made.call("c", 2, 9, "b1"))
    assert last_activities(graph) == {"a1": 9, "b1": 9, "c": 9}
