"""What a picture shows."""

from __future__ import annotations

from types import ModuleType

from otel_mas.causal import build
from otel_mas.model import Link, Span, StatusCode, Trace
from otel_mas.report.svg import Scene, scene
from otel_mas.report.svg.scene import MOST_BARS, MOST_CALLS, MOST_LANES, MOST_NESTED
from otel_mas.semconv import attributes as names

MS = 10**6


def show(*traces: Trace) -> Scene:
    causal = build(traces)
    return scene(causal, causal.critical_path())


def made(number: int, parent: int | None, start: int, end: int, *links: int, **columns: object) -> Span:
    ids = f"{number:016x}", None if parent is None else f"{parent:016x}"
    return Span(
        trace_id="a" * 32,
        span_id=ids[0],
        parent_span_id=ids[1],
        name=str(columns.pop("name", f"span {number}")),
        start_ns=start * MS,
        end_ns=end * MS,
        status=columns.pop("status", StatusCode.UNSET),  # type: ignore[arg-type]
        links=tuple(Link("a" * 32, f"{link:016x}", "trigger") for link in links),
        columns={getattr(names, name): value for name, value in columns.items()},
    )


def trace(*spans: Span) -> Trace:
    return Trace("a" * 32, tuple(sorted(spans, key=lambda span: span.start_ns)))


def task(number: int, parent: int | None, start: int, end: int, *links: int, **columns: object) -> Span:
    named = {"MAS_TASK_ID": f"t{number}", "MAS_TASK_NAME": f"task {number}", **columns}
    return made(number, parent, start, end, *links, **named)


def test_a_lane_is_an_agent_or_an_outermost_task(team: ModuleType) -> None:
    shown = show(*team.research_traces())
    assert list(shown.lanes) == ["supervisor", "researcher", "plan", "summarise", "collect", "approve", "publish"]
    (researcher,) = shown.lanes["researcher"]
    assert [bar.name for bar in researcher.inner] == ["model", "tools", "tools", "model"]
    assert len(shown.lanes["summarise"]) == 3
    assert len(shown.runs) == 2


def test_calls_lie_in_the_bar_of_their_task(team: ModuleType) -> None:
    shown = show(*team.research_traces())
    calls = {bar.span.span_id: [call.name for call, _ in bar.calls] for bar in shown.bars if bar.name == "tools"}
    assert list(calls.values()) == [["execute_tool web_search"], ["execute_tool read_notes"]]


def test_of_a_join_the_branch_that_ended_last_is_told_and_on_the_path(team: ModuleType) -> None:
    shown = show(*team.research_traces())
    joined = [arrow for arrow in shown.arrows if arrow.effect.name == "collect"]
    assert [(arrow.last, arrow.critical) for arrow in joined] == [(False, False), (False, False), (True, True)]


def test_a_resumed_task_is_entered_by_its_resume_alone(team: ModuleType) -> None:
    shown = show(*team.research_traces())
    into = [arrow for arrow in shown.arrows if arrow.effect.span.trace_id == team.SECOND]
    assert [arrow.edge.kind for arrow in into] == ["resume", "trigger"]
    assert not any(arrow.last for arrow in into)


def test_a_cause_in_another_trace_is_shown_as_outside(team: ModuleType) -> None:
    ((bar, edge),) = [one for one in show(team.research_traces()[1]).outside if one[1].kind == "trigger"]
    assert (bar.name, edge.cause) == ("approve", "4b00000000000016")


def test_an_agent_that_repeats_its_task_is_the_same_bar() -> None:
    agent = made(
        2,
        1,
        0,
        9,
        MAS_TASK_ID="t1",
        GEN_AI_OPERATION_NAME="invoke_agent",
        GEN_AI_AGENT_NAME="writer",
    )
    shown = show(trace(task(1, None, 0, 10), agent, task(3, 2, 1, 8)))
    assert list(shown.lanes) == ["writer"]
    assert [bar.name for bar in shown.bars] == ["writer", "task 3"]


def test_spans_of_other_code_are_bars_where_nothing_is_a_task() -> None:
    shown = show(trace(made(1, None, 0, 10, name="GET /"), made(2, 1, 1, 5, name="query")))
    assert [bar.name for bar in shown.bars] == ["GET /", "query"]
    assert list(shown.lanes) == ["GET /"]


def test_calls_outside_any_task_lie_in_what_is_around_them() -> None:
    chat = made(2, 1, 1, 5, name="chat", MAS_RECORD_KIND="LLM_CALL")
    shown = show(trace(made(1, None, 0, 10, name="invoke"), chat))
    assert [call.name for call, _ in shown.bars[0].calls] == ["chat"]


def test_where_there_is_too_much_the_longest_and_what_failed_is_shown_and_the_rest_is_said() -> None:
    spans = [made(1, None, 0, 10**6)]
    spans += [task(number, 1, number, number + number, MAS_TASK_NAME="work") for number in range(2, MOST_BARS + 52)]
    spans.append(task(9_999, 1, 1, 2, MAS_TASK_NAME="work", status=StatusCode.ERROR))
    shown = show(trace(*spans))
    assert len(shown.bars) == MOST_BARS
    assert [bar.span.span_id for bar in shown.bars if bar.failed] == [f"{9_999:016x}"]
    assert shown.left_out == ["51 shorter tasks"]


def test_lanes_and_calls_are_bounded_too() -> None:
    spans = [made(1, None, 0, 10**6)]
    for number in range(2, MOST_LANES + 7):
        spans.append(task(number, 1, number, number * 3))
        spans += [
            made(1000 * number + i, number, number, number + i, name="chat", MAS_RECORD_KIND="LLM_CALL")
            for i in range(50)
        ]
    shown = show(trace(*spans))
    assert len(shown.lanes) == MOST_LANES
    assert sum(len(bar.calls) for bar in shown.bars) <= MOST_CALLS
    assert shown.left_out[0] == "5 agents that worked less"
    assert shown.left_out[1].endswith("shorter calls")


def test_deep_nesting_and_broken_traces_are_drawn_without_haste() -> None:
    deep = [task(number, number - 1 if number > 1 else None, number, 10_000 - number) for number in range(1, 1_500)]
    shown = show(trace(*deep))
    assert len(shown.bars) == MOST_NESTED + 1
    assert shown.left_out == [f"{1_499 - MOST_NESTED - 1:,} tasks nested more than {MOST_NESTED} deep"]
    backwards = task(1, None, 10, 5)
    circle = task(2, 2, 0, 5)
    assert len(show(trace(backwards, circle)).bars) == 2
    assert show(Trace("a" * 32, ())).bars == []
