"""The critical path in lines."""

from __future__ import annotations

from types import ModuleType

from otel_mas.causal import CausalGraph, build
from otel_mas.report.path_rows import made_of, notable, path_rows
from otel_mas.report.task_labels import TaskLabels


def research(team: ModuleType) -> CausalGraph:
    return build(team.research_traces())


def test_the_steps_of_one_task_are_one_line_and_all_lines_sum_to_the_whole(team: ModuleType) -> None:
    causal = research(team)
    path = causal.critical_path()
    found = list(path_rows(path, TaskLabels(causal)))
    tasks = [one.task.task_name for one in found if one.task is not None]
    assert tasks.count("plan") == 1
    assert sum(one.took_ns for one in found) == path.total_ns
    assert len(list(path_rows(path, TaskLabels(causal), every=True))) == len(path)


def test_waits_are_kept_however_few_lines_are_wanted(team: ModuleType) -> None:
    causal = research(team)
    found = list(path_rows(causal.critical_path(), TaskLabels(causal)))
    active = sum(one.took_ns for one in found if not one.waits)
    kept = notable(found, active, most=3)
    assert len(kept) == 3
    assert any(one.waits for one in kept)
    assert kept == [one for one in found if one in kept]


def test_a_line_says_on_what_its_time_went(team: ModuleType) -> None:
    causal = research(team)
    labels = TaskLabels(causal)
    plan = next(one for one in path_rows(causal.critical_path(), labels) if one.task and one.task.task_name == "plan")
    assert plan.spent(labels) == [("chat gpt-4o-mini", 380 * team.MS)]


def test_work_and_waiting_are_told_apart(team: ModuleType) -> None:
    took, waiting = made_of(research(team).critical_path())
    assert waiting == 59_000 * team.MS
    assert took.total() == 7_500 * team.MS
    assert took["models"] > took["tools"] > 0
