"""The worked example of docs/critical-path.md is what the program says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_mas.causal import Step, build
from otel_mas.causal.schedule import reschedule
from otel_mas.model import Span, Trace
from otel_mas.model.amounts import duration

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "critical-path.md"


def block(name: str) -> list[str]:
    found = re.search(rf"<!-- example: {name} -->\n```\n(.*?)\n```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None
    return found[1].splitlines()


@pytest.fixture
def example(span: Callable[..., Span], traces: Callable[..., list[Trace]]) -> list[Trace]:
    def task(span_id: str, start: int, end: int, name: str, *causes: tuple[str, str], **more: object) -> Span:
        trace = "t2" if start >= 900 else "t1"
        root = "w2" if start >= 900 else "w1"
        return span(span_id, start * 10**8, end * 10**8, root, trace=trace, name=name, task=name, causes=causes, **more)

    return traces(
        span("w1", 0, 150 * 10**8, name="team"),
        task("plan", 2, 20, "plan"),
        task("writer", 21, 65, "writer", ("send", "plan")),
        task("researcher", 21, 83, "researcher", ("send", "plan")),
        span("search", 25 * 10**8, 80 * 10**8, "researcher", name="execute_tool search"),
        task("translator", 21, 77, "translator", ("send", "plan")),
        task("critic", 84, 140, "critic", *(("trigger", c) for c in ("writer", "researcher", "translator"))),
        task("a1", 141, 149, "approve", ("trigger", "critic"), task_id="k", task_outcome="interrupted"),
        span("w2", 900 * 10**8, 940 * 10**8, trace="t2", name="team"),
        task("a2", 901, 910, "approve", ("trigger", "t1-critic"), ("resume", "t1-a1"), task_id="k"),
        task("publish", 912, 939, "publish", ("trigger", "a2")),
    )


def test_the_path_is_the_documented_one(example: list[Trace]) -> None:
    def line(step: Step) -> str:
        name = step.span.name if step.span else ""
        times = f"{step.start_ns / 1e9:4.1f} – {step.end_ns / 1e9:4.1f}"
        return f"{times}  {name:<19}  {step.kind:<17}  {step.why}"

    assert [line(step).rstrip() for step in build(example).critical_path()] == [row.rstrip() for row in block("path")]


def test_the_spans_are_the_documented_ones(example: list[Trace]) -> None:
    drawn = [re.search(r"([\w ]+?)(?: \(\w+\))? [ ├─┤]*([\d.]+) – +([\d.]+)$", row) for row in block("spans")]
    documented = [(row[1].strip(), float(row[2]), float(row[3])) for row in drawn if row]
    given = [(s.name, s.start_ns / 1e9, (s.end_ns or 0) / 1e9) for trace in example for s in trace.spans]
    assert documented == given


def test_the_steps_sum_to_the_whole_conversation(example: list[Trace]) -> None:
    path = build(example).critical_path()
    assert sum(step.duration_ns for step in path) == path.total_ns == 94 * 10**9


def test_slack_and_drag_are_the_documented_ones(example: list[Trace]) -> None:
    graph = build(example)
    schedule, spans = reschedule(graph), {span.name.removeprefix("execute_tool "): span for span in graph.spans}
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|", DOCUMENT.read_text(), re.MULTILINE)
    assert len(rows) == 4
    for name, *documented in rows:
        span_id = spans[name].span_id
        shown = (spans[name].duration_ns, schedule.slack_ns[span_id], schedule.drag_ns[span_id])
        assert [re.sub(r"(\.\d)0 s", r"\1 s", duration(one or 0)) for one in shown] == documented
