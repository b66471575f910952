"""The plan of a counterfactual replay tells what is known of the tokens and the price, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph

import otel_mas
from otel_mas.replay.plan import Plan
from otel_mas.report.terminal import replay as terminal

Plans = Callable[..., Plan]


@pytest.fixture
def planned(tmp_path: Path) -> Iterator[Plans]:
    """`planned(*models)`: the plan where each of several nodes asks its model, and a change in the first is made."""
    otel_mas.instrument(store=tmp_path / "runs.db")

    def plan(*models: ChatOpenAI | FakeListChatModel) -> Plan:
        graph = StateGraph(dict)
        names = [f"node{number}" for number in range(len(models))]
        for name, model in zip(names, models, strict=True):
            graph.add_node(name, lambda state, model=model: {"last": model.invoke("Go on.").content})
        for one, next_one in zip([START, *names], names, strict=False):
            graph.add_edge(one, next_one)
        graph.compile().invoke({"last": ""})
        otel_mas.flush()
        with otel_mas.replay("latest") as session:
            session.change("node0#1", prompt="Be brief.")
            found = session.plan()
            session.counterfactual.changes.all.clear()
        return found

    yield plan
    otel_mas.shutdown()


def test_unknown_usage_is_said_to_be_unknown(planned: Plans) -> None:
    found = planned(FakeListChatModel(responses=["fine"]), FakeListChatModel(responses=["fine"]))
    assert [call.tokens for call in found.calls] == [None, None]
    assert (found.tokens, found.unmeasured) == (0, 2)
    assert "2 of models (an unknown number of tokens, an unknown price)" in str(found)
    shown = "\n".join(line.plain for line in terminal.plan(found, 120))
    assert shown.count("not known") == 4
    assert "0 tokens" not in shown


def test_known_usage_is_a_sum_beside_the_number_of_unknown_ones(planned: Plans, chat: ChatOpenAI) -> None:
    found = planned(chat, FakeListChatModel(responses=["fine"]))
    known = found.calls[0].tokens
    assert known
    assert (found.tokens, found.unmeasured, found.unpriced) == (known, 1, 1)
    assert f"about {known:,} tokens" in str(found)
    assert "1 without a known usage, 1 without a known price" in str(found)
