"""Time by agent, turn, node, model and tool; hot spots; what they add up to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.analyse.profile import Percentiles, Profile, ProfileRow, profile
from otel_mas.causal import CausalGraph, build
from otel_mas.model import Link, Span, Trace
from otel_mas.semconv import attributes as names


def row(found: Profile, by: str, name: str | None) -> ProfileRow:
    return next(row for row in found.by(by) if row.name == name)


@pytest.fixture
def team(made: Any) -> CausalGraph:
    """A researcher with a model and a tool, then two sections written in parallel and joined."""
    return made.graph(
        made.span("run", 0, 1000, record_kind="WORKFLOW"),
        made.agent("researcher1", 0, 400, "run"),
        made.call("chat1", 20, 220, "researcher1", **{names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: 0.00000005}),
        made.tool("search1", 200, 390, "researcher1"),
        made.call("chat2", 300, 350, "search1"),
        made.agent("writer1", 410, 700, "run", causes=[("send", "researcher1")]),
        made.call("chat3", 420, 690, "writer1"),
        made.agent("writer2", 410, 900, "run", causes=[("send", "researcher1")]),
        made.call("chat4", 420, 890, "writer2"),
        made.task("edit", 910, 990, "run", causes=[("trigger", "writer1"), ("trigger", "writer2")]),
    )


def test_an_agent_in_parallel_with_itself_has_wall_time_once_and_a_sum(team: CausalGraph) -> None:
    writer = row(profile([team]), "agent", "writer")
    assert (writer.calls, writer.wall_ns, writer.sum_ns) == (2, 490, 290 + 490)
    assert writer.durations == Percentiles.of([290, 490])


def test_each_turn_has_a_row_of_its_own(team: CausalGraph) -> None:
    assert {turn.name: turn.wall_ns for turn in profile([team]).by("turn")} == {
        "researcher#1": 400,
        "writer#1": 290,
        "writer#2": 490,
    }
    assert profile([team, team], turns=False).by("turn") == ()


def test_time_of_an_agent_is_its_models_its_tools_and_its_own(team: CausalGraph) -> None:
    """The tool's own time is without the model call inside of it; own time is covered by no child."""
    researcher = row(profile([team]), "agent", "researcher")
    assert (researcher.model_ns, researcher.tool_ns, researcher.self_ns) == (200 + 50, 100 + 40, 20 + 10)
    assert row(profile([team]), "tool", "search").self_ns == 140
    assert row(profile([team]), "tool", "search").model_ns == 50


def test_tokens_and_time_to_the_first_chunk_are_of_the_calls(team: CausalGraph) -> None:
    researcher = row(profile([team]), "agent", "researcher")
    assert (researcher.cost.calls, researcher.cost.input_tokens) == (2, 20)
    assert researcher.first_chunk == Percentiles.of([50])
    assert row(profile([team]), "model", "small").calls == 4


def test_the_first_of_two_at_a_join_waited_for_its_sibling(team: CausalGraph) -> None:
    turns = {turn.name: turn.waiting_sibling_ns for turn in profile([team]).by("turn")}
    assert turns == {"researcher#1": 0, "writer#1": 200, "writer#2": 0}


def test_a_paused_task_waited_for_a_person(made: Any) -> None:
    graph = made.graph(
        made.span("run", 0, 100),
        made.task("ask1", 10, 20, "run", task_outcome="interrupted"),
        made.task("ask2", 80, 90, "run", causes=[("resume", "ask1")]),
    )
    assert row(profile([graph]), "node", "ask").waiting_input_ns == 60


@pytest.mark.parametrize(
    ("error", "waited"), [("openai.RateLimitError", 30), ("ThrottlingException", 30), ("ValueError", 0)]
)
def test_only_an_attempt_that_a_rate_limit_refused_waited_for_it(made: Any, error: str, waited: int) -> None:
    graph = made.graph(
        made.span("run", 0, 100),
        made.task("call1", 10, 20, "run", failed=True, **{names.ERROR_TYPE: error}),
        made.task("call2", 50, 90, "run", causes=[("retry", "call1")]),
    )
    found = row(profile([graph]), "node", "call")
    assert (found.waiting_rate_limit_ns, found.errors) == (waited, 1)


def test_the_error_of_an_attempt_may_have_happened_inside_of_it(made: Any) -> None:
    graph = made.graph(
        made.span("run", 0, 100),
        made.task("call1", 10, 20, "run", error_span="t1-chat1"),
        made.call("chat1", 12, 18, "call1", failed=True, **{names.ERROR_TYPE: "anthropic.RateLimitError"}),
        made.task("call2", 50, 90, "run", causes=[("retry", "call1")]),
    )
    assert row(profile([graph]), "node", "call").waiting_rate_limit_ns == 30


def test_what_is_off_the_path_is_told_apart(team: CausalGraph, made: Any) -> None:
    spots = {(spot.kind, spot.name): spot for spot in profile([team]).hot_spots}
    model = spots["model", "small"]
    # chat1 overlaps the tool that ended last, so that Jaeger's walk passes it over; chat3 is covered by chat4.
    assert (model.spans, model.self_ns, model.off_path_ns) == (4, 200 + 50 + 470, 200)
    beside = made.graph(
        made.span("run", 0, 100),
        made.tool("slow1", 0, 100, "run"),
        made.tool("quick1", 10, 40, "run"),
    )
    spots = {(spot.kind, spot.name): spot for spot in profile([beside]).hot_spots}
    assert (spots["tool", "quick"].on_path_ns, spots["tool", "quick"].off_path_ns) == (0, 30)
    assert (spots["tool", "slow"].on_path_ns, spots["tool", "slow"].off_path_ns) == (100, 0)


def test_the_event_loop_that_was_blocked_is_told(made: Any) -> None:
    lag = {names.MAS_EVENT_LOOP_LAG_MAX: 0.2, names.MAS_EVENT_LOOP_LAG_TOTAL: 0.3}
    graph = made.graph(made.task("a1", 0, 9, **lag), made.task("b1", 0, 9))
    blocked, free = row(profile([graph]), "node", "a"), row(profile([graph]), "node", "b")
    assert (blocked.loop_lag_max_ns, blocked.loop_lag_total_ns) == (200_000_000, 300_000_000)
    assert free.loop_lag_max_ns is None


def test_functions_are_added_up_by_node_and_odd_entries_passed_over(made: Any) -> None:
    graph = made.graph(
        made.task("a1", 0, 9, functions=("app.f|2|1|50|40|30|26", "odd", "app.f|x|1|2|3|4|5")),
        made.task("a2", 0, 9, functions=["app.f|1|0|10|10|10|10"]),
        made.task("b1", 0, 9, functions=("app.f|1|0|7|7|7|7",)),
    )
    found = [
        (one.node, one.calls, one.errors, one.total_ns, one.self_ns, one.running_ns, one.max_ns)
        for one in profile([graph]).functions
    ]
    assert found == [("a", 3, 1, 60, 50, 40, 26), ("b", 1, 0, 7, 7, 7, 7)]


def test_runs_are_added_and_counted(team: CausalGraph) -> None:
    once, twice = profile([team]), profile([team, team], turns=False)
    assert (twice.runs, twice.spans, twice.total_ns) == (2, 20, 2 * once.total_ns)
    assert twice.durations == Percentiles.of([1000, 1000])
    assert row(twice, "agent", "writer").wall_ns == 2 * row(once, "agent", "writer").wall_ns
    assert row(twice, "agent", "writer").durations.n == 4


def test_nothing_has_an_empty_profile() -> None:
    assert profile([]).rows == profile([]).hot_spots == ()


def test_a_call_that_two_instrumentors_recorded_is_one(made: Any) -> None:
    twin = made.span("twin", 10, 50, "run", **{names.GEN_AI_OPERATION_NAME: "chat", "gen_ai.request.model": "small"})
    found = profile([made.graph(made.task("run", 0, 100), made.call("chat1", 10, 50, "run"), twin)])
    assert row(found, "model", "small").calls == 1
    assert row(found, "node", "run").self_ns == 60


KINDS = st.sampled_from(["AGENT_TASK", "LLM_CALL", "TOOL_CALL", None])
LINKS = st.sampled_from(["trigger", "send", "resume", "retry", "message"])


@st.composite
def graphs(draw: st.DrawFn) -> CausalGraph:
    """Any forest of overlapping spans, some tasks, with any links among them."""
    spans = []
    for number in range(draw(st.integers(1, 12))):
        start = draw(st.integers(0, 50))
        end = draw(st.one_of(st.none(), st.integers(start, 80)))
        parent = draw(st.one_of(st.none(), st.integers(0, 12)))
        kind = draw(KINDS)
        columns: dict[str, Any] = {} if kind is None else {names.MAS_RECORD_KIND: kind}
        if kind == "AGENT_TASK":
            columns |= {names.MAS_TASK_ID: str(number), names.MAS_TASK_NAME: draw(st.sampled_from("ab"))}
            if draw(st.booleans()):
                columns |= {names.GEN_AI_OPERATION_NAME: "invoke_agent", names.GEN_AI_AGENT_NAME: "agent"}
        causes = draw(st.lists(st.tuples(st.integers(0, 12), LINKS), max_size=2))
        links = tuple(Link("t1", str(cause), kind) for cause, kind in causes)
        above = None if parent is None else str(parent)
        spans.append(Span("t1", str(number), above, "span", start, end, links=links, columns=columns))
    return build([Trace("t1", tuple(sorted(spans, key=lambda span: span.start_ns)))])


@given(graphs())
def test_times_on_the_path_add_up_to_the_critical_path(graph: CausalGraph) -> None:
    found = profile([graph])
    rest = found.total_ns - found.waiting_ns - found.outside_ns
    assert found.total_ns == graph.critical_path().total_ns
    assert sum(spot.on_path_ns for spot in found.hot_spots) == rest
    for by in ("agent", "node"):
        assert sum(row.on_path_ns for row in found.by(by)) == rest


@given(graphs())
def test_no_part_of_a_row_is_longer_than_what_it_is_part_of(graph: CausalGraph) -> None:
    found = profile([graph])
    for spot in found.hot_spots:
        assert 0 <= spot.off_path_ns <= spot.self_ns <= spot.off_path_ns + spot.on_path_ns
    for one in found.rows:
        if one.calls:
            assert one.wall_ns <= one.sum_ns
            assert one.durations.longest <= one.wall_ns
        assert min(one.self_ns, one.model_ns, one.tool_ns, one.waiting_sibling_ns, one.on_path_ns) >= 0
