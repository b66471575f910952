"""Which task a span belongs to, and short names."""

from __future__ import annotations

from types import ModuleType

from otel_mas.causal import build
from otel_mas.report.task_labels import TaskLabels


def test_tasks_that_share_a_name_are_numbered_and_others_are_not(team: ModuleType) -> None:
    labels = TaskLabels(build(team.research_traces()))
    assert [labels.label(task) for task in labels.tasks] == [
        "supervisor",
        "researcher",
        "model#1",
        "tools#1",
        "tools#2",
        "model#2",
        "plan",
        "summarise#1",
        "summarise#2",
        "summarise#3",
        "collect",
        "approve",
        "approve",
        "publish",
    ]


def test_the_names_are_those_that_the_critical_path_uses(team: ModuleType) -> None:
    graph = build(team.research_traces())
    text = " ".join(step.why for step in graph.critical_path())
    assert "collect waited for summarise#3" in text
    assert "summarise#3" in {TaskLabels(graph).label(span) for span in graph.spans}


def test_a_span_belongs_to_the_nearest_task_around_it(team: ModuleType) -> None:
    graph = build(team.research_traces())
    labels = TaskLabels(graph)
    tool = next(span for span in graph.spans if span.name == "execute_tool read_notes")
    task = labels.task(tool)
    assert task is not None
    assert labels.label(task) == "tools#2"
    assert labels.path_label(tool) == "tools#2 › execute_tool read_notes"
    around = labels.enclosing(task)
    assert around is not None
    assert (labels.label(around), labels.nesting(task)) == ("researcher", 1)


def test_a_deep_tree_is_walked_without_recursion(team: ModuleType) -> None:
    built = team.TraceBuilder("dd" * 16)
    above = built.workflow(0, 9000, "ok")
    for depth in range(3000):
        above = built.span(f"s{depth}", depth, 9000, above)
    graph = build([built.trace()])
    labels = TaskLabels(graph)
    assert sum(1 for _ in labels.walk(graph.roots[0])) == 3001
