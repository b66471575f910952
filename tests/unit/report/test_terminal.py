"""Reports for people: whole pictures as snapshots, and what must hold of every one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import pytest
from rich.cells import cell_len
from rich.text import Text

from otel_mas.analyse.cost import cost
from otel_mas.causal import CausalGraph, build
from otel_mas.model import Span, StatusCode, TraceSummary
from otel_mas.report import terminal
from otel_mas.semconv import attributes as names

Snapshot = Callable[[str, str], None]


def shown(lines: Iterable[Text]) -> str:
    return "".join(f"{line.plain.rstrip()}\n" for line in lines)


@pytest.fixture
def conversation(team: ModuleType) -> CausalGraph:
    return build(team.research_traces())


@pytest.fixture
def first(team: ModuleType) -> CausalGraph:
    return build(team.research_traces()[:1])


def test_the_tree_shows_what_ran_inside_what_and_when(first: CausalGraph, snapshot: Snapshot) -> None:
    snapshot("tree", shown(terminal.tree(first, 100)))


def test_the_graph_shows_causes_joins_and_the_wait_for_the_human(conversation: CausalGraph, snapshot: Snapshot) -> None:
    snapshot("graph", shown(terminal.graph(conversation, 100)))


def test_the_critical_path_shows_a_line_for_each_task_and_what_the_next_waited_for(
    conversation: CausalGraph, snapshot: Snapshot
) -> None:
    snapshot("critical_path", shown(terminal.critical_path(conversation, conversation.critical_path(), 120)))


def test_the_critical_path_shows_every_step_when_asked(first: CausalGraph) -> None:
    path = first.critical_path()
    lines = shown(terminal.critical_path(first, path, 200, every=True)).splitlines()
    assert len(lines) == len(path) + 3


def test_the_longest_lines_of_the_critical_path_stay_in_time_order(conversation: CausalGraph) -> None:
    lines = shown(terminal.critical_path(conversation, conversation.critical_path(), 200, most=3)).splitlines()
    assert [line[43:].split("  ")[0] for line in lines[1:4]] == ["summarise#3", "waiting for input", "publish"]
    assert "shorter steps in between" in lines[4]


def test_the_cost_table_marks_what_is_simulated_and_names_what_has_no_price(
    conversation: CausalGraph, snapshot: Snapshot
) -> None:
    table = cost(conversation.spans)
    snapshot("cost", shown(terminal.cost(table, 100)) + "\n" + shown([terminal.cost_in_a_line(table)]))


def test_without_model_calls_the_cost_says_so(team: ModuleType) -> None:
    built = team.TraceBuilder("cc" * 16)
    built.workflow(0, 10, "ok")
    assert shown(terminal.cost(cost(built.spans), 100)) == "No model was called.\n"


def test_the_list_of_traces_shows_short_ids_status_and_use(team: ModuleType, snapshot: Snapshot) -> None:
    def summary(trace_id: str, **more: object) -> TraceSummary:
        fields = {"service": "research-team", "start_ns": team.BEGIN, "end_ns": team.BEGIN + 6000 * team.MS}
        fields |= {"status": "ok", "span_count": 23, "name": "invoke_workflow research_team"} | more
        return TraceSummary(trace_id, **fields)  # type: ignore[arg-type]

    listed = [
        summary("4bf92f35" + "0" * 24, status="running", end_ns=None, conversation_id="demo-1"),
        summary("4bf92f35" + "1" * 24, cost_usd=0.0013, unpriced_calls=1, input_tokens=5186, output_tokens=1023),
        summary("5c0a83be" + "0" * 24, status="error", error_count=2, agents=("researcher", "writer")),
        summary("6d0a83be" + "0" * 24, error_count=1, unpriced_calls=3, incomplete="3 spans were dropped"),
    ]
    snapshot("traces", shown(terminal.traces(listed, 110)))


def test_the_heading_says_what_it_is_about(conversation: CausalGraph, first: CausalGraph) -> None:
    assert shown(terminal.heading(conversation.spans, 200)) == (
        "research_team · research-team · thread demo-1 · 2 traces · 2026-11-21 10:00:00 · 1m 06s · 27 spans · ok\n"
    )
    assert "trace 4bf92f3577b34da6" in shown(terminal.heading(first.spans, 200))
    assert "paused for input" in shown(terminal.heading(first.spans, 200))


def test_a_single_trace_shows_causes_in_other_traces_as_such(team: ModuleType) -> None:
    phrase = shown(terminal.graph(build(team.research_traces()[1:]), 120))
    assert "○  approve  ← trigger from span 4b00000000000016 of another trace" in phrase


def test_a_trace_without_tasks_is_drawn_from_all_its_spans(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    root = built.span("GET /", 0, 9)
    built.span("query", 1, 5, root)
    lines = shown(terminal.graph(build([built.trace()]), 100)).splitlines()
    assert [line[20:] for line in lines[1:]] == ["○  GET /", "●  query  ← inside GET /"]


def test_failures_and_spans_that_never_ended_are_marked(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    root = built.workflow(0, None, "")
    built.span("tool", 1, 5, root, attributes={names.ERROR_TYPE: "ValueError"}, status=StatusCode.ERROR)
    phrase = shown(terminal.tree(build([built.trace()]), 100))
    assert "invoke_workflow research_team  not ended" in phrase
    assert "└─ tool  ✗ ValueError" in phrase


def test_a_failure_has_its_message_cut_rather_than_what_follows_it(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    root = built.workflow(0, 9, "error")
    failed = built.span("tool", 1, 5, root, attributes={names.ERROR_TYPE: "ValueError"}, status=StatusCode.ERROR)
    causal = build([built.trace()])
    short = shown(terminal.tree(causal, 100, (), None, {failed.span_id: "no card\non \x1b[31mfile"}))
    assert "└─ tool  ✗ ValueError: no card on " in short
    assert "\x1b" not in short
    assert "file  ended the run" in short
    long = shown(terminal.tree(causal, 100, (), None, {failed.span_id: "card " * 50})).splitlines()[2]
    assert "ValueError: card card card" in long
    assert "…  ended the run" in long
    assert "card" not in shown(terminal.tree(causal, 100))


def test_a_listed_trace_has_the_message_of_the_error_that_ended_it() -> None:
    summary = TraceSummary("ab" * 16, "invoke_workflow shop", "s", 0, 9, "error", 2, conversation_id="t-1")
    messages = {summary.trace_id: "no card\non file" + " !" * 99}
    line = shown(terminal.traces([summary], 130, (), messages)).splitlines()[1]
    assert "shop  ✗ no card on file ! !" in line
    assert "…  thread t-1" in line


def test_an_answer_from_the_cache_says_so(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    root = built.workflow(0, 9, "ok")
    cached = {names.MAS_TASK_OUTCOME: "ok", names.MAS_TASK_CACHED: True}
    built.span("task heavy", 1, 1, root, attributes=cached)
    phrase = shown(terminal.tree(build([built.trace()]), 100))
    assert "└─ task heavy  from the cache" in phrase


def test_a_wide_fan_out_is_told_in_words_without_lanes(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    root = built.workflow(0, 100, "ok")
    plan = built.task("plan", 1, 2, root)
    many = [built.task("work", 3, 10 + number, root, ("send", plan)) for number in range(60)]
    built.task("join", 80, 90, root, *(("trigger", one) for one in many))
    phrase = shown(terminal.graph(build([built.trace()]), 120))
    assert "│" not in phrase
    assert "join     ← trigger from work#1, #2, #3, #4 and 56 more; waited for work#60, 1.0 ms after work#59" in phrase


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_of_a_tree_or_a_list_is_wider_than_asked_for(conversation: CausalGraph, width: int) -> None:
    lines = [*terminal.tree(conversation, width), *terminal.heading(conversation.spans, width)]
    assert max(cell_len(line.plain) for line in lines) <= width


def test_names_with_wide_characters_and_escapes_keep_the_columns(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    root = built.span("研究チーム\x1b[31m", 0, 1000)
    built.span("plain", 0, 1000, root)
    lines = list(terminal.tree(build([built.trace()]), 80))[1:]
    assert "\x1b" not in lines[0].plain
    assert len({cell_len(line.plain[: line.plain.index("█")]) for line in lines}) == 1


@pytest.mark.parametrize("spans", [0, 1])
def test_an_empty_or_tiny_trace_has_a_report(team: ModuleType, spans: int) -> None:
    built = team.TraceBuilder("aa" * 16)
    for _ in range(spans):
        built.span("only", 0, 0)
    graph = build([built.trace()])
    assert len(list(terminal.tree(graph, 80))) == 2 * spans
    assert len(list(terminal.graph(graph, 80))) == 2 * spans
    list(terminal.critical_path(graph, graph.critical_path(), 80))


def test_the_path_names_the_task_that_held_a_step(team: ModuleType) -> None:
    built = team.TraceBuilder("ba" * 16)
    run = built.workflow(0, 2100, "ok")
    made = {}
    times = {"quick": (0, 60, 1), "slow_side_branch": (0, 2000, 1), "after_quick": (2010, 2100, 2)}
    for node, (start, end, step) in times.items():
        causes = [("trigger", made["quick"])] if step == 2 else []
        made[node] = built.task(node, start, end, run, *causes)
        made[node].columns[names.MAS_TASK_STEP] = step
    causal = build([built.trace()])
    lines = shown(terminal.critical_path(causal, causal.critical_path(), 160))
    assert "held by slow_side_branch  after_quick waited for slow_side_branch: a step ends when all" in lines
    assert "held by other tasks of a step 1.95 s (93%)" in lines


def test_very_long_names_are_cut_among_the_causes_too(team: ModuleType) -> None:
    built = team.TraceBuilder("ca" * 16)
    run = built.workflow(0, 100, "ok")
    one, other = (built.task(letter * 500, 1, 20 + rank, run) for rank, letter in enumerate("ab"))
    built.task("join", 30, 40, run, ("trigger", one), ("trigger", other))
    phrase = shown(terminal.graph(build([built.trace()]), 120))
    assert f"trigger from {'a' * 31}…" in " ".join(phrase.split())
    assert len(phrase.splitlines()) < 8


def decided(team: ModuleType, built: Any) -> Span:
    """supervisor → writer by a routing decision; a slow task beside the supervisor holds their step."""
    run = built.workflow(0, 5000, "ok")
    supervisor = built.task("supervisor", 1, 500, run, step=1)
    route: Span = built.span(
        "route next",
        490,
        491,
        supervisor,
        attributes={names.MAS_RECORD_KIND: "ROUTING_DECISION", names.MAS_ROUTING_CHOICE: ("writer",)},
    )
    built.task("slow", 1, 2500, run, step=1)
    built.task("writer", 2501, 2600, run, ("trigger", supervisor), step=2)
    return route


def test_why_a_branch_was_taken_stands_at_the_decision_and_at_its_effect(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    reasons = {decided(team, built).span_id: "Nobody has written yet."}
    causal = build([built.trace()])
    assert "route next  → writer  “Nobody has written yet.”" in shown(terminal.tree(causal, 120, (), reasons))
    assert "“Nobody has written yet.”" in shown(terminal.graph(causal, 200, (), reasons))
    assert "“" not in shown(terminal.graph(causal, 200)) + shown(terminal.tree(causal, 120))


def test_the_task_that_kept_a_step_from_ending_is_named_beside_the_cause(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    decided(team, built)
    phrase = shown(terminal.graph(build([built.trace()]), 200))
    assert "← trigger from supervisor; held by slow, which ended 2.00 s later\n" in phrase


def test_what_a_task_read_of_others_than_its_causes_is_named(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    run = built.workflow(0, 100, "ok")
    researcher = built.task("researcher", 1, 10, run)
    answer = built.chat(2, 9, researcher, 1, 1)
    check = built.task("check", 11, 20, run, ("trigger", researcher))
    writer = built.task("writer", 21, 30, run, ("trigger", check))
    call = {names.MAS_RECORD_KIND: "LLM_CALL"}
    built.span("chat gpt", 22, 29, writer, [("message", answer)], call)
    causal = build([built.trace()])
    assert "← trigger from check  · chat gpt; read: researcher\n" in shown(terminal.graph(causal, 200))
    assert "chat gpt  read: researcher" in shown(terminal.tree(causal, 120))


def test_a_fork_is_said_at_its_run_and_at_its_first_task(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    fork = {names.MAS_CHECKPOINT_ID: "1ef4f797", names.MAS_FORK_CHECKPOINT_ID: "1ef4f797"}
    run = built.span("invoke_workflow again", 0, 100, attributes={names.MAS_RECORD_KIND: "WORKFLOW", **fork})
    built.task("write", 1, 10, run)
    causal = build([built.trace()])
    assert "invoke_workflow again  forked from checkpoint 1ef4f797" in shown(terminal.tree(causal, 120))
    assert "write  forked from checkpoint 1ef4f797\n" in shown(terminal.graph(causal, 120))
