"""Where a run or an update branched off, in words."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from otel_mas.causal import build
from otel_mas.model import Span
from otel_mas.report.forks import beginnings, forked
from otel_mas.semconv import attributes as names

CHECKPOINT = "1ef4f797-8335-6428-8001-8a1503f9b875"
ORIGIN = f"{'4b' * 16}-{'5c' * 8}"


def test_it_names_the_checkpoint_and_the_trace_that_had_made_it() -> None:
    assert (
        forked(run({names.MAS_FORK_SPAN: ORIGIN})) == f"forked from trace 4b4b4b4b4b4b4b4b at checkpoint {CHECKPOINT}"
    )


def test_where_nobody_knows_who_had_made_the_checkpoint_it_stands_alone() -> None:
    assert forked(run({})) == f"forked from checkpoint {CHECKPOINT}"


def test_a_run_that_went_on_from_the_newest_checkpoint_did_not_branch_off() -> None:
    going_on = Span("a" * 32, "b" * 16, None, "x", 0, 1, columns={names.MAS_CHECKPOINT_ID: CHECKPOINT})
    assert forked(going_on) is None


def test_a_fork_begins_at_the_first_task_of_its_run(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    root = built.span("invoke_workflow x", 0, 9, attributes=fork())
    built.span("route", 1, 2, root)
    first = built.task("write", 3, 4, root)
    built.task("publish", 5, 6, root, ("trigger", first))
    assert list(beginnings(build([built.trace()]))) == [first.span_id]


def test_an_update_that_branched_off_is_where_its_fork_begins(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    update = built.span("update_state plan", 0, 1, attributes={names.MAS_TASK_ID: "t", **fork()})
    assert list(beginnings(build([built.trace()]))) == [update.span_id]


def fork() -> dict[str, Any]:
    return {names.MAS_CHECKPOINT_ID: CHECKPOINT, names.MAS_FORK_CHECKPOINT_ID: CHECKPOINT}


def run(more: dict[str, Any]) -> Span:
    return Span("a" * 32, "b" * 16, None, "x", 0, 1, columns={**fork(), **more})
