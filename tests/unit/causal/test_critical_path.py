"""The critical path with causes: whom an effect waited for, and what lies between."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otel_mas.causal import CriticalPath, build
from otel_mas.model import Span, SpanKind, Trace

Make = Callable[..., Span]
Gather = Callable[..., list[Trace]]
MS = 10**6


def shown(path: CriticalPath) -> list[tuple[str | None, int, int, str]]:
    return [(step.span and step.span.span_id, step.start_ns, step.end_ns, step.kind) for step in path]


def whys(path: CriticalPath) -> list[str]:
    return [step.why for step in path]


def test_an_effect_waits_for_the_cause_that_ended_last(span: Make, traces: Gather) -> None:
    """Not for a sibling that ended later and has nothing to do with it; the rest is the framework's."""
    path = build(
        traces(
            span("w", 0, 100, name="invoke_workflow team"),
            span("plan", 5, 20, "w", task="plan"),
            span("writer", 22, 40, "w", task="writer", causes=[("trigger", "plan")]),
            span("slow", 22, 68, "w", task="slow", causes=[("trigger", "plan")]),
            span("researcher", 22, 60, "w", task="researcher", causes=[("trigger", "plan")]),
            span("critic", 70, 90, "w", task="critic", causes=[("trigger", "writer"), ("trigger", "researcher")]),
        )
    ).critical_path()
    assert shown(path) == [
        ("w", 0, 5, "span"),
        ("plan", 5, 20, "span"),
        ("w", 20, 22, "framework"),
        ("researcher", 22, 60, "span"),
        ("w", 60, 70, "framework"),
        ("critic", 70, 90, "span"),
        ("w", 90, 100, "span"),
    ]
    assert whys(path) == [
        "team started plan",
        "researcher waited for plan",
        "team took 2 ns to start researcher",
        "critic waited for researcher (last of 2 branches, 20 ns after writer)",
        "team took 10 ns to start critic",
        "team waited for critic",
        "",
    ]
    assert path.total_ns == 100


def test_a_cause_that_ends_at_the_very_start_of_its_effect_counts(span: Make, traces: Gather) -> None:
    """Jaeger passes over a child that does; a cause is known."""
    root, first = span("w", 0, 30), span("a", 0, 10, "w", task="a")
    second = span("b", 10, 30, "w", task="b", causes=[("trigger", "a")])
    linked = build(traces(root, first, second)).critical_path()
    assert shown(linked) == [("a", 0, 10, "span"), ("b", 10, 30, "span")]
    unlinked = build(traces(root, first, span("b", 10, 30, "w", task="b"))).critical_path()
    assert shown(unlinked) == [("w", 0, 10, "span"), ("b", 10, 30, "span")]


def test_causes_that_end_together_count_the_first_in_start_order(span: Make, traces: Gather) -> None:
    path = build(
        traces(
            span("w", 0, 30),
            span("a", 1, 10, "w", task="a"),
            span("b", 2, 10, "w", task="b"),
            span("join", 12, 30, "w", task="join", causes=[("trigger", "b"), ("trigger", "a")]),
        )
    ).critical_path()
    assert shown(path)[1] == ("a", 1, 10, "span")
    assert path.sections[1].why == "join waited for a (last of 2 branches, together with b)"


def test_a_cause_that_still_ran_is_cut_at_the_start_of_its_effect(span: Make, traces: Gather) -> None:
    """With what is inside it."""
    path = build(
        traces(
            span("w", 0, 40),
            span("a", 0, 30, "w", task="a"),
            span("model", 4, 25, "a"),
            span("b", 20, 40, "w", task="b", causes=[("message", "a")]),
        )
    ).critical_path()
    assert shown(path) == [("a", 0, 4, "span"), ("model", 4, 20, "span"), ("b", 20, 40, "span")]


def test_instants_cause_each_other_at_one_moment_without_an_endless_walk(span: Make, traces: Gather) -> None:
    path = build(
        traces(
            span("w", 0, 30),
            span("a", 0, 10, "w", task="a"),
            span("b", 10, 10, "w", task="b", causes=[("trigger", "a"), ("trigger", "c")]),
            span("c", 10, 10, "w", task="c", causes=[("trigger", "b")]),
            span("d", 10, 30, "w", task="d", causes=[("trigger", "c")]),
        )
    ).critical_path()
    assert shown(path) == [("a", 0, 10, "span"), ("d", 10, 30, "span")]
    assert path.sections[0].why == "d waited for c"


def test_a_cycle_of_causes_follows_only_what_goes_back_in_time(span: Make, traces: Gather) -> None:
    path = build(
        traces(
            span("w", 0, 30),
            span("a", 0, 10, "w", task="a", causes=[("trigger", "b")]),
            span("b", 12, 30, "w", task="b", causes=[("trigger", "a")]),
        )
    ).critical_path()
    assert shown(path) == [("a", 0, 10, "span"), ("w", 10, 12, "framework"), ("b", 12, 30, "span")]


def test_a_called_task_blocks_its_caller(span: Make, traces: Gather) -> None:
    """In the functional API both are side by side, and the caller waits inside itself."""
    path = build(
        traces(
            span("w", 0, 100),
            span("main", 0, 100, "w", task="main"),
            span("fetch", 10, 40, "w", task="fetch", causes=[("call", "main")]),
            span("sum", 50, 90, "w", task="sum", causes=[("call", "main")]),
        )
    ).critical_path()
    assert shown(path) == [
        ("main", 0, 10, "span"),
        ("fetch", 10, 40, "span"),
        ("main", 40, 50, "span"),
        ("sum", 50, 90, "span"),
        ("main", 90, 100, "span"),
    ]
    assert path.sections[1].why == "main waited for fetch"


def test_the_words_follow_the_mechanism(span: Make, traces: Gather) -> None:
    def why(kind: str) -> str:
        cause = span("a", 0, 10, "w", task="flights")
        effect = span("b", 10, 30, "w", task="hotels", causes=[(kind, "a")])
        return build(traces(span("w", 0, 30), cause, effect)).critical_path().sections[0].why

    assert why("send") == "hotels waited for flights"
    assert why("handoff") == "hotels took over from flights"
    assert why("retry") == "hotels repeated the failed attempt of flights"
    assert why("error_handler") == "hotels handled the failure of flights"
    assert why("message") == "hotels read what was written by flights"
    assert why("of a later version") == "hotels waited for flights"


def test_tasks_of_one_name_are_numbered_in_the_words(span: Make, traces: Gather) -> None:
    path = build(
        traces(
            span("w", 0, 30),
            span("a", 0, 10, "w", task="worker"),
            span("b", 0, 12, "w", task="worker"),
            span("c", 12, 30, "w", task="reduce", causes=[("send", "a"), ("send", "b")]),
        )
    ).critical_path()
    assert path.sections[0].why == "reduce waited for worker#2 (last of 2 branches, 2 ns after worker#1)"


def test_parallel_children_say_who_ended_last(span: Make, traces: Gather) -> None:
    """One that ended before the last began was no rival of it."""
    path = build(
        traces(
            span("agent", 0, 5000 * MS, name="invoke_agent researcher"),
            span("m", 10 * MS, 100 * MS, "agent", name="chat gpt"),
            span("x", 200 * MS, 1400 * MS, "agent", name="execute_tool search"),
            span("y", 200 * MS, 2600 * MS, "agent", name="execute_tool crawl"),
        )
    ).critical_path()
    assert [step.why for step in path if step.span and step.span.span_id == "y"] == [
        "researcher waited for crawl (last of 2 branches, 1.2 s after search)"
    ]


def test_a_consumer_under_a_producer_is_no_cause_to_wait_for(span: Make, traces: Gather) -> None:
    path = build(
        traces(
            span("p", 0, 30, kind=SpanKind.PRODUCER),
            span("c", 5, 20, "p", kind=SpanKind.CONSUMER),
            span("d", 25, 30, "p", causes=[("message", "c")]),
        )
    ).critical_path()
    assert shown(path) == [("p", 0, 25, "span"), ("d", 25, 30, "span")]


def test_between_pause_and_resume_the_conversation_waits_for_input(span: Make, traces: Gather) -> None:
    """Joined by the task's id alone, as over two processes: from the paused run's end to the next one's start."""
    path = build(
        traces(
            span("w1", 0, 40, trace="t1", name="invoke_workflow team"),
            span("draft", 2, 20, "w1", trace="t1", task="draft"),
            span("ask1", 22, 38, "w1", trace="t1", task="ask", task_id="k", task_outcome="interrupted"),
            span("w2", 1000, 1050, trace="t2", name="invoke_workflow team"),
            span("ask2", 1005, 1030, "w2", trace="t2", task="ask", task_id="k", task_outcome="ok"),
        )
    ).critical_path()
    assert shown(path) == [
        ("w1", 0, 2, "span"),
        ("draft", 2, 20, "span"),
        ("w1", 20, 22, "span"),
        ("ask1", 22, 38, "span"),
        ("w1", 38, 40, "span"),
        ("ask1", 40, 1000, "waiting for input"),
        ("w2", 1000, 1005, "span"),
        ("ask2", 1005, 1030, "span"),
        ("w2", 1030, 1050, "span"),
    ]
    assert whys(path)[4:7] == [
        "ask paused to wait for input",
        "ask resumed after the human answered",
        "team started ask",
    ]
    assert path.total_ns == 1050 == sum(step.duration_ns for step in path)


def test_a_pause_inside_one_trace_waits_for_input_too(span: Make, traces: Gather) -> None:
    """An app that opens a span of its own around both invocations."""
    path = build(
        traces(
            span("app", 0, 200),
            span("w1", 1, 40, "app"),
            span("ask1", 5, 38, "w1", task="ask", task_id="k", task_outcome="interrupted"),
            span("w2", 100, 190, "app"),
            span("ask2", 105, 180, "w2", task="ask", task_id="k"),
        )
    ).critical_path()
    assert ("ask1", 40, 100, "waiting for input") in shown(path)


def test_a_conversation_without_a_pause_waits_for_its_next_input(span: Make, traces: Gather) -> None:
    path = build(traces(span("one", 0, 10, trace="t1"), span("two", 50, 60, trace="t2"))).critical_path()
    assert shown(path) == [("one", 0, 10, "span"), (None, 10, 50, "waiting for input"), ("two", 50, 60, "span")]
    assert whys(path) == ["two started after the end of one", "two started when the app was invoked again", ""]


def test_a_resume_is_not_misled_by_a_concurrent_trace(span: Make, traces: Gather) -> None:
    """The concurrent one ran beside the path, and is not on it."""
    path = build(
        traces(
            span("w1", 0, 40, trace="t1"),
            span("ask1", 0, 40, "w1", trace="t1", task="ask", task_id="k", task_outcome="interrupted"),
            span("other", 30, 150, trace="t3"),
            span("w2", 100, 200, trace="t2"),
            span("ask2", 100, 190, "w2", trace="t2", task="ask", task_id="k"),
        )
    ).critical_path()
    assert ("ask1", 40, 100, "waiting for input") in shown(path)
    assert "other" not in {span.span_id for span in path.spans}


def test_concurrent_roots_without_causes_are_cut_where_the_next_began(span: Make, traces: Gather) -> None:
    path = build(traces(span("one", 0, 60, trace="t1"), span("two", 40, 90, trace="t2"))).critical_path()
    assert shown(path) == [("one", 0, 40, "span"), ("two", 40, 90, "span")]
    assert whys(path)[0] == "two started during one"


def test_several_roots_of_one_trace_leave_what_lies_between_to_nobody(span: Make, traces: Gather) -> None:
    path = build(traces(span("one", 0, 10), span("two", 50, 60, "gone"))).critical_path()
    assert shown(path) == [("one", 0, 10, "span"), (None, 10, 50, "framework"), ("two", 50, 60, "span")]


def test_an_open_span_lasts_until_the_last_instant_seen(span: Make, traces: Gather) -> None:
    path = build(traces(span("w", 0, None), span("hangs", 5, None, "w"), span("ok", 6, 30, "w"))).critical_path()
    assert shown(path) == [("w", 0, 5, "span"), ("hangs", 5, 30, "span")]


def test_a_cause_in_another_branch_does_not_count_while_the_effects_branch_ran(span: Make, traces: Gather) -> None:
    """A declared limit: what an agent waited for in the middle of its work does not move the path to another branch."""
    path = build(
        traces(
            span("w", 0, 100),
            span("a", 0, 50, "w"),
            span("a1", 0, 45, "a"),
            span("b", 5, 100, "w"),
            span("b1", 60, 90, "b", causes=[("message", "a1")]),
        )
    ).critical_path()
    assert [row[0] for row in shown(path)] == ["w", "b", "b1", "b"]


def test_no_spans_make_an_empty_path() -> None:
    path = build([]).critical_path()
    assert (path.sections, path.total_ns) == ((), 0)


@pytest.mark.slow
def test_depth_is_no_limit(span: Make) -> None:
    """100,000 spans inside each other, and 100,000 that caused each other."""
    number = 100_000
    nested = [span("0", 0, 4 * number)]
    nested += [span(str(i), i, 4 * number - i, str(i - 1)) for i in range(1, number)]
    assert len(build([Trace("t1", tuple(nested))]).critical_path()) == 2 * number - 1
    chain = [span("w", 0, 2 * number), span("0", 0, 1, "w", task="n")]
    chain += [span(str(i), 2 * i, 2 * i + 1, "w", task="n", causes=[("trigger", str(i - 1))]) for i in range(1, number)]
    graph = build([Trace("t1", tuple(chain))])
    assert len(graph.critical_path()) == 2 * number
    assert len(graph.labels()) == number
