"""The truth that recordings are compared with fits the graphs that the app compiles."""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from examples.research_team.models import Models
from examples.research_team.team import build_team
from tests.examples.truth import CONTROL_EDGES


def test_every_task_of_the_truth_is_a_node_of_the_app_and_every_node_has_a_task() -> None:
    team = build_team(Models("http://127.0.0.1:9/v1"), InMemorySaver())
    graphs: list[tuple[str, Any]] = [("", team), *((f"{name}/", graph) for name, graph in team.get_subgraphs())]
    nodes = {prefix + name for prefix, graph in graphs for name in graph.nodes if name != "__start__"}
    tasks = {label for _, cause, effect in CONTROL_EDGES for label in (cause, effect)}
    assert {"/".join(part.split("#")[0] for part in task.split("/")) for task in tasks} == nodes


def test_every_task_but_the_first_has_a_cause() -> None:
    tasks = {label for _, cause, effect in CONTROL_EDGES for label in (cause, effect)}
    assert tasks - {effect for kind, _, effect in CONTROL_EDGES if kind != "resume"} == {"supervisor#1"}
