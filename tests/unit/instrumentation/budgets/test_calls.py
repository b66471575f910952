"""The next call of a model or tool is not made once a budget is spent, in whichever way it is called."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import FakeListLLM
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.tools import tool

import otel_mas
from otel_mas.errors import BudgetExceeded, ConfigError
from tests.unit.instrumentation.budgets.conftest import Counted


@tool
def search(query: str) -> str:
    """Search."""
    return f"found {query}"


async def _astream(model: Any) -> None:
    async for _ in model.astream("hello"):
        pass


WAYS: dict[str, Callable[[Any], object]] = {
    "invoke": lambda model: model.invoke("hello"),
    "ainvoke": lambda model: asyncio.run(model.ainvoke("hello")),
    "stream": lambda model: list(model.stream("hello")),
    "astream": lambda model: asyncio.run(_astream(model)),
    "batch": lambda model: model.batch(["hello"]),
    "abatch": lambda model: asyncio.run(model.abatch(["hello"])),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("limits", [{"usd": 1e-9}, {"tokens": 1}, {"calls": 1}, {"calls": 0}])
def test_the_next_request_is_not_sent(counted: Counted, way: str, limits: dict[str, Any]) -> None:
    allowed = 0 if limits == {"calls": 0} else 1
    with otel_mas.budget(**limits) as budget:
        for _ in range(allowed):
            WAYS[way](counted.model)
        for _ in range(2):
            with pytest.raises(BudgetExceeded) as raised:
                WAYS[way](counted.model)
    assert counted.requests == allowed == budget.spent.calls
    (name,) = limits
    assert (raised.value.budget, raised.value.maximum, raised.value.per) == (name, limits[name], "run")
    assert raised.value.spent >= limits[name]
    WAYS[way](counted.model)
    assert counted.requests == allowed + 1, "after the block nothing is limited"


def test_tokens_and_cost_are_those_that_the_model_reports(counted: Counted) -> None:
    with otel_mas.budget(usd=1) as budget:
        usage = counted.model.invoke("hello").usage_metadata
        list(counted.model.stream("hello"))
    assert usage is not None
    assert budget.spent.tokens == 2 * usage["total_tokens"]
    assert budget.spent.usd == pytest.approx(2 * (usage["input_tokens"] * 0.15 + usage["output_tokens"] * 0.6) / 1e6)
    assert (budget.spent.calls, budget.spent.unpriced) == (2, 0)


def test_the_message_says_which_budget_what_is_spent_and_what_was_not_called(counted: Counted) -> None:
    with otel_mas.budget(tokens=10):
        tokens = counted.model.invoke("hello").usage_metadata["total_tokens"]
        with pytest.raises(BudgetExceeded) as raised:
            counted.model.invoke("hello")
    assert str(raised.value) == (
        f"{tokens} tokens of the budget of 10 tokens per run are spent by the block, "
        "so the model gpt-4o-mini was not called"
    )
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is BudgetExceeded
    assert (str(again), again.owner, again.spent) == (str(raised.value), "the block", tokens)


def test_a_call_of_several_prompts_begins_with_all_of_them_or_none(counted: Counted) -> None:
    prompts: list[list[BaseMessage]] = [[HumanMessage(text)] for text in "abc"]
    with otel_mas.budget(calls=2) as budget:
        with pytest.raises(BudgetExceeded):
            counted.model.generate(prompts)
        assert (counted.requests, budget.spent.calls) == (0, 0)
        counted.model.generate(prompts[:2])
    assert budget.spent.calls == 2


def test_tools_are_calls_and_are_stopped_too(counted: Counted) -> None:
    with otel_mas.budget(calls=2) as budget:
        search.invoke("a")
        asyncio.run(search.ainvoke("b"))
        for call in (lambda: search.invoke("c"), lambda: asyncio.run(search.ainvoke("d"))):
            with pytest.raises(BudgetExceeded, match="so the tool search was not called"):
                call()
    assert budget.spent.calls == 2


@pytest.mark.parametrize("recorded", [True, False])
def test_marked_tools_are_calls(counted: Counted, tmp_path: Path, recorded: bool) -> None:
    if recorded:
        otel_mas.instrument(store=tmp_path / "runs.db")
    ran = []

    @otel_mas.tool
    def plain() -> None:
        ran.append("plain")

    @otel_mas.tool("lookup")
    async def coroutine() -> None:
        ran.append("coroutine")

    @otel_mas.tool
    def generator() -> Any:
        ran.append("generator")
        yield 1

    with otel_mas.budget(calls=4) as budget:
        plain()
        asyncio.run(coroutine())
        list(generator())
        with otel_mas.tool("block"):
            ran.append("block")
        for call in (plain, lambda: asyncio.run(coroutine()), lambda: list(generator()), otel_mas.tool("b").__enter__):
            with pytest.raises(BudgetExceeded):
                call()
    otel_mas.shutdown()
    assert ran == ["plain", "coroutine", "generator", "block"]
    assert budget.spent.calls == 4


def test_completion_models_are_stopped(counted: Counted) -> None:
    model = FakeListLLM(responses=["a"])
    with otel_mas.budget(calls=1):
        model.invoke("hello")
        with pytest.raises(BudgetExceeded):
            model.invoke("hello")


def test_each_call_of_a_decorated_function_has_the_whole_budget(counted: Counted) -> None:
    @otel_mas.budget(calls=1)
    def once(times: int) -> int:
        for _ in range(times):
            counted.model.invoke("hello")
        return times

    @otel_mas.budget(calls=1)
    async def aonce() -> None:
        await counted.model.ainvoke("hello")
        await counted.model.ainvoke("hello")

    @otel_mas.budget(calls=1)
    def stream() -> Any:
        yield counted.model.invoke("hello")
        yield counted.model.invoke("hello")

    @otel_mas.budget(calls=1)
    async def astream() -> Any:
        yield await counted.model.ainvoke("hello")
        yield await counted.model.ainvoke("hello")

    async def read() -> None:
        async for _ in astream():
            await counted.model.ainvoke("between, by the reader")

    assert [once(1), once(1)] == [1, 1]
    with pytest.raises(BudgetExceeded):
        once(2)
    with pytest.raises(BudgetExceeded):
        asyncio.run(aonce())
    reader = stream()
    next(reader)
    counted.model.invoke("between, by the reader")
    with pytest.raises(BudgetExceeded):
        next(reader)
    with pytest.raises(BudgetExceeded):
        asyncio.run(read())
    assert counted.requests == 8


def test_budgets_around_each_other_all_hold(counted: Counted) -> None:
    with otel_mas.budget(calls=2) as outer:
        with otel_mas.budget(calls=1) as inner:
            counted.model.invoke("hello")
            with pytest.raises(BudgetExceeded, match="1 call of the budget of 1 call per run is spent"):
                counted.model.invoke("hello")
        counted.model.invoke("hello")
        with pytest.raises(BudgetExceeded, match="2 calls of the budget of 2 calls"):
            counted.model.invoke("hello")
    assert (outer.spent.calls, inner.spent.calls) == (2, 1)


def test_parallel_calls_stay_within_the_number_of_calls(counted: Counted) -> None:
    with otel_mas.budget(calls=5) as budget:
        found = counted.model.batch(["hello"] * 20, {"max_concurrency": 20}, return_exceptions=True)
    assert sum(isinstance(one, BudgetExceeded) for one in found) == 15
    assert counted.requests == 5 == budget.spent.calls


def test_calls_under_way_count_as_much_as_those_before(counted: Counted) -> None:
    """Of 20 calls at once only as many begin as there is money for at the mean price so far."""
    with otel_mas.budget(tokens=10**6) as first:
        counted.model.invoke("hello")
    with otel_mas.budget(tokens=first.spent.tokens * 4) as budget:
        counted.model.invoke("hello")
        found = counted.model.batch(["hello"] * 20, {"max_concurrency": 20}, return_exceptions=True)
    assert sum(not isinstance(one, BudgetExceeded) for one in found) == 3
    assert budget.spent.tokens == first.spent.tokens * 4


def test_at_80_percent_a_warning_is_logged_once(counted: Counted, caplog: pytest.LogCaptureFixture) -> None:
    with otel_mas.budget(calls=5):
        for _ in range(5):
            counted.model.invoke("hello")
    assert [record.getMessage() for record in caplog.records if record.name == "otel_mas"] == [
        "otel-mas: 4 calls of the budget of 5 calls per run are spent by the block"
    ]


def test_calls_without_a_known_price_are_named(counted: Counted, caplog: pytest.LogCaptureFixture) -> None:
    model = FakeListLLM(responses=["a"])
    with otel_mas.budget(usd=0.00001) as budget:
        model.invoke("hello")
        counted.model.invoke("hello")
        counted.model.invoke("hello")
        with pytest.raises(BudgetExceeded, match="the price of 1 model call is not known and not counted"):
            counted.model.invoke("hello")
    assert budget.spent.unpriced == 1
    assert "otel-mas: a budget in USD cannot count the model without a name: its price is not known" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "a budget needs at least one of usd, tokens, calls and seconds"),
        ({"usd": -1}, "a budget needs usd as a number, 0 or more"),
        ({"calls": "3"}, "a budget needs calls as a number, 0 or more"),
        ({"calls": 3, "per": "team"}, "a budget needs per one of run, agent, user, conversation"),
        ({"calls": 3, "every": "day"}, "a budget needs per user or conversation where there is an every"),
        ({"calls": 3, "per": "user", "every": "week"}, "a budget needs every one of hour, day, month"),
    ],
)
def test_bad_limits_are_refused(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        otel_mas.budget(**arguments)


@pytest.mark.parametrize("what", [Counted, "answer", None, 5])
def test_what_it_cannot_hold_for_is_refused(what: Any) -> None:
    """A decorated class would be held to it while it is made, and no longer."""
    with pytest.raises(ConfigError, match="a budget is for a function, not for "):
        otel_mas.budget(calls=1)(what)


def test_without_a_budget_nothing_is_patched() -> None:
    from langchain_core.callbacks.manager import CallbackManager
    from langchain_core.tools import BaseTool

    before = CallbackManager.on_chat_model_start, BaseTool.run
    otel_mas.budget(calls=1)
    assert (CallbackManager.on_chat_model_start, BaseTool.run) == before
