"""Labels of tasks: the same for every run of the same app."""

from __future__ import annotations

from collections.abc import Callable

from otel_mas.causal import build
from otel_mas.model import Span, Trace

Make = Callable[..., Span]
Gather = Callable[..., list[Trace]]


def test_tasks_of_a_name_are_counted_in_order_of_step_then_start(span: Make, traces: Gather) -> None:
    graph = build(
        traces(
            span("w", 0, 99),
            span("x", 9, 10, "w", task="worker", task_step=1),
            span("y", 1, 2, "w", task="worker", task_step=2),
            span("z", 10, 11, "w", task="worker", task_step=1),
            span("p", 0, 1, "w", task="plan", task_step=0),
        )
    )
    assert graph.labels() == {"p": "plan#1", "x": "worker#1", "z": "worker#2", "y": "worker#3"}


def test_tasks_of_one_step_are_counted_as_they_were_scheduled_not_as_their_threads_came_to_start(
    span: Make, traces: Gather
) -> None:
    graph = build(
        traces(
            span("w", 0, 99),
            span("late", 12, 20, "w", task="worker", task_step=1, task_index=1),
            span("early", 10, 20, "w", task="worker", task_step=1, task_index=2),
            span("next", 30, 40, "w", task="worker", task_step=2, task_index=3),
        )
    )
    assert graph.labels() == {"late": "worker#1", "early": "worker#2", "next": "worker#3"}


def test_inner_tasks_are_counted_within_the_task_that_encloses_them(span: Make, traces: Gather) -> None:
    """Through whatever spans lie between, and with a span that repeats its task's id."""
    graph = build(
        traces(
            span("w", 0, 99),
            span("o1", 1, 20, "w", task="outer"),
            span("agent", 1, 20, "o1", task="outer", task_id="id of o1"),
            span("i1", 2, 3, "agent", task="inner"),
            span("i2", 4, 5, "agent", task="inner"),
            span("o2", 30, 40, "w", task="outer"),
            span("i3", 31, 32, "o2", task="inner"),
        )
    )
    assert graph.labels() == {
        "o1": "outer#1",
        "agent": "outer#1",
        "i1": "outer#1/inner#1",
        "i2": "outer#1/inner#2",
        "o2": "outer#2",
        "i3": "outer#2/inner#1",
    }


def test_a_paused_and_a_resumed_span_share_a_label_and_the_next_turn_counts_on(span: Make, traces: Gather) -> None:
    graph = build(
        traces(
            span("w1", 0, 9, trace="t1"),
            span("team1", 1, 5, "w1", trace="t1", task="team", task_id="team"),
            span("ask1", 2, 4, "team1", trace="t1", task="ask", task_id="ask", task_outcome="interrupted"),
            span("w2", 20, 29, trace="t2"),
            span("team2", 21, 25, "w2", trace="t2", task="team", task_id="team"),
            span("ask2", 22, 24, "team2", trace="t2", task="ask", task_id="ask"),
            span("again", 26, 27, "team2", trace="t2", task="ask", task_id="another"),
            span("w3", 40, 49, trace="t3"),
            span("team3", 41, 45, "w3", trace="t3", task="team", task_id="third", task_step=0),
        )
    )
    assert graph.labels() == {
        "team1": "team#1",
        "ask1": "team#1/ask#1",
        "team2": "team#1",
        "ask2": "team#1/ask#1",
        "again": "team#1/ask#2",
        "team3": "team#2",
    }


def test_a_task_without_a_name_takes_its_spans(span: Make, traces: Gather) -> None:
    assert build(traces(span("a", 0, 1, name="task x", task_id="k"))).labels() == {"a": "task x#1"}


def test_hostile_nesting_is_shortened(span: Make) -> None:
    """Whole paths of 5,000 levels would take 5,000² names."""
    deep = tuple(span(str(i), i, 20_000 - i, str(i - 1) if i else None, task="n") for i in range(5_000))
    label = build([Trace("t1", deep)]).labels()["4999"]
    assert label.startswith("…/n#1/")
    assert len(label) < 1_000


def test_what_was_written_into_a_subgraphs_state_is_named_in_it(span: Make, traces: Gather) -> None:
    """Its span lies in no task; only a task that is there and came before it can be what it belongs to."""
    graph = build(
        traces(
            span("w", 0, 9, name="invoke_workflow team"),
            span("outer", 1, 8, "w", task="outer", task_id="o1"),
            span("draft", 2, 3, "outer", task="draft", task_id="d1", task_namespace="outer:o1"),
        )
        + traces(
            span("update", 20, 21, task="draft", task_id="d2", task_namespace="outer:o1", trace="t2"),
            span("lost", 22, 23, task="draft", task_id="d3", task_namespace="outer:gone", trace="t2"),
        )
    )
    assert graph.labels()["update"] == "outer#1/draft#2"
    assert graph.labels()["lost"] == "draft#1"
