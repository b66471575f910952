"""Where errors happened, and which tasks wait for a human."""

from __future__ import annotations

from types import ModuleType

from otel_mas.analyse.failures import ErrorOutcome, error_outcomes, failures, waiting
from otel_mas.model import Span, StatusCode
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


def _named(span: Span) -> str:
    return f"{span.trace_id}-{span.span_id}"


def test_what_became_of_an_error_is_told_the_one_that_ended_the_run_first(team: ModuleType) -> None:
    """The run names the error that ended it. One inside something that ended well was handled; one beside it is
    neither."""
    built = team.TraceBuilder("ee" * 16)
    run = built.workflow(0, 90, "error")
    caught = built.task("caught", 1, 8, run)
    inner = built.span("invoke_workflow inner", 2, 7, caught, attributes={names.MAS_RUN_OUTCOME: "error"})
    handled = built.task("bad", 3, 6, inner, outcome="error", status=StatusCode.ERROR)
    beside = built.task("beside", 10, 20, run, outcome="error", status=StatusCode.ERROR)
    fatal = built.task("bad", 10, 19, run, outcome="error", status=StatusCode.ERROR)
    run.attributes[names.MAS_ERROR_SPAN] = run.columns[names.MAS_ERROR_SPAN] = _named(fatal)
    inner.attributes[names.MAS_ERROR_SPAN] = inner.columns[names.MAS_ERROR_SPAN] = _named(handled)
    assert [(key[1], error_outcome) for key, error_outcome in error_outcomes(built.spans).items()] == [
        (fatal.span_id, ErrorOutcome.ENDED_THE_RUN),
        (beside.span_id, ErrorOutcome.UNKNOWN),
        (handled.span_id, ErrorOutcome.HANDLED),
    ]


def test_without_outcomes_an_error_in_every_span_around_ended_the_run(team: ModuleType) -> None:
    """As other instrumentors record it."""
    built = team.TraceBuilder("ee" * 16)
    run = built.span("run", 0, 9, status=StatusCode.ERROR)
    built.span("tool", 2, 7, run, status=StatusCode.ERROR)
    assert list(error_outcomes(built.spans).values()) == [ErrorOutcome.ENDED_THE_RUN]
    other = team.TraceBuilder("ef" * 16)
    fine = other.span("run", 0, 9)
    other.span("tool", 2, 7, fine, status=StatusCode.ERROR)
    assert list(error_outcomes(other.spans).values()) == [ErrorOutcome.HANDLED]
