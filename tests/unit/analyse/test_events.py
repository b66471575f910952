"""Events: one for each span that records something, one for each error."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.events import TYPES, events
from otel_mas.causal import CausalGraph
from otel_mas.model import Content, Query
from otel_mas.semconv import attributes as names
from tests.unit.analyse.profile.conftest import Made


def team() -> CausalGraph:
    made = Made()
    chosen = {names.MAS_ROUTING_CHOICE: ("a", "b")}
    passed = {names.MAS_ERROR_SPAN: "t1-search1"}
    return made.graph(
        made.span("run", 0, 1000, record_kind="WORKFLOW", **{names.MAS_RUN_OUTCOME: "error"}, **passed),
        made.agent("writer1", 10, 900, "run", **passed),
        made.call("chat1", 20, 90, "writer1"),
        made.span("route1", 95, 95, "writer1", record_kind="ROUTING_DECISION", **chosen),
        made.span("check1", 96, 97, "writer1", record_kind="GUARDRAIL", **{names.MAS_GUARDRAIL_VERDICT: "block"}),
        made.tool("search1", 100, 800, "writer1", failed=True, **{names.ERROR_TYPE: "TimeoutError"}),
        made.span("http1", 110, 700, "search1"),
    )


def test_spans_that_record_something_are_events_and_errors_happen_where_they_began() -> None:
    assert [(one.type, one.time_ns, one.detail, one.failed) for one in events(team())] == [
        ("WORKFLOW", 0, "error", True),
        ("AGENT_TASK", 10, None, True),
        ("LLM_CALL", 20, "small", False),
        ("ROUTING_DECISION", 95, "→ a, b", False),
        ("GUARDRAIL", 96, "block", False),
        ("TOOL_CALL", 100, "search", True),
        ("ERROR", 800, "TimeoutError", True),
    ]


def test_an_error_has_its_message_where_it_is_kept() -> None:
    content = RunContent.gathered((), {}, [Content("t1", "search1", names.EXCEPTION_MESSAGE, "too slow")], kept=True)

    [error] = events(team(), type_="ERROR", content=content)

    assert (error.detail, error.duration_ns, error.agent) == ("TimeoutError: too slow", None, "writer")


@pytest.mark.parametrize(
    ("asked", "types"),
    [
        ({"since_ns": 95, "until_ns": 100}, "ROUTING_DECISION GUARDRAIL TOOL_CALL"),
        ({"agent": "writer", "until_ns": 20}, "AGENT_TASK LLM_CALL"),
        ({"agent": "nobody"}, ""),
        ({"tool": "search"}, "TOOL_CALL ERROR"),
        ({"error_type": "TimeoutError"}, "TOOL_CALL ERROR"),
    ],
)
def test_events_are_found_by_agent_and_window(asked: dict[str, Any], types: str) -> None:
    assert [one.type for one in events(team(), Query(**asked))] == types.split()


@pytest.mark.parametrize("type_", TYPES)
def test_a_type_finds_only_itself(type_: str) -> None:
    assert {one.type for one in events(team(), type_=type_)} <= {type_}
