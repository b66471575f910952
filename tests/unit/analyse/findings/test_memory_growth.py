"""Channels that grow with each write are told; large values written once, and channels that are cut, are not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from otel_mas.analyse.findings.memory_growth import memory_growth
from otel_mas.model import Finding
from tests.unit.analyse.findings.run import facts, made, workflow

BIG = "x" * 30_000


def findings(values: Sequence[Any], channel: str = "LastValue|||notes", **thresholds: float) -> list[Finding]:
    """Findings about a graph whose steps write these values to its channel `notes`."""
    tasks = [made.task(f"step{i}", 10 * i + 1, 10 * i + 5, "run", task_step=i) for i in range(len(values))]
    state = {task.span_id: {"notes": value} for task, value in zip(tasks, values, strict=True)}
    return list(memory_growth(facts(workflow(0, 1000, channels=[channel]), *tasks, state=state, **thresholds)))


def test_a_value_that_is_written_anew_grows() -> None:
    (found,) = findings([BIG * n for n in range(1, 7)])

    assert found.summary == "notes grew from 30,000 to 180,000 characters over 6 writes, by step"
    assert found.subject == "notes"
    assert found.spans[0] == "step1"


def test_what_is_added_grows() -> None:
    assert len(findings([[BIG]] * 6, "BinaryOperatorAggregate|add||notes")) == 1


def test_a_few_writes_and_small_values_are_no_growth() -> None:
    assert findings([BIG * n for n in range(1, 6)]) == []
    assert findings(["x" * n for n in range(1, 9)]) == []
    assert len(findings(["x" * n for n in range(1, 9)], memory_growth_size=8)) == 1


def test_a_large_value_that_is_written_once_is_no_growth() -> None:
    assert findings(["a", "ab", "abc", "abcd", "abcde", BIG * 9]) == []


def test_a_value_that_is_cut_in_between_is_no_growth() -> None:
    assert findings([BIG * n for n in (1, 3, 5, 1, 3, 5, 1, 3, 5)]) == []


def test_of_a_reducer_that_is_not_known_to_add_nothing_is_said() -> None:
    assert findings([[BIG]] * 6, "BinaryOperatorAggregate|keep_best||notes") == []
    assert findings([[BIG]] * 6, "BinaryOperatorAggregate|||notes") == []
