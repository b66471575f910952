"""What waits for a step of LangGraph to end, and what ended with a failure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otel_mas.causal import CriticalPath, build
from otel_mas.model import Span, Trace
from otel_mas.semconv import attributes as names

Make = Callable[..., Span]
Gather = Callable[..., list[Trace]]


def shown(path: CriticalPath) -> list[tuple[str | None, int, int, str]]:
    return [(step.span and step.span.span_id, step.start_ns, step.end_ns, step.kind) for step in path]


def stepped(span: Make, slow_ends: int, slow_step: int = 1, namespace: str = "") -> list[Span]:
    return [
        span("w", 0, 2100, name="invoke_workflow team", run_outcome="ok"),
        span("quick", 10, 60, "w", task="quick", task_step=1, task_namespace=""),
        span("slow", 10, slow_ends, "w", task="slow_side_branch", task_step=slow_step, task_namespace=namespace),
        span("after", 2010, 2050, "w", task="after_quick", task_step=2, causes=[("trigger", "quick")]),
        span("join", 2060, 2090, "w", task="join", task_step=3, causes=[("trigger", "after")]),
    ]


def test_the_words_name_the_task_that_kept_the_step_from_ending(span: Make, traces: Gather) -> None:
    """The sections stay what they are without it."""
    path = build(traces(*stepped(span, 2000))).critical_path()
    assert shown(path) == [
        ("w", 0, 10, "span"),
        ("quick", 10, 60, "span"),
        ("w", 60, 2010, "framework"),
        ("after", 2010, 2050, "span"),
        ("w", 2050, 2060, "framework"),
        ("join", 2060, 2090, "span"),
        ("w", 2090, 2100, "span"),
    ]
    held = path.sections[2]
    assert held.why == (
        "after_quick waited for slow_side_branch: a step ends when all its tasks have (1.9 µs after quick)"
    )
    assert held.held_by is not None
    assert held.held_by.span_id == "slow"
    assert [step.held_by for step in path.sections if step is not held] == [None] * 6
    assert path.sections[4].why == "team took 10 ns to start join"


@pytest.mark.parametrize(
    ("ends", "step", "namespace"),
    [(900, 1, ""), (2040, 1, ""), (2000, 2, ""), (2000, 1, "another|graph")],
    ids=["explains less than half", "still ran", "same step", "another graph"],
)
def test_a_task_that_did_not_hold_the_step_is_not_named(
    span: Make, traces: Gather, ends: int, step: int, namespace: str
) -> None:
    path = build(traces(*stepped(span, ends, step, namespace))).critical_path()
    assert path.sections[2].why == "team took 1.9 µs to start after_quick"
    assert path.sections[2].held_by is None


def test_what_ran_in_an_earlier_step_again_later_is_looked_past(span: Make, traces: Gather) -> None:
    spans = [*stepped(span, 2000), span("again", 2055, 2058, "w", task="quick", task_step=1)]
    held = build(traces(*sorted(spans, key=lambda one: one.start_ns))).critical_path().sections[2].held_by
    assert held is not None
    assert held.span_id == "slow"


def failing(span: Make, outcome: str) -> list[Span]:
    return [
        span("w", 0, 100, name="invoke_workflow team", run_outcome="error", error_span="t1-bad"),
        span("slow", 5, 95, "w", task="slow", task_outcome=outcome),
        span("bad", 5, 90, "w", task="bad", task_outcome="error"),
    ]


def test_a_failed_run_did_not_wait_for_what_it_cancelled(span: Make, traces: Gather) -> None:
    path = build(traces(*failing(span, "cancelled"))).critical_path()
    assert shown(path) == [("w", 0, 5, "span"), ("bad", 5, 90, "span"), ("w", 90, 100, "span")]
    assert path.sections[1].why == "team waited for bad"


def test_a_failed_run_waited_for_what_could_not_be_cancelled(span: Make, traces: Gather) -> None:
    path = build(traces(*failing(span, "ok"))).critical_path()
    assert shown(path)[1] == ("slow", 5, 95, "span")


def test_a_single_trace_of_a_conversation_says_where_its_causes_are(span: Make, traces: Gather) -> None:
    """In words that a person can follow; once all was looked at, with the key."""
    alone = span("x", 0, 1, cause_refs=["trigger|c9|branch:to:x"])
    alone.columns[names.GEN_AI_CONVERSATION_ID] = "my thread"  # type: ignore[index]
    assert build(traces(alone)).problems == (
        "1 cause lies in an earlier trace of this conversation: add --conversation 'my thread'",
    )
    (problem,) = build(traces(alone), whole=True).problems
    assert problem.endswith("(trigger|c9|branch:to:x of x x): it is in none of these traces.")


def test_the_graph_names_who_held_each_task(span: Make, traces: Gather) -> None:
    graph = build(traces(*stepped(span, 2000)))
    held = {one.span_id: graph.held_by(one.span_id) for one in graph.spans}
    assert {effect: holder.span_id for effect, holder in held.items() if holder is not None} == {"after": "slow"}


def test_whom_a_task_waits_for_by_an_edge_does_not_hold_it(span: Make, traces: Gather) -> None:
    late = span("after", 2010, 2050, "w", task="a", task_step=2, causes=[("trigger", "quick"), ("trigger", "slow")])
    graph = build(traces(*[late if one.span_id == "after" else one for one in stepped(span, 2000)]))
    assert graph.held_by("after") is None
