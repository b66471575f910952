"""From traces to edges: what was recorded, what stable keys join, and what is wrong with the traces."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from otel_mas.causal import CausalGraph, Edge, build
from otel_mas.model import Span, SpanBody, Trace

Make = Callable[..., Span]
Gather = Callable[..., list[Trace]]


def linked(graph: CausalGraph) -> list[tuple[str, str, str, str]]:
    return [(e.cause, e.effect, e.kind, e.provenance) for e in graph.edges if e.kind != "child"]


def test_parents_and_links_are_edges_from_cause_to_effect(span: Make, traces: Gather) -> None:
    graph = build(
        traces(span("w", 0, 9), span("a", 1, 2, "w"), span("b", 3, 4, "w", causes=[("trigger", "a"), ("send", "a")]))
    )
    assert graph.edges == (
        Edge("w", "a", "child", "recorded"),
        Edge("w", "b", "child", "recorded"),
        Edge("a", "b", "trigger", "recorded"),
        Edge("a", "b", "send", "recorded"),
    )
    assert graph.problems == ()


def test_spans_come_in_start_order_whatever_the_order_they_were_given_in(span: Make, traces: Gather) -> None:
    graph = build(traces(span("b", 3, 4, "w"), span("w", 0, 9), span("a", 1, 2, "w")))
    assert [s.span_id for s in graph.spans] == ["w", "a", "b"]


def test_causes_repeated_as_attributes_count_once_and_fill_in_for_lost_kinds(span: Make, traces: Gather) -> None:
    """Some stores drop the attributes of links; some drop links past a limit."""
    graph = build(
        traces(
            span("a", 0, 1),
            span("b", 0, 1, "a"),
            span("c", 2, 3, "a", causes=[("send", "a")], cause_spans=["t1-a", "t1-b"], cause_kinds=["send", "call"]),
            span("d", 2, 3, "a", causes=[(None, "b")], cause_spans=["t1-b"], cause_kinds=["trigger"]),
        )
    )
    assert linked(graph) == [
        ("a", "c", "send", "recorded"),
        ("b", "c", "call", "recorded"),
        ("b", "d", "trigger", "recorded"),
    ]


def test_a_link_without_a_kind_is_no_cause(span: Make, traces: Gather) -> None:
    """Links of other code mean anything."""
    assert linked(build(traces(span("a", 0, 1), span("b", 2, 3, "a", causes=[(None, "a")])))) == []


def test_a_cause_in_a_trace_that_was_not_given_is_external(span: Make, traces: Gather) -> None:
    graph = build(traces(span("b", 2, 3, causes=[("resume", "t0-a")])))
    assert graph.externals == ("a",)
    assert linked(graph) == [("a", "b", "resume", "recorded")]
    assert graph.to_networkx().nodes["a"]["span"] is None
    assert graph.effects_of("a") == (Edge("a", "b", "resume", "recorded"),)
    assert graph.causes_of("a") == ()
    assert graph.problems == ()


def test_a_cause_that_its_trace_lacks_is_external_and_reported(span: Make, traces: Gather) -> None:
    graph = build(traces(span("b", 2, 3, causes=[("trigger", "a")])))
    assert graph.externals == ("a",)
    assert graph.problems == ("1 span names a cause that its trace lacks (b b): shown by its id alone.",)


def test_pending_causes_of_a_checkpoint_are_joined_by_reference(span: Make, traces: Gather) -> None:
    """Also as JSON text, as a store may deliver arrays, and with a channel that holds the separators."""
    one, two, a, b = "1" * 32, "2" * 32, "a" * 16, "b" * 16
    pending = [f"branch:to:x=trigger={one}-{a}", f"a|b=c=send={one}-{b}"]
    first = [
        span("w1", 0, 9, trace=one, checkpoint_last_id="c9", checkpoint_pending=pending),
        span(a, 1, 2, "w1", trace=one),
        span(b, 1, 2, "w1", trace=one),
    ]
    second = [
        span("x", 20, 21, trace=two, cause_refs=["trigger|c9|branch:to:x"]),
        span("y", 20, 21, trace=two, cause_refs=json.dumps(["send|c9|a|b=c"])),
    ]
    graph = build(traces(*first, *second))
    assert linked(graph) == [(a, "x", "trigger", "metadata"), (b, "y", "send", "metadata")]
    alone = build(traces(*second))
    assert linked(alone) == []
    assert "2 causes are known only by a key that leads to no span here" in alone.problems[-1]
    assert "trigger|c9|branch:to:x of x x" in alone.problems[-1]


def test_a_task_whose_writes_were_restored_is_found_by_its_id(span: Make, traces: Gather) -> None:
    """The last span in which it finished; one that paused or failed wrote nothing."""
    graph = build(
        traces(
            span("a", 0, 1, trace="t1", task="a", task_id="k", task_outcome="ok"),
            span("b", 2, 3, trace="t2", task="a", task_id="k", task_outcome="error"),
            span("x", 4, 5, trace="t3", cause_refs=["trigger|task|k"]),
        )
    )
    assert linked(graph) == [("a", "x", "trigger", "metadata")]


def test_references_that_lead_in_a_circle_lead_nowhere(span: Make, traces: Gather) -> None:
    graph = build(
        traces(
            span("w", 0, 1, trace="t1", checkpoint_last_id="c1", checkpoint_pending=["x=trigger=c1|x"]),
            span("x", 4, 5, trace="t2", cause_refs=["trigger|c1|x"]),
        )
    )
    assert linked(graph) == []
    assert len(graph.problems) == 1


def test_a_resumed_task_is_joined_to_its_latest_pause_by_its_id(span: Make, traces: Gather) -> None:
    def attempt(span_id: str, start: int, outcome: str, **more: object) -> Span:
        return span(
            span_id, start, start + 1, trace=f"t{span_id}", task="ask", task_id="k", task_outcome=outcome, **more
        )

    graph = build(traces(attempt("1", 0, "interrupted"), attempt("2", 10, "interrupted"), attempt("3", 20, "ok")))
    assert linked(graph) == [("1", "2", "resume", "metadata"), ("2", "3", "resume", "metadata")]
    known = build(traces(attempt("1", 0, "interrupted"), attempt("2", 10, "ok", causes=[("resume", "t1-1")])))
    assert linked(known) == [("1", "2", "resume", "recorded")]


def test_a_task_that_failed_in_an_earlier_run_is_joined_to_its_next_try_by_its_id(span: Make, traces: Gather) -> None:
    def attempt(span_id: str, start: int, outcome: str, trace: str, **more: object) -> Span:
        return span(span_id, start, start + 1, trace=trace, task="ask", task_id="k", task_outcome=outcome, **more)

    apart = build(traces(attempt("1", 0, "error", "t1"), attempt("2", 10, "ok", "t2")))
    assert linked(apart) == [("1", "2", "retry", "metadata")]
    known = build(traces(attempt("1", 0, "error", "t1"), attempt("2", 10, "ok", "t2", causes=[("retry", "t1-1")])))
    assert linked(known) == [("1", "2", "retry", "recorded")]
    within = build(traces(attempt("1", 0, "error", "t1"), attempt("2", 10, "ok", "t1")))
    assert linked(within) == []


def test_a_task_that_was_settled_is_not_joined_to_its_pause_again_unless_it_is_answered_again(
    span: Make, traces: Gather
) -> None:
    def attempt(span_id: str, start: int, outcome: str) -> Span:
        return span(span_id, start, start + 2, trace=f"t{span_id}", task="ask", task_id="k", task_outcome=outcome)

    runs = [attempt("1", 0, "interrupted"), attempt("2", 10, "ok"), attempt("3", 20, "ok")]
    assert linked(build(traces(*runs))) == [("1", "2", "resume", "metadata")]
    answer = span("4", 21, 21, "3", trace="t3", record_kind="HUMAN_INPUT")
    again = linked(build(traces(*runs, answer)))
    assert again == [("1", "2", "resume", "metadata"), ("1", "3", "resume", "metadata")]


@pytest.mark.parametrize(
    ("reference", "kind"),
    [("trigger|c1|branch:to:x", "trigger"), ("send|c1|__pregel_tasks[1]", "send")],
)
def test_what_waited_where_no_run_ended_is_told_by_the_tasks_that_started_there(
    reference: str, kind: str, span: Make, traces: Gather
) -> None:
    first, second = f"{1:032x}", f"{2:032x}"
    a, b, w0, w1, x, again = (f"{number:016x}" for number in range(6))

    def started(span_id: str, index: int, triggers: list[str], causes: list[tuple[str, str]]) -> Span:
        known = {"task_id": span_id, "task_index": index, "task_triggers": triggers, "checkpoint_id": "c1"}
        return span(span_id, 10 + index, 20, trace=first, task="x", causes=causes, **known)

    graph = build(
        traces(
            span(a, 0, 1, trace=first, task="a"),
            span(b, 0, 1, trace=first, task="b"),
            started(w0, 0, ["__pregel_tasks"], [("send", a)]),
            started(w1, 1, ["__pregel_tasks"], [("send", b)]),
            started(x, 2, ["branch:to:x"], [("trigger", b), ("message", a)]),
            span(again, 50, 60, trace=second, task="x", cause_refs=[reference]),
        )
    )
    assert [edge for edge in linked(graph) if edge[1] == again] == [(b, again, kind, "metadata")]


def test_control_edges_lie_between_tasks_and_leave_out_who_read_what(span: Make, traces: Gather) -> None:
    graph = build(
        traces(
            span("w", 0, 9),
            span("a", 1, 2, "w", task="a"),
            span("m", 1, 2, "a"),
            span("b", 3, 4, "w", task="b", causes=[("trigger", "a"), ("message", "a"), ("message", "m")]),
        )
    )
    assert graph.control_edges() == (Edge("a", "b", "trigger", "recorded"),)


def test_simple_questions(span: Make, traces: Gather) -> None:
    graph = build(traces(span("w", 0, 9), span("a", 1, 2, "w"), span("b", 3, 4, "w", causes=[("trigger", "a")])))
    child, trigger = Edge("w", "b", "child", "recorded"), Edge("a", "b", "trigger", "recorded")
    assert graph.causes_of("b") == (child, trigger)
    assert graph.effects_of("a") == (trigger,)
    assert graph.effects_of("w") == (Edge("w", "a", "child", "recorded"), child)
    assert graph.span("a").start_ns == 1
    assert [s.span_id for s in graph.children_of("w")] == ["a", "b"]
    assert [s.span_id for s in graph.roots] == ["w"]
    for question in (graph.span, graph.causes_of, graph.effects_of, graph.children_of):
        with pytest.raises(KeyError):
            question("nobody")


def test_networkx_has_spans_and_kinds(span: Make, traces: Gather) -> None:
    graph = build(traces(span("a", 0, 9), span("b", 3, 4, "a", causes=[("trigger", "a")])))
    drawn = graph.to_networkx()
    assert drawn.nodes["b"]["span"] is graph.spans[1]
    assert drawn.edges["a", "b", "trigger"] == {"kind": "trigger", "provenance": "recorded"}
    assert sorted(drawn["a"]["b"]) == ["child", "trigger"]


def test_bodies_are_not_decoded(span: Make) -> None:
    def decode() -> SpanBody:
        raise AssertionError("decoded a body")

    lazy = Span("t1", "a", None, "a", 0, 9, load=decode)
    graph = build([Trace("t1", (lazy,))])
    graph.critical_path()
    graph.labels()
    graph.to_networkx()


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (
            [("a", 0, 9), ("b", 1, 2, "gone")],
            "1 span names a parent that is not here (b b): treated as roots.",
        ),
        (
            [("a", 1, 9, "b"), ("b", 0, 9, "a")],
            "Spans are each other's parents (b b → a a → b b): the earliest is treated as a root.",
        ),
        (
            [("a", 0, 9, "a")],
            "Spans are each other's parents (a a → a a): the earliest is treated as a root.",
        ),
        (
            [("a", 0, 9), ("b", 1, 12)],
            "Trace t1 has 2 roots (a a, b b): its time runs from the first start to the last end of them.",
        ),
        (
            [("a", 0, 9, "x"), ("b", 1, 12, "x")],
            "Trace t1 has no root (a a, b b stand in): its time runs over all of them.",
        ),
        (
            [("a", 0, 9), ("b", 1, None, "a")],
            "1 span has not ended (b b): taken to last until the last instant seen in the trace.",
        ),
        (
            [("a", 0, 9), ("b", 5, 3, "a")],
            "1 span ends before it starts (b b): taken as instants at their start.",
        ),
        (
            [("a", 0, 9), ("b", 1, 2, "a"), ("b", 1, 3, "a")],
            "1 span id occurs more than once (b b): the first that has ended is kept.",
        ),
    ],
)
def test_what_is_wrong_with_spans_is_said_in_a_line(
    rows: list[tuple[object, ...]], line: str, span: Make, traces: Gather
) -> None:
    assert line in build(traces(*(span(*row) for row in rows))).problems


def test_no_spans_is_said(span: Make) -> None:
    assert build([]).problems == ("There are no spans.",)


def test_of_spans_with_one_id_the_first_that_ended_is_kept(span: Make, traces: Gather) -> None:
    """A start that arrived late, a version that differs, the same trace given twice."""
    graph = build(traces(span("a", 0, None), span("a", 0, 5), span("a", 0, 7)))
    assert [s.end_ns for s in graph.spans] == [5]


def test_causes_in_a_circle_are_kept_and_reported(span: Make, traces: Gather) -> None:
    graph = build(
        traces(
            span("a", 0, 1, causes=[("trigger", "c")]),
            span("b", 2, 3, "a", causes=[("trigger", "a")]),
            span("c", 4, 5, "a", causes=[("trigger", "b")]),
            span("d", 6, 7, "a", causes=[("trigger", "c")]),
        )
    )
    assert "Causes run in a circle (a a → b b → c c → a a): " in graph.problems[-1]
    assert ("c", "a", "trigger", "recorded") in linked(graph)
    assert "1 cause starts after the effect (c c → a a): not used for the critical path." in graph.problems


def test_causes_that_cannot_be_read_are_reported(span: Make, traces: Gather) -> None:
    graph = build(traces(span("a", 0, 1, cause_spans=["t1-a", "nonsense"], cause_kinds=["trigger"])))
    assert "1 span has causes that cannot be read (a a): those are left out." in graph.problems


def test_a_line_names_three_examples_of_many(span: Make, traces: Gather) -> None:
    graph = build(traces(*(span(f"s{i}", i, i + 1, "gone") for i in range(5))))
    assert (
        graph.problems[0]
        == "5 spans name a parent that is not here (s0 s0, s1 s1, s2 s2 and 2 more): treated as roots."
    )


def test_a_long_circle_of_parents_does_not_recurse(span: Make) -> None:
    number = 20_000
    ring = tuple(span(str(i), i, i + 1, str((i + 1) % number)) for i in range(number))
    graph = build([Trace("t1", ring)])
    assert len(graph.roots) == 1
    assert graph.critical_path().total_ns == 1


def test_the_causes_of_an_open_span_are_recorded_and_those_of_an_ended_one_worked_out(
    span: Make, traces: Gather
) -> None:
    cause, reference = f"{1:016x}", [f"send|{'a' * 32}-{1:016x}"]

    def edges(end: int | None) -> list[tuple[str, str]]:
        spans = span(cause, 0, 1, trace="a" * 32), span("x", 2, end, trace="a" * 32, cause_refs=reference)
        return [(edge.kind, edge.provenance) for edge in build(traces(*spans)).edges]

    assert (edges(None), edges(3)) == ([("send", "recorded")], [("send", "metadata")])
