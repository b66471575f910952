"""Forms of answers that few models give: a replay has them as the app had them."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.llms import BaseLLM
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import (
    ChatGeneration,
    ChatGenerationChunk,
    ChatResult,
    Generation,
    GenerationChunk,
    LLMResult,
)
from langgraph.graph import START, StateGraph
from langgraph.types import Send

import otel_mas
from tests.unit.replay.test_answers import fields

INVALID = {"type": "invalid_tool_call", "id": "c2", "name": "search", "args": '{"q', "error": "no JSON"}
MESSAGES = {
    "reasoning": AIMessage([{"type": "reasoning", "reasoning": "let me see"}, {"type": "text", "text": "14"}]),
    "thinking": AIMessage(
        [{"type": "thinking", "thinking": "let me see", "signature": "sig"}, {"type": "text", "text": "14"}]
    ),
    "tool calls": AIMessage(
        [{"type": "text", "text": "I look"}, {"type": "tool_use", "id": "t1", "name": "search", "input": {"q": "a"}}],
        tool_calls=[{"type": "tool_call", "id": "t1", "name": "search", "args": {"q": "a"}}],
    ),
    "invalid tool call": AIMessage("", invalid_tool_calls=[INVALID]),
    "responses": AIMessage(
        [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "counted"}]},
            {"type": "text", "text": "14", "annotations": []},
        ],
        response_metadata={"model_name": "gpt-5", "finish_reason": "stop"},
    ),
}
CHUNKS: dict[str, list[list[dict[str, Any]]]] = {
    "anthropic": [
        [{"type": "thinking", "thinking": "let ", "index": 0}],
        [{"type": "thinking", "thinking": "me see", "index": 0}],
        [{"type": "thinking", "signature": "sig", "index": 0}],
        [{"type": "text", "text": "There are ", "index": 1}],
        [{"type": "text", "text": "14.", "index": 1}],
    ],
    "responses": [
        [{"type": "text", "text": "There ", "index": 0}],
        [{"type": "text", "text": "are 14.", "index": 0}],
    ],
}


class State(TypedDict, total=False):
    found: Annotated[list[str], operator.add]


class Says(BaseChatModel):
    """Says messages as candidates of one answer, and chunks of blocks as a stream."""

    messages: tuple[AIMessage, ...] = ()
    chunks: tuple[list[dict[str, Any]], ...] = ()
    live: bool = True

    @property
    def _llm_type(self) -> str:
        return "says"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        assert self.live
        return ChatResult(generations=[ChatGeneration(message=one.model_copy(deep=True)) for one in self.messages])


class Streams(Says):
    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        assert self.live
        for blocks in self.chunks:
            yield ChatGenerationChunk(message=AIMessageChunk(content=[dict(block) for block in blocks]))


class Completes(BaseLLM):
    live: bool = True

    @property
    def _llm_type(self) -> str:
        return "completes"

    def _generate(self, prompts: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> LLMResult:
        assert self.live
        return LLMResult(generations=[[Generation(text=f"{one}!")] for one in prompts])

    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        assert self.live
        for text in (prompt, " and ", "more"):
            chunk = GenerationChunk(text=text)
            if run_manager is not None:
                run_manager.on_llm_new_token(text, chunk=chunk)
            yield chunk


@pytest.fixture
def twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[bool], Any]], Any]]:
    """`twice(app)`: what `app(True)` gave when it was recorded, and `app(False)` in a replay."""
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "store.db"))
    otel_mas.instrument()

    def both(app: Callable[[bool], Any]) -> Any:
        recorded = app(True)
        otel_mas.flush()
        with otel_mas.replay("latest"):
            return recorded, app(False)

    yield both
    otel_mas.shutdown()


@pytest.mark.parametrize("form", MESSAGES)
def test_message_has_the_same_content_and_calls(form: str, twice: Any) -> None:
    first, again = twice(lambda live: fields(Says(messages=(MESSAGES[form],), live=live).invoke("x")))
    for name in ("content", "tool_calls", "invalid_tool_calls"):
        assert again[name] == first[name], name


def test_each_candidate_is_answered(twice: Any) -> None:
    said = (AIMessage("one"), AIMessage("two"))
    first, again = twice(lambda live: Says(messages=said, live=live).generate([[HumanMessage("x")]]).generations[0])
    assert [one.text for one in again] == [one.text for one in first] == ["one", "two"]


@pytest.mark.parametrize("form", CHUNKS)
def test_stream_of_blocks_adds_up_to_the_same_message(form: str, twice: Any) -> None:
    first, again = twice(lambda live: list(Streams(chunks=tuple(CHUNKS[form]), live=live).stream("x")))
    assert [one.text for one in again if one.text] == [one.text for one in first if one.text]
    whole = [sum(chunks[1:], chunks[0]) for chunks in (first, again)]
    assert whole[1].content == whole[0].content


def test_completion_streams_the_same_texts(twice: Any) -> None:
    first, again = twice(lambda live: list(Completes(live=live).stream("more")))
    assert again == first == ["more", " and ", "more"]


def test_completion_streams_the_same_texts_asynchronously(twice: Any) -> None:
    async def read(stream: AsyncIterator[str]) -> list[str]:
        return [one async for one in stream]

    first, again = twice(lambda live: asyncio.run(read(Completes(live=live).astream("more"))))
    assert again == first == ["more", " and ", "more"]


def test_nearest_answers_come_from_the_same_branch_of_a_fan_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "store.db"))

    def team(ask: str) -> Any:
        def branch(state: Any) -> Any:
            model = Says(messages=(AIMessage(f"{ask} {state['n']}"),))
            return {"found": [f"{state['n']}: {model.invoke(f'{ask} the same question').text}"]}

        graph = StateGraph(State)
        graph.add_node("branch", branch)
        graph.add_conditional_edges(START, lambda _: [Send("branch", {"n": n}) for n in range(4)], ["branch"])
        return list(graph.compile(name="team").stream({}, stream_mode="updates"))

    otel_mas.instrument()
    try:
        recorded = team("first")
        otel_mas.flush()
        with otel_mas.replay("latest", on_miss="nearest") as session:
            again = team("second")
    finally:
        otel_mas.shutdown()
    assert sorted(map(str, again)) == sorted(map(str, recorded))
    assert (session.answered, session.missed) == (4, 4)
