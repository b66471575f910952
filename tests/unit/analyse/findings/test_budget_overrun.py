"""A run over its budget is told; without a budget, and within it, nothing is."""

from __future__ import annotations

from otel_mas.analyse.findings import RunFacts
from otel_mas.analyse.findings.budget_overrun import budget_overrun
from otel_mas.model import Finding, Severity, Undecided
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

SECOND = 10**9


def run(*, priced: bool = True, **thresholds: float) -> RunFacts:
    """A run of 10 s whose writer makes two calls of 10 + 1 tokens, of $0.01 and $0.03."""
    prices = [{names.MAS_COST_USD: usd} if priced else {} for usd in (0.01, 0.03)]
    return facts(
        made.agent("writer1", 0, 10 * SECOND),
        *(made.call(f"call{i}", i + 1, i + 2, "writer1", **price) for i, price in enumerate(prices)),
        **thresholds,
    )


def only(facts: RunFacts) -> Finding:
    (found,) = budget_overrun(facts)
    assert isinstance(found, Finding)
    assert (found.severity, found.confidence) == (Severity.WARNING, 1.0)
    return found


def test_there_is_no_budget_unless_one_is_set() -> None:
    assert list(budget_overrun(run())) == []


def test_the_cost_is_over_its_budget() -> None:
    found = only(run(budget_usd=0.03))

    assert found.summary == "writer cost $0.0400, over its budget of $0.0300; the dearest call is call1 in writer#1"
    assert (found.subject, found.spans) == ("writer: cost", ("call1", "call0"))
    assert found.saves_usd is not None
    assert round(found.saves_usd, 6) == 0.01


def test_the_tokens_are_over_their_budget() -> None:
    assert only(run(budget_tokens=21)).summary.startswith("writer used 22 tokens, over its budget of 21;")


def test_the_time_is_over_its_budget() -> None:
    found = only(run(budget_seconds=4))

    assert found.summary == "writer took 10.00 s, over its budget of 4.00 s"
    assert (found.spans, found.saves_ns) == (("writer1",), 6 * SECOND)


def test_what_is_within_its_budget_is_not_told() -> None:
    assert list(budget_overrun(run(budget_usd=0.04, budget_tokens=22, budget_seconds=10))) == []


def test_without_prices_the_cost_cannot_be_told() -> None:
    (undecided,) = budget_overrun(run(priced=False, budget_usd=0.01))

    assert isinstance(undecided, Undecided)
    assert undecided.reason == "no model call of writer has a price; no cost was recorded"


def test_each_trace_has_the_budget() -> None:
    calls = [made.agent("writer1", 0, SECOND), made.agent("writer2", 5 * SECOND, 6 * SECOND)]
    assert list(budget_overrun(facts(*calls, budget_seconds=1))) == []
