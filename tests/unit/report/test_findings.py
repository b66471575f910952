"""Where errors happened, and which tasks wait for a human."""

from __future__ import annotations

from types import ModuleType

from otel_mas.model import StatusCode
from otel_mas.report.findings import failures, waiting
from otel_mas.semconv import attributes as names


def test_an_error_is_told_where_it_happened_not_where_it_passed_through(team: ModuleType) -> None:
    built = team.TraceBuilder("ee" * 16)
    run = built.span("run", 0, 9, status=StatusCode.ERROR, attributes={names.MAS_ERROR_SPAN: "x-y"})
    task = built.span("task", 1, 8, run, status=StatusCode.ERROR)
    tool = built.span("tool", 2, 7, task, status=StatusCode.ERROR)
    other = built.span("other", 3, 7, run, status=StatusCode.ERROR)
    assert failures(built.spans) == [tool, other]


def test_a_paused_task_waits_until_a_later_span_of_it_has_ended_otherwise(team: ModuleType) -> None:
    first, second = team.research_traces()
    (paused,) = waiting(first.spans)
    assert paused.task_name == "approve"
    assert waiting((*first.spans, *second.spans)) == []


def test_tasks_that_paused_because_one_inside_them_did_are_not_told(team: ModuleType) -> None:
    built = team.TraceBuilder("ee" * 16)
    run = built.workflow(0, 9, "interrupted")
    outer = built.task("outer", 1, 8, run, outcome="interrupted")
    wrapper = built.span("call", 2, 7, outer)
    inner = built.task("inner", 3, 6, wrapper, outcome="interrupted")
    assert waiting(built.spans) == [inner]
