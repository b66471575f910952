"""Agent, task and conversation of a span are its own, or those of what it lies in."""

from __future__ import annotations

from otel_mas.analyse.places import Place, places
from otel_mas.semconv import attributes as names
from tests.unit.analyse.profile.conftest import Made

made = Made()


def placed(*spans: object) -> dict[str, Place]:
    return dict(places(made.graph(*spans)))  # type: ignore[arg-type]


def test_what_lies_in_a_task_has_its_agent_and_label() -> None:
    found = placed(
        made.span("run", 0, 100, record_kind="WORKFLOW"),
        made.agent("writer1", 10, 90, "run"),
        made.task("draft1", 20, 80, "writer1"),
        made.call("chat1", 30, 70, "draft1"),
    )
    assert found["chat1"] is found["draft1"]
    assert (found["chat1"].agent, found["chat1"].label) == ("writer", found["draft1"].label)
    assert found["chat1"].task is not None
    assert found["chat1"].task.span_id == "draft1"
    assert found["chat1"].root.span_id == "run"
    assert (found["run"].agent, found["run"].label) == (None, None)


def test_an_agent_that_a_call_names_counts_outside_of_agents_alone() -> None:
    named = {names.GEN_AI_AGENT_NAME: "other"}
    found = placed(
        made.span("run", 0, 100, record_kind="WORKFLOW"),
        made.call("alone", 1, 5, "run", **named),
        made.agent("writer1", 10, 90, "run"),
        made.call("inside", 30, 70, "writer1", **named),
    )
    assert (found["alone"].agent, found["inside"].agent) == ("other", "writer")
