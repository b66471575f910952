"""Causes that are worked out in what others recorded are those that we record of the same runs, as often as is said."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.accuracy.foreign_causes.edges import Edge
from tests.accuracy.foreign_causes.measure import CONTROL, MESSAGES, WITHOUT_TASKS, measure, precision, recorded_edges
from tests.accuracy.foreign_causes.same_tests import edges_of_tests
from tests.accuracy.foreign_causes.table import BEGIN, END, PAGE, block

REPOSITORY = Path(__file__).resolve().parents[3]
LANGGRAPH_DIALECTS = ("openinference", "openllmetry")


@pytest.mark.parametrize("dialect", LANGGRAPH_DIALECTS)
@pytest.mark.parametrize("part", [0, 1], ids=["apps", "random graphs"])
def test_what_is_said_to_be_certain_is_right_and_the_rest_as_often_as_it_says(dialect: str, part: int) -> None:
    found = measure(dialect, CONTROL)[part]
    said = sum(number for (probability, _), number in found.inferred.items() if probability >= 0.5)
    promised = sum(number * one for (one, _), number in found.inferred.items() if one >= 0.5) / said

    assert precision(found.certain) == 1
    assert precision(found.likely) >= promised
    assert found.recall >= ((0.97, 0.85), (0.97, 0.95))[dialect == "openllmetry"][part]


@pytest.mark.parametrize("dialect", LANGGRAPH_DIALECTS)
def test_what_is_less_likely_than_not_is_mostly_wrong(dialect: str) -> None:
    apps, graphs = measure(dialect, CONTROL)
    counted = [one for figures in (apps, graphs) for one in figures.inferred.items() if one[0][0] < 0.5]
    right = sum(number for (_, is_right), number in counted if is_right)

    assert 0 < right < 0.5 * sum(number for _, number in counted)


@pytest.mark.parametrize(
    ("dialect", "sort"), [*((one, MESSAGES) for one in LANGGRAPH_DIALECTS), ("otel-genai", WITHOUT_TASKS)]
)
def test_calls_read_what_we_saw_them_read(dialect: str, sort: str) -> None:
    found, _ = measure(dialect, sort)
    assert precision(found.certain) == precision(found.likely) == 1
    assert found.recall >= 0.95
    assert found.certain[True] >= 15


def test_a_dialect_without_tasks_has_no_edges_between_them() -> None:
    found, _ = measure("otel-genai", CONTROL)
    assert not found.certain
    assert not found.inferred


def test_the_page_has_these_figures() -> None:
    page = PAGE.read_text()
    assert page.split(BEGIN)[1].split(END)[0] == block()


def test_the_recorded_runs_are_those_of_all_apps() -> None:
    if f"langgraph=={version('langgraph')}\n" not in (REPOSITORY / "constraints.txt").read_text():
        pytest.skip("the runs were recorded with the LangGraph that is pinned")
    from tests.accuracy.foreign_causes.run import runs

    assert {name for name, _ in runs()} == recorded_edges().keys()


DIFFERENT = {
    "test_in_one_fan_out_state_graph_defer_node[memory-True]": (
        set(),
        {Edge(f"retriever_one@2.{number}", f"analyzer_one@3.{number}") for number in range(1, 6)},
    ),
    "test_command_goto_with_static_breakpoints[memory]": ({Edge("node2@1.1", "node2@2.1")}, set()),
}
"""By test the edges that only OpenInference gives, and only OpenLLMetry, which lists the edges of the graph."""


def test_the_same_tests_give_the_same_graph_in_both_dialects(shared_data: Callable[[str], Path]) -> None:
    found = edges_of_tests(*(shared_data(f"dialects/{one}.jsonl.gz") for one in LANGGRAPH_DIALECTS))
    different = {
        test.rpartition("::")[2]: (set(one.keys() - other.keys()), set(other.keys() - one.keys()))
        for test, (one, other) in found.items()
        if one.keys() != other.keys()
    }

    assert different == DIFFERENT
    assert len(found) == 60
    for one, other in found.values():
        certain = [{edge for edge, how in edges.items() if how.probability is None} for edges in (one, other)]
        assert certain[0] == certain[1]
        assert all(one[edge].kind == other[edge].kind for edge in one.keys() & other.keys())
