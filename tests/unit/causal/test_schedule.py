"""Runs as they would have been: each change on a run of a few spans, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from otel_mas.causal import CausalGraph, build
from otel_mas.causal.schedule import (
    Change,
    Faster,
    Instead,
    Lasting,
    Parallel,
    Without,
    WithoutBarriers,
    WithoutRetries,
    WithoutWaiting,
    ideal,
    reschedule,
    slack,
)
from otel_mas.errors import UnsupportedQuery
from otel_mas.model import Span, Trace

Make = Callable[..., Span]
Gather = Callable[..., list[Trace]]
GRAPH = ("a", "b", "c", "slow", "last")


def team(span: Make, edges: Sequence[str] = ("edge|a|b", "edge|b|c")) -> list[Span]:
    """`a`, `b` and `c` in a row, 10 ns apart; `slow` beside `b`, and longer."""
    step = {"task_namespace": ""}
    return [
        span("w", 0, 1000, name="invoke_workflow team", graph_nodes=list(GRAPH), graph_edges=list(edges)),
        span("a", 10, 110, "w", task="a", task_step=1, **step),
        span("model", 20, 100, "a", name="chat gpt-x", **{"task_cached": False}),
        span("b", 120, 220, "w", task="b", task_step=2, causes=[("trigger", "a")], **step),
        span("slow", 120, 420, "w", task="slow", task_step=2, causes=[("trigger", "a")], **step),
        span("c", 430, 930, "w", task="c", task_step=3, causes=[("trigger", "b")], **step),
    ]


@pytest.fixture
def graph(span: Make, traces: Gather) -> CausalGraph:
    return build(traces(*team(span)))


@pytest.mark.parametrize(
    ("changes", "total", "why"),
    [
        ([], 1000, "as recorded"),
        ([Faster("c", 2)], 750, "its 500 become 250"),
        ([Faster("a", 2)], 950, "with what is inside"),
        ([Faster("model", 2)], 960, "only what is inside"),
        ([Faster("b", 2)], 1000, "slow holds the step"),
        ([Faster("slow", 2)], 850, "the step ends with slow, at 270"),
        ([Faster("slow", 10)], 800, "then with b, at 220"),
        ([Faster("b", 0.25)], 1100, "b holds the step now"),
        ([Lasting("c", 100)], 600, "100 instead of 500"),
        ([Lasting("a", 50)], 950, "with what is inside"),
        ([Without("slow")], 800, "c follows b"),
        ([Without("c")], 490, "nor does its start take time"),
        ([Without("b"), Without("slow")], 690, "c follows what they followed"),
        ([WithoutBarriers()], 800, "c needs b alone"),
        ([Parallel(["b", "c"])], 700, "c starts 10 after b, and lasts longer than slow"),
        ([Parallel(["b", "slow"])], 1000, "they were already"),
        ([Faster("a", 2), Faster("c", 2)], 700, "both"),
        ([Faster("c", 2), Faster("task:c", 2)], 625, "factors multiply"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_end_moves_as_far_as_the_causes_let_it(
    graph: CausalGraph, changes: list[Change], total: int, why: str
) -> None:
    schedule = reschedule(graph, changes)
    assert schedule.total_ns == total, why
    assert schedule.saves_ns == 1000 - total
    assert schedule.critical_path().total_ns == total


def test_slack_is_how_much_longer_each_span_may_last(graph: CausalGraph) -> None:
    assert slack(graph) == {"w": 0, "a": 0, "model": 0, "b": 200, "slow": 0, "c": 0}
    assert ideal(graph).total_ns == 800


def test_an_edge_that_something_decides_is_held(span: Make, traces: Gather) -> None:
    """Nothing is known to depend on an edge that is declared to be always followed; on a conditional one it is."""
    for edges, held in (
        (["edge|b|c"], False),
        (["join|b|slow|c"], False),
        (["branch|b|c"], True),
        (["edge|b|c", "command|b|"], True),
        (["edge|a|b"], True),
    ):
        found = build(traces(*team(span, edges)))
        schedule = reschedule(found, [Parallel(["b", "c"])])
        first = schedule.assumptions[0]
        assert (first.cause.span_id, first.effect.span_id, first.kind, first.provenance) == (
            "b", "c", "trigger", "recorded",
        )  # fmt: skip
        assert first.held is held
        assert schedule.saves_ns == (0 if held else 300)


def test_what_was_read_is_held(span: Make, traces: Gather) -> None:
    """A message from inside the one to inside the other, whatever the graph declares."""
    made = [
        *team(span),
        span("writes", 130, 140, "b", name="chat gpt-x"),
        span("reads", 440, 450, "c", name="chat gpt-x", causes=[("message", "writes")]),
    ]
    schedule = reschedule(build(traces(*sorted(made, key=lambda one: one.start_ns))), [Parallel(["b", "c"])])
    assert schedule.saves_ns == 0
    assert [(one.kind, one.held) for one in schedule.assumptions[:2]] == [("trigger", True), ("message", True)]


def test_calls_in_a_row_are_held_by_order_alone(span: Make, traces: Gather) -> None:
    graph = build(
        traces(
            span("task", 0, 100, task="task"),
            span("one", 10, 40, "task", name="execute_tool one"),
            span("two", 45, 95, "task", name="execute_tool two"),
        )
    )
    recorded = reschedule(graph)
    assert [(one.cause.span_id, one.effect.span_id, one.kind, one.provenance) for one in recorded.assumptions] == [
        ("one", "two", "order", "order")
    ]
    assert reschedule(graph, [Faster("one", 3)]).saves_ns == 20
    apart = reschedule(graph, [Parallel(["one", "two"])])
    assert apart.saves_ns == 30
    assert [(one.kind, one.held) for one in apart.assumptions] == [("order", False)]
    assert ideal(graph).saves_ns == 0


def test_what_is_removed_is_gone_and_its_effects_have_its_causes(graph: CausalGraph) -> None:
    schedule = reschedule(graph, [Without("b")])
    assert schedule.removed == {"b"}
    assert [span.span_id for span in schedule.graph.spans] == ["w", "a", "model", "slow", "c"]
    assert [(edge.cause, edge.kind) for edge in schedule.graph.causes_of("c")] == [("w", "child"), ("a", "trigger")]


@pytest.fixture
def retried(span: Make, traces: Gather) -> CausalGraph:
    return build(
        traces(
            span("w", 0, 500, name="invoke_workflow team"),
            span("plan", 0, 100, "w", task="plan", task_step=1),
            span("first", 110, 160, "w", task="flaky", task_step=2, causes=[("trigger", "plan")], task_outcome="error"),
            span("again", 260, 490, "w", task="flaky", task_step=2, causes=[("trigger", "plan"), ("retry", "first")]),
        )
    )


def test_retries_and_waits_can_be_left_out(retried: CausalGraph) -> None:
    assert reschedule(retried, [WithoutWaiting()]).saves_ns == 100
    without = reschedule(retried, [WithoutRetries()])
    assert without.saves_ns == 150
    assert without.removed == {"first"}
    assert reschedule(retried, [WithoutRetries(), WithoutWaiting()]).saves_ns == 150


def test_a_person_s_time_to_answer_is_kept_until_it_is_left_out(span: Make, traces: Gather) -> None:
    graph = build(
        traces(
            span("w1", 0, 100, name="invoke_workflow team"),
            span("asks", 10, 90, "w1", task="asks", task_outcome="interrupted"),
            span("w2", 1100, 1200, trace="t2", name="invoke_workflow team"),
            span("goes on", 1110, 1190, "w2", trace="t2", task="asks", causes=[("resume", "t1-asks")]),
        )
    )
    assert reschedule(graph, [Faster("asks", 2)]).saves_ns == 40
    assert reschedule(graph, [WithoutWaiting()]).saves_ns == 1000 + 10


def sends(span: Make, *times: tuple[int, int]) -> list[Span]:
    """Tasks of one step under a limit, if they started late."""
    end = max(end for _, end in times) + 10
    return [
        span("w", 0, end, name="invoke_workflow team"),
        *(
            span(f"s{number}", start, finish, "w", task=f"s{number}", task_step=1, task_namespace="")
            for number, (start, finish) in enumerate(times)
        ),
    ]


def test_a_limit_on_how_many_run_at_once_is_kept(span: Make, traces: Gather) -> None:
    """Two at once: the third took the place of the first, and would take that of the second if that were quicker."""
    graph = build(traces(*sends(span, (0, 100), (0, 200), (101, 301))))
    assert reschedule(graph, [Faster("s0", 2)]).saves_ns == 50
    assert reschedule(graph, [Faster("s1", 4)]).saves_ns == 50
    assert reschedule(graph, [WithoutBarriers()]).saves_ns == 100
    assert slack(graph) == {"w": 0, "s0": 0, "s1": 101, "s2": 0}
    held = reschedule(graph).assumptions
    assert [(one.cause.span_id, one.effect.span_id, one.kind, one.provenance) for one in held] == [
        ("s0", "s2", "limit", "inferred")
    ]


def test_a_late_start_is_no_limit(span: Make, traces: Gather) -> None:
    """It started long after a place was free: something else made it wait."""
    graph = build(traces(*sends(span, (0, 100), (0, 200), (190, 390))))
    assert reschedule(graph, [Faster("s0", 2)]).saves_ns == 0


def test_a_called_task_blocks_its_caller(span: Make, traces: Gather) -> None:
    graph = build(
        traces(
            span("w", 0, 110, name="invoke_workflow flow"),
            span("flow", 0, 100, "w", task="flow", task_step=0),
            span("one", 10, 40, "w", task="one", task_step=0, causes=[("call", "flow")]),
            span("two", 50, 90, "w", task="two", task_step=0, causes=[("call", "flow")]),
        )
    )
    assert reschedule(graph, [Faster("one", 3)]).saves_ns == 20
    assert reschedule(graph, [Faster("flow", 2)]).total_ns == 60
    assert reschedule(graph, [Parallel(["one", "two"])]).saves_ns == 30


def test_calls_inside_their_caller_come_one_after_the_other(span: Make, traces: Gather) -> None:
    """As other instrumentation nests them: they share the number of the step, and are none of it."""
    graph = build(
        traces(
            span("w", 0, 100),
            span("flow", 0, 100, "w", task="flow", task_step=0),
            span("one", 10, 20, "flow", task="one", task_step=0, causes=[("call", "flow")]),
            span("two", 60, 90, "flow", task="two", task_step=0, causes=[("call", "flow")]),
        )
    )

    assert reschedule(graph, [Faster("one", 2)]).saves_ns == 5
    assert slack(graph) == {"w": 0, "flow": 0, "one": 0, "two": 0}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Faster("nobody", 2), "nothing in this run is called 'nobody'"),
        (lambda: Faster("sloe", 2), "did you mean slow"),
        (lambda: Faster("a", 0), "above 0"),
        (lambda: Faster("a", float("nan")), "above 0"),
        (lambda: Lasting("a", -1), "0 or more"),
        (lambda: Parallel("ab"), "a list of names"),
        (lambda: Parallel(["a", "model"]), "inside the same span"),
        (lambda: Instead("gpt-y", "gpt-z"), "no model 'gpt-y' was called"),
        (lambda: Without(""), "nothing in this run"),
    ],
)
def test_what_cannot_be_is_said(graph: CausalGraph, make: Callable[[], Change], words: str) -> None:
    with pytest.raises(UnsupportedQuery, match=words):
        reschedule(graph, [make()])


def test_a_name_means_the_task_before_the_workflow(span: Make, traces: Gather) -> None:
    names = {"gen_ai.agent.name": "team", "gen_ai.operation.name": "invoke_workflow"}
    root = span("w", 0, 100, name="invoke_workflow team")
    root.columns = names
    graph = build(traces(root, span("t", 10, 90, "w", task="team")))
    assert reschedule(graph, [Faster("team", 2)]).saves_ns == 40
    assert reschedule(graph, [Faster("workflow:team", 2)]).saves_ns == 50
    assert reschedule(graph, [Faster("span:invoke_workflow team", 2)]).saves_ns == 50


def test_nothing_is_left_of_a_run_without_itself(graph: CausalGraph) -> None:
    schedule = reschedule(graph, [Without("w")])
    assert schedule.total_ns == 0
    assert len(schedule.graph.spans) == 0
    assert reschedule(build([])).total_ns == 0


def test_what_others_in_between_caused_is_held(graph: CausalGraph) -> None:
    """`a` caused `b`, and that `c`: the two ends of a chain cannot run side by side without its middle."""
    schedule = reschedule(graph, [Parallel(["a", "c"])])
    first = schedule.assumptions[0]
    assert (first.cause.span_id, first.effect.span_id, first.held) == ("a", "c", True)
    assert schedule.saves_ns == 0
    assert reschedule(graph, [Parallel(["a", "b", "c"])]).saves_ns == 410


def test_a_run_waits_for_a_called_task_that_outlasts_its_caller(span: Make, traces: Gather) -> None:
    """As where the caller fails before it: a thread cannot be cancelled."""
    graph = build(
        traces(
            span("w", 0, 110, name="invoke_workflow flow", run_outcome="error"),
            span("flow", 0, 50, "w", task="flow", task_step=0, task_outcome="error"),
            span("slow", 10, 100, "w", task="slow", task_step=0, causes=[("call", "flow")]),
        )
    )
    assert slack(graph) == {"w": 0, "flow": 50, "slow": 0}
    assert reschedule(graph, [Faster("slow", 3)]).saves_ns == 50
    assert reschedule(graph, [Without("w")]).total_ns == 0
