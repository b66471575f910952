"""Marked agents run in a replay, in each of their forms, and what they call is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langgraph.func import entrypoint, task

import otel_mas
from otel_mas.semconv import attributes as names

ran: list[str] = []


@otel_mas.tool
def lookup(word: str) -> str:
    ran.append(f"lookup {word}")
    return f"{word} {len(ran)}"


@otel_mas.tool
async def fetch(word: str) -> str:
    ran.append(f"fetch {word}")
    return f"{word} {len(ran)}"


class Guides(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        ran.append(f"guides {query}")
        return [Document(f"{query} {len(ran)}")]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        ran.append(f"async guides {query}")
        return [Document(f"{query} {len(ran)}")]


@otel_mas.agent
def clerk(word: str) -> str:
    ran.append("clerk")
    return lookup(word)


@otel_mas.agent
async def async_clerk(word: str) -> Any:
    ran.append("async clerk")
    both = await asyncio.gather(fetch(f"{word} 1"), fetch(f"{word} 2"))
    return both, [one.page_content for one in await Guides().ainvoke(word)]


@otel_mas.agent
def chief(word: str) -> list[str]:
    ran.append("chief")
    return [clerk(word), clerk(word), Guides().invoke(word)[0].page_content]


@otel_mas.agent
def writer(word: str) -> Iterator[str]:
    ran.append("writer")
    yield lookup(word)
    yield lookup(f"{word} again")


@otel_mas.agent
async def async_writer(word: str) -> AsyncIterator[str]:
    ran.append("async writer")
    yield await fetch(word)
    yield await fetch(f"{word} again")


def functional() -> Any:
    @task
    def step(word: str) -> str:
        return clerk(word)

    @entrypoint()
    def flow(word: str) -> Any:
        return [one.result() for one in [step(word), step(f"{word} too")]]

    return flow.invoke("a")


def blocks() -> Any:
    with otel_mas.workflow("job"), otel_mas.agent("outer"):
        first = lookup("same")
        with otel_mas.agent("inner"):
            return first, lookup("same")


async def read(stream: AsyncIterator[str]) -> list[str]:
    return [one async for one in stream]


FORMS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "function": (lambda: clerk("a"), ["clerk"]),
    "coroutine": (lambda: asyncio.run(async_clerk("a")), ["async clerk"]),
    "nested": (lambda: chief("a"), ["chief", "clerk", "clerk"]),
    "generator": (lambda: list(writer("a")), ["writer"]),
    "async generator": (lambda: asyncio.run(read(async_writer("a"))), ["async writer"]),
    "functional": (functional, ["clerk", "clerk"]),
    "blocks": (blocks, []),
}


@otel_mas.agent
def idle(word: str) -> str:
    return word


@otel_mas.agent
def idle_stream(word: str) -> Iterator[str]:
    yield word


def idle_block() -> None:
    with otel_mas.workflow("idle"):
        idle("a")


IDLE: dict[str, Callable[[], Any]] = {
    "function": lambda: idle("a"),
    "generator": lambda: list(idle_stream("a")),
    "block": idle_block,
}


@pytest.mark.parametrize("form", IDLE)
def test_agent_that_calls_nothing_is_a_replay_too(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "store.db"))
    otel_mas.instrument()
    try:
        IDLE[form]()
        otel_mas.flush()
        with otel_mas.replay("latest") as session:
            IDLE[form]()
        replayed = session.trace
        marked = [span for span in replayed.spans if span.get(names.MAS_REPLAY_TRACES) is not None]
        assert [span.parent_span_id for span in marked] == [None]  # the outermost alone
        with otel_mas.replay("latest") as again:
            IDLE[form]()
        assert again.recording.trace_ids == session.recording.trace_ids  # the latest that is no replay itself
    finally:
        otel_mas.shutdown()


@pytest.mark.parametrize("form", FORMS)
def test_agent_runs_and_what_it_calls_is_answered(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, agents = FORMS[form]
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "store.db"))
    otel_mas.instrument()
    try:
        ran.clear()
        recorded = app()
        called = len(ran) - len(agents)
        otel_mas.flush()
        ran.clear()
        with otel_mas.replay("latest") as session:
            assert app() == recorded
        assert ran == agents
        assert (session.answered, session.missed) == (called, 0)
    finally:
        otel_mas.shutdown()
