"""Tokens and dollars, by agent and by model."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.analyse.cost import CostRow, UnpricedCall, cost
from otel_mas.model import Scope, Span
from otel_mas.semconv import attributes as names


def span(span_id: str, parent: str | None = None, **columns: Any) -> Span:
    return Span("t1", span_id, parent, span_id, 0, 1, columns=columns)


def agent(span_id: str, name: str, parent: str | None = None) -> Span:
    columns = {names.GEN_AI_OPERATION_NAME: "invoke_agent", names.GEN_AI_AGENT_NAME: name}
    return span(span_id, parent, **columns)


def call(span_id: str, parent: str | None = None, model: str | None = "m", tokens: int = 10, **columns: Any) -> Span:
    usage = {names.GEN_AI_USAGE_INPUT_TOKENS: tokens, names.GEN_AI_USAGE_OUTPUT_TOKENS: 1} if tokens else {}
    given = {names.GEN_AI_OPERATION_NAME: "chat", names.GEN_AI_REQUEST_MODEL: model, **usage, **columns}
    return span(span_id, parent, **given)


def usd(amount: float) -> dict[str, Any]:
    return {names.MAS_COST_USD: amount}


def test_calls_add_up_by_agent_and_by_model() -> None:
    table = cost(
        [
            agent("r", "researcher"),
            span("t", "r"),
            call("1", "t", "small", 100, **usd(0.1)),
            call("2", "t", "large", 200, **usd(0.5)),
            agent("w", "writer"),
            call("3", "w", "small", 50, **usd(0.2)),
        ]
    )
    assert [(row.name, row.calls, row.input_tokens, row.output_tokens, row.usd) for row in table.by_agent] == [
        ("researcher", 2, 300, 2, 0.6),
        ("writer", 1, 50, 1, 0.2),
    ]
    assert [(row.name, row.usd) for row in table.by_model] == [("large", 0.5), ("small", pytest.approx(0.3))]
    assert table.total == CostRow(None, 3, 350, 3, usd=0.8)
    assert table.unpriced == ()


def test_the_agent_is_the_nearest_one_around_a_call() -> None:
    """Spans may come in any order; a task is no agent, whatever its name."""
    nested = [call("1", "t"), span("t", "in", **{names.MAS_TASK_NAME: "agent"}), agent("in", "inner", "out")]
    table = cost([*nested, agent("out", "outer"), call("2", "out")])
    assert {row.name: row.calls for row in table.by_agent} == {"inner": 1, "outer": 1}


def test_a_workflow_is_no_agent() -> None:
    workflow = {names.GEN_AI_OPERATION_NAME: "invoke_workflow", names.GEN_AI_AGENT_NAME: "team"}
    table = cost([span("w", **workflow), call("1", "w"), agent("a", "writer", "w"), call("2", "a")])
    assert {row.name: row.calls for row in table.by_agent} == {None: 1, "writer": 1}


def test_without_an_agent_around_it_the_call_may_name_one_itself() -> None:
    table = cost([call("1", **{names.GEN_AI_AGENT_NAME: "planner"}), call("2")])
    assert {row.name for row in table.by_agent} == {"planner", None}


def test_cached_and_reasoning_tokens_are_parts_of_the_totals() -> None:
    details = {names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: 7, names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: 1}
    assert cost([call("1", **details)]).total == CostRow(None, 1, 10, 1, 7, 1, usd=None, unpriced=1)


def test_a_call_without_a_price_is_named_and_is_not_zero() -> None:
    table = cost(
        [
            agent("a", "writer"),
            call("1", "a", "mine", **{names.MAS_COST_MISSING: "no price for model mine"}),
            call("2", "a", "foreign"),
            call("3", "a", **usd(0.25)),
        ]
    )
    assert table.unpriced == (
        UnpricedCall("t1", "1", "mine", "writer", "no price for model mine"),
        UnpricedCall("t1", "2", "foreign", "writer", "no cost was recorded"),
    )
    assert (table.total.usd, table.total.unpriced) == (0.25, 2)
    assert {row.name: row.usd for row in table.by_model} == {"m": 0.25, "mine": None, "foreign": None}


def test_a_call_that_failed_before_it_used_tokens_needs_no_price() -> None:
    table = cost([call("1", tokens=0)])
    assert (table.total.calls, table.total.unpriced, table.unpriced) == (1, 0, ())


def test_a_price_of_zero_is_a_price() -> None:
    assert cost([call("1", **usd(0.0))]).total.usd == 0.0
    assert cost([]).total.usd is None


def test_a_stand_in_marks_every_sum_that_it_is_in() -> None:
    simulated = {names.MAS_COST_SIMULATED: True, **usd(0.1)}
    table = cost([call("1", model="fake", **simulated), call("2", model="real", **usd(0.1))])
    assert table.simulated
    assert {row.name: row.simulated for row in table.by_model} == {"fake": True, "real": False}
    assert not cost([call("2", **usd(0.1))]).simulated


def test_the_model_is_the_one_that_answered() -> None:
    table = cost([call("1", model="alias", **{names.GEN_AI_RESPONSE_MODEL: "m-2026-01-01"})])
    assert [row.name for row in table.by_model] == ["m-2026-01-01"]
    assert [row.name for row in cost([call("1", model=None)]).by_model] == [None]


def test_tokens_repeated_on_other_spans_are_not_counted_twice() -> None:
    """On chains and agents, and by a second instrumentor inside the first one's call."""
    usage = {names.GEN_AI_USAGE_INPUT_TOKENS: 10, names.GEN_AI_USAGE_OUTPUT_TOKENS: 1}
    chain = span("c", **{**usage, names.MAS_RECORD_KIND: "WORKFLOW"})
    table = cost([chain, call("1", "c", **usd(0.1)), span("http", "1"), call("2", "http", **usd(0.1))])
    assert table.total == CostRow(None, 1, 10, 1, usd=0.1)


def test_a_call_around_another_counts_for_nothing_where_it_states_no_tokens() -> None:
    table = cost([call("1", tokens=0), call("2", "1", **usd(0.1))])
    assert (table.total.input_tokens, table.total.usd) == (10, 0.1)


OURS = {names.MAS_RECORD_KIND: "LLM_CALL"}


def told(span_id: str, start: int, end: int, scope: str, parent: str | None = None, **columns: Any) -> Span:
    usage = {names.GEN_AI_USAGE_INPUT_TOKENS: 10, names.GEN_AI_USAGE_OUTPUT_TOKENS: 1}
    given = {names.GEN_AI_OPERATION_NAME: "chat", names.GEN_AI_REQUEST_MODEL: "m", **usage, **columns}
    return Span("t1", span_id, parent, span_id, start, end, columns=given, scope=Scope(scope))


def test_a_call_that_two_instrumentations_recorded_side_by_side_counts_once() -> None:
    """At the same time, as both listen to the same callbacks."""
    ours = [told(f"o{n}", 100 * n, 100 * n + 90, "otel_mas", **OURS, **usd(0.1)) for n in range(3)]
    theirs = [told(f"t{n}", 100 * n - 2, 100 * n + 89, "another") for n in range(3)]
    alone = told("alone", 10, 95, "another")
    total = cost([*theirs, *ours, alone]).total
    assert (total.calls, total.usd, total.unpriced) == (4, pytest.approx(0.3), 1)


def test_parallel_calls_are_told_apart_by_their_responses() -> None:
    ours = [
        told(f"o{n}", 0, 100, "otel_mas", **OURS, **usd(0.1), **{names.GEN_AI_RESPONSE_ID: f"r{n}"}) for n in range(2)
    ]
    theirs = [told(f"t{n}", 0, 100, "another", **{names.GEN_AI_RESPONSE_ID: f"r{n}"}) for n in range(3)]
    assert cost([*ours, *theirs]).total.calls == 3


def test_a_short_request_inside_of_a_long_call_is_the_same_call_where_it_used_as_many_tokens() -> None:
    """What LangChain does around a request takes most of the time on a busy machine."""
    ours = told("o", 0, 100, "otel_mas", **OURS, **usd(0.1))
    same, other = (told("t", 60, 75, "another", **{names.GEN_AI_USAGE_INPUT_TOKENS: count}) for count in (10, 11))
    assert cost([ours, same]).total.calls == 1
    assert cost([ours, other]).total.calls == 2


def test_another_model_at_the_same_time_is_another_call() -> None:
    other = told("t", 0, 100, "another", **{names.GEN_AI_REQUEST_MODEL: "n"})
    assert cost([told("o", 0, 100, "otel_mas", **OURS), other]).total.calls == 2


def test_an_instrumentor_that_calls_every_graph_an_agent_does_not_name_ours() -> None:
    graph = {names.GEN_AI_OPERATION_NAME: "invoke_agent", names.GEN_AI_AGENT_NAME: "graph"}
    theirs = Span("t1", "g", None, "g", 0, 9, columns=graph, scope=Scope("opentelemetry.instrumentation.langchain"))
    task = span("k", "g", **{names.MAS_RECORD_KIND: "AGENT_TASK"})
    assert [row.name for row in cost([theirs, task, call("1", "k", **OURS)]).by_agent] == [None]
    assert [row.name for row in cost([theirs, call("1", "g")]).by_agent] == ["graph"]


def test_the_kind_of_record_counts_where_there_is_no_operation() -> None:
    assert cost([span("1", **{names.MAS_RECORD_KIND: "LLM_CALL"})]).total.calls == 1
    assert cost([span("1", **{names.MAS_RECORD_KIND: "TOOL_CALL"})]).total.calls == 0


@pytest.mark.parametrize("nonsense", ["many", -5, float("nan"), float("inf"), None, [1]])
def test_nonsense_counts_for_nothing(nonsense: object) -> None:
    columns = {names.GEN_AI_USAGE_INPUT_TOKENS: nonsense, names.MAS_COST_USD: nonsense}
    total = cost([call("1", tokens=0, **columns)]).total
    assert (total.input_tokens, total.usd) == (0, None)


def test_cycles_and_depth_do_no_harm() -> None:
    assert cost([call("1", "2"), call("2", "1")]).total.calls == 1
    deep = [agent("0", "a"), *(span(str(i), str(i - 1)) for i in range(1, 20_000)), call("last", "19999")]
    assert [row.name for row in cost(deep[::-1]).by_agent] == ["a"]
