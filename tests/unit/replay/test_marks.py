"""Marked functions are answered from the recording: their bodies do not run again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document

import otel_mas
from otel_mas.errors import ReplayMiss


class Trip:
    """An app whose tools count how often they ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.weather = otel_mas.tool(self._weather)
        self.price = otel_mas.tool("price")(self._price)
        self.search = otel_mas.retrieval("guides")(self._search)

    def _weather(self, city: str) -> dict[str, Any]:
        self.ran.append(f"weather {city}")
        if city == "Nowhere":
            raise LookupError("no such city")
        return {"city": city, "degrees": (1, 2)}

    async def _price(self, city: str, *, nights: int) -> tuple[str, int]:
        self.ran.append(f"price {city}")
        return city, 100 * nights

    def _search(self, query: str) -> list[Document]:
        self.ran.append(f"search {query}")
        return [Document(f"on {query}", metadata={"n": 1})]

    def plan(self, city: str) -> Any:
        with otel_mas.workflow("trip"), otel_mas.agent("planner"):
            found = [self.weather(city), asyncio.run(self.price(city, nights=2)), self.search(city)]
            try:
                self.weather("Nowhere")
            except LookupError as error:
                found.append(str(error))
            return found


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "store.db"))
    otel_mas.instrument()
    said = Trip().plan("Oslo")
    otel_mas.flush()
    yield said
    otel_mas.shutdown()


def test_replay_gives_what_marked_functions_returned_and_raised_and_runs_none(recorded: Any) -> None:
    again = Trip()
    with otel_mas.replay("latest") as session:
        found = again.plan("Oslo")
    assert again.ran == []
    assert found[1:] == recorded[1:]
    assert found[0] == {"city": "Oslo", "degrees": [1, 2]}  # a tuple inside of a value is a list in a recording
    assert (session.answered, session.live, session.missed) == (4, 0, 0)


def test_live_tools_run_and_retrievers_do_not(recorded: Any) -> None:
    again = Trip()
    with otel_mas.replay("latest", live="tools"):
        again.plan("Oslo")
    assert again.ran == ["weather Oslo", "price Oslo", "weather Nowhere"]


def test_other_arguments_are_a_miss(recorded: Any) -> None:
    with pytest.raises(ReplayMiss, match="Bergen"), otel_mas.replay("latest"):
        Trip().plan("Bergen")


def test_after_a_replay_marked_functions_run(recorded: Any) -> None:
    with otel_mas.replay("latest"):
        pass
    again = Trip()
    again.weather("Oslo")
    assert again.ran == ["weather Oslo"]
