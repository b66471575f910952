"""What a recorded call answers is what the real client answered: message by message, chunk by chunk."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import openai
import pytest
from langchain_core.documents import Document
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.fake import FakeListLLM
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatResult, GenerationChunk
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from examples.model_server import ModelServer
from otel_mas.errors import RecordedError
from otel_mas.replay import answers
from otel_mas.semconv import attributes as names
from tests.unit.replay.conftest import Record


class Replayed(BaseChatModel):
    """LangChain's own code around an answer of a recording, as in a replay."""

    call: Any

    @property
    def _llm_type(self) -> str:
        return "replayed"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return answers.model_result(self.call)

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self


class ReplayedStream(Replayed):
    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        for one in answers.model_chunks(self.call):
            yield one.chunk


def fields(message: BaseMessage) -> dict[str, Any]:
    """All fields of a message but the ids that LangChain makes anew in every run."""
    found = message.model_dump()
    if str(found["id"]).startswith("lc_run-"):
        del found["id"]
    return found


@tool
def search(query: str, limit: int) -> str:
    """Search."""
    return f"{limit} of {query}"


def test_answered_text_is_the_message_of_the_client_in_every_field(record: Record, chat: ChatOpenAI) -> None:
    said: list[AIMessage] = []
    (call,) = record(lambda: said.append(chat.invoke("tell me of the sea")))
    assert fields(Replayed(call=call).invoke("x")) == fields(said[0])


def test_answered_tool_calls_have_the_ids_and_arguments_of_the_client(record: Record, chat: ChatOpenAI) -> None:
    said: list[AIMessage] = []
    (call,) = record(lambda: said.append(chat.bind_tools([search]).invoke("find the sea")))
    assert said[0].tool_calls
    assert fields(Replayed(call=call).invoke("x")) == fields(said[0])


@pytest.mark.parametrize("tools", [[], [search]])
def test_stream_has_the_same_chunks(record: Record, chat: ChatOpenAI, tools: list[Any]) -> None:
    said: list[AIMessageChunk] = []
    model: Any = chat.bind_tools(tools) if tools else chat
    (call,) = record(lambda: said.extend(model.stream("find the sea and the bridge over it")))
    again = list(ReplayedStream(call=call).stream("x"))
    assert len(said) > 4
    assert list(map(fields, again)) == list(map(fields, said))


def test_stream_with_usage_has_it_in_the_same_chunk(record: Record, chat: ChatOpenAI) -> None:
    said: list[AIMessageChunk] = []
    (call,) = record(lambda: said.extend(chat.stream("find the sea", stream_usage=True)))
    assert any(one.usage_metadata for one in said)
    assert list(map(fields, ReplayedStream(call=call).stream("x"))) == list(map(fields, said))


class Slow(FakeListLLM):
    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        for text in "abcd":
            time.sleep(0.01)
            chunk = GenerationChunk(text=text)
            run_manager.on_llm_new_token(text, chunk=chunk)
            yield chunk


def test_chunks_come_with_the_time_that_they_took(record: Record) -> None:
    llm = Slow(responses=["unused"])
    (call,) = record(lambda: list(llm.stream("x")))
    found = list(answers.completion_chunks(call))
    assert [one.chunk.text for one in found] == ["a", "b", "c", "d"]
    assert all(one.delay_ns >= 9_000_000 for one in found)


def test_structured_output_parses_as_it_did(record: Record, chat: ChatOpenAI) -> None:
    class Trip(BaseModel):
        city: str
        days: int

    said: list[Any] = []
    (call,) = record(lambda: said.append(chat.with_structured_output(Trip).invoke("three days in Oslo")))
    replayed = answers.model_result(call).generations[0].message
    assert Trip.model_validate_json(str(replayed.content)) == said[0]


def test_completion_is_answered_with_its_text(record: Record) -> None:
    (call,) = record(lambda: FakeListLLM(responses=["a word"]).invoke("x"))
    assert answers.completion_result(call).generations[0][0].text == "a word"


def test_client_error_is_raised_as_what_it_was(record: Record, server: Any) -> None:
    chat = ChatOpenAI(model="none-such", base_url=server.url, api_key="local", max_retries=0)
    was: list[openai.NotFoundError] = []

    def fails() -> None:
        with pytest.raises(openai.NotFoundError) as raised:
            chat.invoke("x")
        was.append(raised.value)

    (call,) = record(fails)
    with pytest.raises(openai.NotFoundError) as raised:
        answers.model_result(call)
    assert type(raised.value) is type(was[0])
    for name in ("status_code", "code", "param", "type", "body", "message", "request_id"):
        assert getattr(raised.value, name) == getattr(was[0], name)
    assert str(raised.value) == str(was[0])


def test_rate_limit_has_the_headers_that_say_when_to_come_again(record: Record) -> None:
    with ModelServer(pace=0, tokens_per_minute=1) as limited:
        chat = ChatOpenAI(model="gpt-4o-mini", base_url=limited.url, api_key="local", max_retries=0)

        def fails() -> None:
            with pytest.raises(openai.RateLimitError):
                chat.invoke("too long for it")

        (call,) = record(fails)
    with pytest.raises(openai.RateLimitError) as raised:
        answers.model_result(call)
    assert raised.value.response.status_code == 429
    assert raised.value.code == "rate_limit_exceeded"


def test_exception_of_a_class_that_is_not_loaded_carries_its_name(record: Record) -> None:
    class Local(Exception):
        pass

    @tool
    def broken() -> str:
        """Break."""
        raise Local("no wind")

    def fails() -> None:
        with pytest.raises(Local):
            broken.invoke({})

    (call,) = record(fails)
    with pytest.raises(RecordedError, match="no wind") as raised:
        answers.tool_result(call)
    assert raised.value.name.endswith("Local")


class Fixed(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document("one", metadata={"page": 1}, id="a"), Document("two")]


def test_retriever_is_answered_with_its_documents(record: Record) -> None:
    found: list[list[Document]] = []
    (call,) = record(lambda: found.append(Fixed().invoke("x")))
    assert answers.documents(call) == found[0]


def test_recording_of_an_earlier_version_answers_from_what_its_span_says(record: Record, chat: ChatOpenAI) -> None:
    said: list[AIMessage] = []
    model: Any = chat.bind_tools([search])
    (call,) = record(lambda: said.append(model.invoke("find the sea")))
    newer = (names.MAS_RESPONSE_DETAILS, names.MAS_RESPONSE_CHUNKS)
    old = replace(call, contents={name: value for name, value in call.contents.items() if name not in newer})
    again = Replayed(call=old).invoke("x")
    assert (again.content, again.tool_calls) == (said[0].content, said[0].tool_calls)
    assert again.usage_metadata is not None
    assert said[0].usage_metadata is not None
    assert again.usage_metadata["total_tokens"] == said[0].usage_metadata["total_tokens"]
    (chunk,) = [one.chunk for one in answers.model_chunks(old)]
    assert chunk.message.tool_calls == said[0].tool_calls
