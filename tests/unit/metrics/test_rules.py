"""Rules: what is measured of spans that end one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from otel_mas.metrics import EndedSpan, Measure, Rules
from otel_mas.semconv import attributes as names
from otel_mas.semconv import metrics
from otel_mas.semconv.metrics import Metric

AGENT = {names.MAS_RECORD_KIND: "AGENT_TASK", names.GEN_AI_OPERATION_NAME: "invoke_agent"}
CALL = {names.MAS_RECORD_KIND: "LLM_CALL", names.GEN_AI_OPERATION_NAME: "chat", names.GEN_AI_REQUEST_MODEL: "m"}
TASK = {names.MAS_RECORD_KIND: "AGENT_TASK"}
TOOL = {names.MAS_RECORD_KIND: "TOOL_CALL", names.GEN_AI_TOOL_NAME: "search"}


def span(
    key: str,
    attributes: dict[str, Any],
    *,
    parent: str | None = None,
    times: tuple[float, float] = (0, 1),
    causes: Sequence[tuple[str, str]] = (),
    failed: bool = False,
) -> EndedSpan:
    """A span of these times, in seconds."""
    start, end = (int(second * 1e9) for second in times)
    return EndedSpan(key, parent, start, end, failed, attributes.get, causes, key)


def measured(*spans: EndedSpan) -> list[Measure]:
    """The measurements of all of them."""
    rules = Rules()
    return [one for each in spans for one in rules.measures(each)]


def values(found: list[Measure], metric: Metric) -> list[tuple[tuple[str | None, ...], float]]:
    """Labels and values of one metric."""
    return [(one.labels, one.value) for one in found if one.metric is metric]


def test_a_call_is_that_of_the_nearest_agent_around_it() -> None:
    call = CALL | {names.MAS_COST_USD: 0.5}
    found = measured(
        span("call", call, parent="model"),
        span("model", TASK | {names.MAS_TASK_NAME: "model"}, parent="inner"),
        span("inner", AGENT | {names.GEN_AI_AGENT_NAME: "ann"}, parent="outer"),
        span("outer", AGENT | {names.GEN_AI_AGENT_NAME: "ben", names.MAS_RUN_OUTCOME: "ok"}),
    )

    assert values(found, metrics.MAS_COST) == [(("ann", "m"), 0.5)]
    assert values(found, metrics.GEN_AI_INVOKE_AGENT_INFERENCE_CALLS) == [(("ann",), 1), (("ben",), 1)]
    assert values(found, metrics.MAS_RUN_COST) == [(("ben",), 0.5)]


def test_a_call_outside_of_all_agents_has_none() -> None:
    workflow = {names.MAS_RECORD_KIND: "WORKFLOW", names.GEN_AI_OPERATION_NAME: "invoke_workflow"}
    run = workflow | {names.GEN_AI_AGENT_NAME: "desk", names.MAS_RUN_OUTCOME: "ok"}
    found = measured(span("tool", TOOL, parent="run"), span("run", run, parent="elsewhere"))

    assert values(found, metrics.MAS_TOOL_CALLS) == [((None, "search", "ok"), 1)]


def test_a_call_that_ends_after_its_agent_is_counted_at_once() -> None:
    found = measured(span("agent", AGENT | {names.GEN_AI_AGENT_NAME: "ann"}), span("tool", TOOL, parent="agent"))

    assert values(found, metrics.MAS_TOOL_CALLS) == [(("ann", "search", "ok"), 1)]


def test_simulated_cost_is_no_cost() -> None:
    assert (
        values(measured(span("c", CALL | {names.MAS_COST_USD: 1.0, names.MAS_COST_SIMULATED: True})), metrics.MAS_COST)
        == []
    )


def test_a_join_waits_for_the_last_and_its_skew_is_between_first_and_last() -> None:
    found = measured(
        span("a", TASK | {names.MAS_TASK_NAME: "a"}, times=(0, 1)),
        span("b", TASK | {names.MAS_TASK_NAME: "b"}, times=(0, 3)),
        span("c", TASK | {names.MAS_TASK_NAME: "c"}, times=(3.5, 4), causes=[("a", "trigger"), ("b", "trigger")]),
    )

    assert values(found, metrics.MAS_JOIN_SKEW) == [(("c",), 2.0)]
    assert values(found, metrics.MAS_EDGE_WAIT) == [(("trigger", "a", "c"), 2.5), (("trigger", "b", "c"), 0.5)]


def test_an_edge_from_what_is_under_way_is_counted_when_that_ends_and_has_not_waited() -> None:
    found = measured(
        span("inner", TASK | {names.MAS_TASK_NAME: "inner"}, causes=[("outer", "call")]),
        span("outer", TASK | {names.MAS_TASK_NAME: "outer"}),
    )

    assert values(found, metrics.MAS_EDGES) == [(("call", "outer", "inner"), 1)]
    assert values(found, metrics.MAS_EDGE_WAIT) == []


def test_a_retry_counts_the_edge_from_its_failed_attempt_alone() -> None:
    task = TASK | {names.MAS_TASK_NAME: "read"}
    found = measured(
        span("plan", TASK | {names.MAS_TASK_NAME: "plan"}),
        span("first", task | {names.ERROR_TYPE: "TimeoutError"}, causes=[("plan", "trigger")]),
        span("second", task, causes=[("plan", "trigger"), ("first", "retry")]),
    )

    assert values(found, metrics.MAS_RETRIES) == [(("read", "TimeoutError"), 1)]
    assert values(found, metrics.MAS_EDGES) == [(("trigger", "plan", "read"), 1), (("retry", "read", "read"), 1)]


def test_an_answer_waits_from_the_pause() -> None:
    asked = TASK | {names.MAS_TASK_NAME: "ask", names.MAS_INTERRUPT_IDS: ("i",)}
    answer = {names.MAS_RECORD_KIND: "HUMAN_INPUT", names.MAS_INTERRUPT_IDS: ("i",)}
    found = measured(span("ask", asked, times=(0, 1)), span("answer", answer, times=(61, 61)))

    assert values(found, metrics.MAS_INTERRUPTS) == [(("ask",), 1)]
    assert values(found, metrics.MAS_INTERRUPT_WAIT) == [(("ask",), 60.0)]


def test_feedback_from_outside_is_no_judgement_of_the_app() -> None:
    grade = {names.MAS_RECORD_KIND: "EVALUATION", names.GEN_AI_EVALUATION_NAME: "relevance"}

    assert len(values(measured(span("g", grade)), metrics.MAS_EVALUATIONS)) == 1
    assert values(measured(span("g", grade | {names.MAS_EVALUATION_SOURCE: "feedback"})), metrics.MAS_EVALUATIONS) == []


def test_an_error_without_a_type_is_other() -> None:
    found = measured(span("t", TOOL, failed=True))

    assert values(found, metrics.GEN_AI_EXECUTE_TOOL_DURATION) == [(("search", None, "_OTHER"), 1.0)]
    assert values(found, metrics.MAS_TOOL_CALLS) == [((None, "search", "error"), 1)]


def test_what_is_remembered_is_bounded_and_nothing_that_waits_is_lost() -> None:
    rules = Rules()
    found = [
        one for number in range(10_500) for one in rules.measures(span(f"c{number}", TOOL, parent=f"never{number}"))
    ]

    assert len(values(found, metrics.MAS_TOOL_CALLS)) == 500
