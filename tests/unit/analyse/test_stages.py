"""Stages: steps of the outermost graph, and what the app marked."""

from __future__ import annotations

from typing import Any

from otel_mas.analyse.stages import Stage, stages
from otel_mas.causal import build
from otel_mas.model import Event, Span, SpanBody, Trace
from otel_mas.semconv import attributes as names
from tests.unit.analyse.profile.conftest import Made


def shown(found: tuple[Stage, ...]) -> list[tuple[Any, ...]]:
    return [(one.source, one.name, one.step, one.start_ns, one.end_ns, one.status) for one in found]


def test_tasks_of_one_step_are_one_stage_and_those_inside_other_tasks_none() -> None:
    made = Made()
    found = stages(
        made.graph(
            made.span("run", 0, 100, record_kind="WORKFLOW"),
            made.task("plan1", 0, 10, "run", task_step=1),
            made.task("work1", 20, 40, "run", task_step=2),
            made.task("inner1", 21, 30, "work1", task_step=1),
            made.task("work2", 20, 50, "run", task_step=2, task_outcome="error"),
            made.task("check1", 25, 30, "run", task_step=2),
            made.task("ask1", 60, 70, "run", task_step=3, task_outcome="interrupted"),
            made.task("loose1", 80, 90, "run"),
        )
    )

    assert shown(found) == [
        ("step", "plan", 1, 0, 10, "ok"),
        ("step", "work ×2, check", 2, 20, 50, "error"),
        ("step", "ask", 3, 60, 70, "interrupted"),
        ("step", "loose", None, 80, 90, "ok"),
    ]
    assert [one.tasks for one in found] == [1, 3, 1, 1]


def test_a_mark_lasts_until_the_next_one_of_another_name_or_the_end_of_its_span() -> None:
    def mark(time_ns: int, name: str, status: str | None = None) -> Event:
        more = {} if status is None else {names.MAS_STAGE_STATUS: status}
        return Event("mas.stage", time_ns, {names.MAS_STAGE_NAME: name, **more})

    events = (
        mark(5, "drafting", "begun"),
        mark(20, "drafting", "half"),
        mark(40, "checking"),
        Event("other", 50),
        mark(70, "drafting"),
    )
    attributes = {names.MAS_RECORD_KIND: "WORKFLOW"}
    span = Span.complete(
        SpanBody(attributes, events), trace_id="t", span_id="s", parent_span_id=None, name="run", start_ns=0, end_ns=90
    )

    assert shown(stages(build([Trace("t", (span,))]))) == [
        ("mark", "drafting", None, 5, 40, "half"),
        ("mark", "checking", None, 40, 70, None),
        ("mark", "drafting", None, 70, 90, None),
    ]
