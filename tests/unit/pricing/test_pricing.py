"""Prices: the same as genai-prices works them out, from its bundled table and nowhere else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from genai_prices import Usage
from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import SpanContext

from otel_mas.pricing import Cost, Price, PriceTable, Tokens

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
MODELS = [(provider.id, model) for provider in providers for model in provider.models]


class Clock:
    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> float:
        return self.moment.timestamp()


@pytest.fixture
def table() -> PriceTable:
    table = PriceTable(Clock(NOON))
    assert table.wait(30)
    return table


def attributes_of(cost: Cost, simulated: bool = False) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    cost.describe(attributes, simulated)
    return attributes


@st.composite
def usages(draw: st.DrawFn) -> Tokens:
    given_, produced = draw(st.integers(0, 600_000)), draw(st.integers(0, 10_000))
    read = draw(st.integers(0, given_))
    written = draw(st.integers(0, given_ - read))
    return Tokens(given_, produced, read, written, draw(st.integers(0, produced)), draw(st.integers(0, written)))


@given(st.sampled_from(MODELS), usages())
def test_every_price_is_the_one_that_genai_prices_works_out(priced: tuple[str, Any], tokens: Tokens) -> None:
    model = priced[1].get_prices(NOON)
    usage = Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_write,
        cache_write_1h_tokens=tokens.cache_write_1h,
        output_reasoning_tokens=tokens.reasoning,
    )
    expected = float(model.calc_price(usage)["total_price"])
    assert Price(model, "", 0).of(tokens) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_cached_tokens_are_part_of_the_input_and_cost_less(table: PriceTable) -> None:
    plain = table.cost("openai", ("gpt-4o",), Tokens(1000, 0)).usd
    cached = table.cost("openai", ("gpt-4o",), Tokens(1000, 0, cache_read=400)).usd
    assert plain == pytest.approx(1000 * 2.5e-6)
    assert cached == pytest.approx(600 * 2.5e-6 + 400 * 1.25e-6)


def test_reasoning_is_part_of_the_output(table: PriceTable) -> None:
    assert table.cost("openai", ("o3",), Tokens(0, 100, reasoning=90)) == table.cost("openai", ("o3",), Tokens(0, 100))


def test_a_cost_names_its_table_and_day(table: PriceTable) -> None:
    cost = table.cost("openai", ("gpt-4o",), Tokens(1, 1))
    assert cost.source is not None
    assert cost.source.startswith("genai-prices ")
    assert cost.source.endswith("(prices for 2026-11-01)")


@pytest.mark.parametrize(
    ("provider", "models", "says"),
    [
        ("openai", ("no-such-model",), "has no price for openai no-such-model"),
        ("no-such-provider", ("gpt-4o",), "has no price for no-such-provider gpt-4o"),
        ("openai", (None, None), "the model is not named"),
    ],
)
def test_a_call_without_a_price_has_no_cost_and_a_reason(
    table: PriceTable, provider: str, models: tuple[str | None, ...], says: str
) -> None:
    cost = table.cost(provider, models, Tokens(1, 1))
    assert cost.usd is None
    assert says in str(cost.missing)
    assert set(attributes_of(cost)) == {"mas.cost.missing"}


def test_contradicting_counts_have_no_cost(table: PriceTable) -> None:
    cost = table.cost("openai", ("gpt-4o",), Tokens(10, 0, cache_read=20))
    assert cost.usd is None
    assert "contradicts itself" in str(cost.missing)


def test_the_first_model_that_has_a_price_counts(table: PriceTable) -> None:
    assert table.cost("azure.ai.openai", ("unknown-deployment", "gpt-4o"), Tokens(1, 0)).usd == pytest.approx(2.5e-6)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("azure.ai.openai", "gpt-4o"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("gcp.gemini", "gemini-2.5-flash"),
        ("gcp.vertex_ai", "gemini-2.5-flash"),
        ("mistral_ai", "mistral-large-latest"),
        ("x_ai", "grok-4"),
        ("anthropic", "claude-sonnet-4-5"),
    ],
)
def test_providers_are_found_by_their_conventional_names(table: PriceTable, provider: str, model: str) -> None:
    assert table.cost(provider, (model,), Tokens(1000, 1000)).usd


def test_without_a_provider_whichever_has_the_model_counts(table: PriceTable) -> None:
    tokens = Tokens(input=1000, output=100)
    assert (
        table.cost(None, ("claude-sonnet-4-5",), tokens).usd
        == table.cost("anthropic", ("claude-sonnet-4-5",), tokens).usd
    )
    unknown = table.cost(None, ("gpt-99",), tokens)
    assert unknown.usd is None
    assert (unknown.missing or "").endswith("has no price for gpt-99")


def test_a_service_tier_has_its_own_price(table: PriceTable) -> None:
    normal = table.cost("openai", ("o3",), Tokens(1000, 1000)).usd
    flexible = table.cost("openai", ("o3",), Tokens(1000, 1000), "flex").usd
    assert normal is not None
    assert flexible == pytest.approx(normal / 2)


def test_a_price_that_depends_on_the_time_of_day_is_looked_up_again() -> None:
    clock = Clock(datetime(2025, 7, 1, 12, tzinfo=UTC))
    table = PriceTable(clock)
    assert table.wait(30)
    by_day = table.cost("deepseek", ("deepseek-chat",), Tokens(1000, 1000)).usd
    clock.moment = clock.moment.replace(hour=18)
    by_night = table.cost("deepseek", ("deepseek-chat",), Tokens(1000, 1000)).usd
    assert by_day is not None
    assert by_night is not None
    assert by_night < by_day


def test_a_simulated_cost_is_marked() -> None:
    assert attributes_of(Cost(1.0, "x", None), simulated=True) == {
        "mas.cost.usd": 1.0,
        "mas.cost.source": "x",
        "mas.cost.simulated": True,
    }


def test_a_table_that_the_app_has_fetched_is_not_used(table: PriceTable) -> None:
    set_custom_snapshot(DataSnapshot(providers=[], from_auto_update=True))
    try:
        assert table.cost("openai", ("gpt-4o",), Tokens(1, 1)).usd
    finally:
        set_custom_snapshot(None)


def test_nothing_is_fetched_and_no_thread_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    before = set(threading.enumerate())
    table = PriceTable()
    assert table.wait(30)
    assert table.cost("openai", ("gpt-4o",), Tokens(1, 1)).usd
    loaders = set(threading.enumerate()) - before
    for thread in loaders:
        thread.join(30)
    assert not any(thread.is_alive() for thread in loaders)


def test_a_call_that_ends_before_the_table_is_loaded_gets_its_cost_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()
    load = PriceTable._load

    def slow(self: PriceTable) -> None:
        assert go_on.wait(30)
        load(self)

    monkeypatch.setattr(PriceTable, "_load", slow)
    table = PriceTable(Clock(NOON))
    context = SpanContext(1, 2, is_remote=False)
    cost = table.cost("openai", ("gpt-4o",), Tokens(1000, 0), None, context)  # would never return if it waited
    span = SimpleNamespace(context=context, attributes={"a": 1, **attributes_of(cost)})
    assert span.attributes["mas.cost.missing"] == "the price table was still being loaded"
    go_on.set()
    table.enrich(span)
    assert span.attributes["mas.cost.usd"] == pytest.approx(0.0025)
    assert span.attributes.keys() == {"a", "mas.cost.usd", "mas.cost.source"}
    other = SimpleNamespace(context=SpanContext(1, 3, is_remote=False), attributes={"a": 1})
    table.enrich(other)
    assert other.attributes == {"a": 1}


def test_a_cost_that_is_missing_later_has_a_reason() -> None:
    table, context = PriceTable(Clock(NOON)), SpanContext(1, 2, is_remote=False)
    span = SimpleNamespace(context=context, attributes={})
    cost = table.cost("openai", ("no-such-model",), Tokens(1, 0), None, context)
    cost.describe(span.attributes, simulated=False)
    table.enrich(span)
    assert "has no price for openai no-such-model" in span.attributes["mas.cost.missing"]


FORKS = """
import os, sys
from otel_mas import pricing
from otel_mas.pricing import PRICES, Tokens
pricing._MAX_WAIT_S = 60.0  # however busy this machine is
assert "genai_prices" not in sys.modules
PRICES.prepare()
child = os.fork()
PRICES.wait(30)
cost = PRICES.cost("openai", ("gpt-4o",), Tokens(1, 1))
if child == 0:
    os._exit(0 if cost.usd else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_forked_while_the_table_loads_has_prices_too() -> None:
    subprocess.run([sys.executable, "-c", FORKS], check=True, timeout=300)


def test_the_context_window_is_the_one_that_genai_prices_has(table: PriceTable) -> None:
    assert table.window("openai", "gpt-4o-mini") == 128_000
    assert table.window("openai", "no-such-model") is None
    assert table.window("nobody", "gpt-4o-mini") is None
