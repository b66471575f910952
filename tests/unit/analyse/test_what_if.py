"""Cost under changes: calls that are gone, and calls of another model."""

from __future__ import annotations

import pytest

from otel_mas.analyse.what_if import what_if
from otel_mas.causal import CausalGraph, build
from otel_mas.causal.schedule import Faster, Instead, Without, WithoutRetries
from otel_mas.model import Link, Span, Trace
from otel_mas.semconv import LinkKind, RecordKind
from otel_mas.semconv import attributes as names

PRICES = {"gpt-y": 0.25}


def call(span_id: str, start: int, parent: str, usd: float, model: str = "gpt-x") -> Span:
    columns = {
        names.MAS_RECORD_KIND: RecordKind.LLM_CALL,
        names.GEN_AI_REQUEST_MODEL: model,
        names.GEN_AI_USAGE_INPUT_TOKENS: 100,
        names.MAS_COST_USD: usd,
    }
    return Span("t", span_id, parent, f"chat {model}", start, start + 80, columns=columns)


def task(span_id: str, start: int, name: str, *links: Link) -> Span:
    columns = {names.MAS_TASK_ID: span_id, names.MAS_TASK_NAME: name}
    return Span("t", span_id, "w", f"task {name}", start, start + 100, links=links, columns=columns)


@pytest.fixture
def graph() -> CausalGraph:
    return build(
        [
            Trace(
                "t",
                (
                    Span("t", "w", None, "invoke_workflow w", 0, 400),
                    task("first", 0, "writer"),
                    call("call 1", 10, "first", 1.0),
                    task("again", 150, "writer", Link("t", "first", LinkKind.RETRY)),
                    call("call 2", 160, "again", 1.0),
                    task("critic", 300, "critic"),
                    call("call 3", 310, "critic", 0.5, "gpt-y"),
                ),
            )
        ]
    )


def price(span: Span, model: str) -> float | str:
    return PRICES.get(model, f"no price for {model}")


def test_without_changes_cost_is_what_it_was(graph: CausalGraph) -> None:
    answer = what_if(graph)
    assert (answer.recorded_cost.usd, answer.cost.usd, answer.saves_usd, answer.saves_ns) == (2.5, 2.5, 0.0, 0)
    assert what_if(graph, [Faster("writer", 2)]).saves_usd == 0.0


def test_what_is_gone_costs_nothing(graph: CausalGraph) -> None:
    assert what_if(graph, [Without("critic")]).saves_usd == 0.5
    assert what_if(graph, [WithoutRetries()]).saves_usd == 1.0
    gone = what_if(graph, [Without("critic"), Without("writer")])
    assert (gone.cost.calls, gone.cost.usd, gone.saves_usd) == (0, 0.0, 2.5)


def test_another_model_has_its_own_price_and_pace(graph: CausalGraph) -> None:
    answer = what_if(graph, [Instead("gpt-x", "gpt-y"), Faster("gpt-x", 2)], price)
    assert (answer.cost.usd, answer.saves_usd) == (1.0, 1.5)
    assert answer.saves_ns == 80
    assert answer.unpriced == ()


def test_a_price_that_nobody_knows_is_not_taken_for_nothing(graph: CausalGraph) -> None:
    answer = what_if(graph, [Instead("gpt-x", "gpt-z")], price)
    assert answer.saves_usd is None
    assert [(one.span_id, one.model, one.reason) for one in answer.unpriced] == [
        ("call 1", "gpt-z", "no price for gpt-z"),
        ("call 2", "gpt-z", "no price for gpt-z"),
    ]
    assert what_if(graph, [Instead("gpt-x", "gpt-y")]).unpriced[0].reason == "no prices were given"


def test_a_call_that_is_gone_needs_no_new_price(graph: CausalGraph) -> None:
    answer = what_if(graph, [Instead("gpt-x", "gpt-z"), Without("writer")], price)
    assert (answer.unpriced, answer.cost.usd) == ((), 0.5)
