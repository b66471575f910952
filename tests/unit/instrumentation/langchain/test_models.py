"""Model calls through langchain-openai's real client, and through models whose ends LangChain forgets."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.globals import set_llm_cache
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.fake import FakeListLLM
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from otel_mas.instrumentation.langchain.hook_table import HOOK_TABLE


class Scripted(BaseChatModel):
    """Answers with a word, fails on `fail`, never answers `wait`."""

    usage: dict[str, Any] | None = None
    response_metadata: dict[str, Any] = {}  # noqa: RUF012

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        if messages[-1].content == "fail":
            raise ValueError("on request")
        answer = AIMessage(content="word", usage_metadata=self.usage, response_metadata=dict(self.response_metadata))
        return ChatResult(generations=[ChatGeneration(message=answer)])

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        if messages[-1].content == "wait":
            await asyncio.sleep(60)
        return self._generate(messages)


class Streaming(Scripted):
    """Streams numbers without end."""

    async def _astream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        for chunk in self._stream(messages):
            await asyncio.sleep(0)
            yield chunk

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        for number in range(10**6):
            yield ChatGenerationChunk(message=AIMessageChunk(content=str(number)))


def test_a_call_has_the_attributes_of_its_request_and_of_its_answer(recorded: Any, chat: Any) -> None:
    answer = chat.invoke(
        [("system", "be brief"), ("human", "hi")], {"metadata": {"thread_id": 7}}, stop=["END"], max_tokens=99
    )
    assert answer.content == "hello world"
    span = recorded.named("chat gpt-4o-mini")
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    attributes = dict(span.attributes)
    assert attributes.pop("server.port") > 0
    assert attributes.pop("mas.cost.source").startswith("genai-prices ")
    assert attributes.pop("mas.cost.usd") == pytest.approx((600 * 0.15 + 400 * 0.075 + 50 * 0.60) / 1e6)
    assert len(attributes.pop("mas.input.messages")) == 2
    assert len(attributes.pop("mas.output.messages")) == 1
    assert attributes == {
        "mas.record.kind": "LLM_CALL",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.seed": 7,
        "gen_ai.request.max_tokens": 99,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.conversation.id": "7",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 400,
        "gen_ai.usage.reasoning.output_tokens": 20,
        "mas.input.modalities": ("text",),
        "mas.output.modalities": ("text",),
        "server.address": "127.0.0.1",
    }
    assert recorded.messages_of(span, "input") == [
        {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
    ]
    assert recorded.messages_of(span, "output") == [
        {"role": "assistant", "parts": [{"type": "text", "content": "hello world"}]}
    ]


def test_a_streamed_call_has_usage_cost_and_time_to_first_chunk(recorded: Any, chat: Any) -> None:
    chunks = list(chat.stream("hi", stream_usage=True))
    assert "".join(chunk.content for chunk in chunks) == "hello world"
    attributes = recorded.named("chat gpt-4o-mini").attributes
    assert 0 < attributes["gen_ai.response.time_to_first_chunk"] < 5
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.usage.input_tokens"] == 1000
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 400
    assert attributes["gen_ai.usage.reasoning.output_tokens"] == 20
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert attributes["gen_ai.response.model"] == "gpt-4o-mini-2024-07-18"
    assert attributes["mas.cost.usd"] > 0


async def test_an_async_stream_is_recorded_like_a_sync_one(recorded: Any, chat: Any) -> None:
    chunks = [chunk async for chunk in chat.astream("hi", stream_usage=True)]
    assert "".join(chunk.content for chunk in chunks) == "hello world"
    attributes = recorded.named("chat gpt-4o-mini").attributes
    assert attributes["gen_ai.usage.output_tokens"] == 50
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0


class Tokens(BaseCallbackHandler):
    """The app's own listener."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.tokens.append(token)


async def test_another_handler_hears_every_chunk_as_if_we_were_not_there(recorded: Any, chat: Any) -> None:
    theirs, atheirs = Tokens(), Tokens()
    chunks = [chunk.content for chunk in chat.stream("hi", {"callbacks": [theirs]})]
    achunks = [chunk.content async for chunk in chat.astream("hi", {"callbacks": [atheirs]})]
    assert "".join(theirs.tokens) == "".join(chunks) == "hello world"
    assert "".join(atheirs.tokens) == "".join(achunks) == "hello world"
    assert len(theirs.tokens) > 2
    assert [span.attributes["gen_ai.request.stream"] for span in recorded.spans] == [True, True]


def test_a_streamed_answer_and_a_whole_one_have_the_same_digest(recorded: Any, chat: Any) -> None:
    chat.invoke("hi")
    list(chat.stream("hi"))
    whole, streamed = (span.attributes["mas.output.messages"] for span in recorded.spans)
    assert whole == streamed


def test_tool_calls_and_definitions_are_recorded(recorded: Any, chat: Any) -> None:
    definition = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    chat.bind(tools=[definition]).invoke("hi")
    list(chat.bind(tools=[definition]).stream("hi"))
    whole, streamed = recorded.spans
    assert recorded.content_of(whole, "gen_ai.tool.definitions") == [definition]
    assert recorded.messages_of(whole, "output")[0]["parts"] == [
        {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Oslo"}},
        {"type": "tool_call", "id": "call_2", "name": "weather", "arguments": {"city": "Rome"}},
    ]
    assert whole.attributes["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert whole.attributes["mas.output.messages"] == streamed.attributes["mas.output.messages"]


def test_an_error_is_an_error(recorded: Any, chat: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="no such thing") as raised:
        chat.invoke("fail")
    span = recorded.named("chat gpt-4o-mini")
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == raised.typename
    assert not {"mas.output.messages", "mas.cost.missing", "mas.output.modalities"} & span.attributes.keys()


@pytest.mark.parametrize("model", ["real", "fake"])
def test_an_abandoned_stream_ends_its_span_without_an_error(recorded: Any, chat: Any, model: str) -> None:
    for chunk in (chat if model == "real" else Streaming()).stream("endless"):
        if chunk.content:
            break
    del chunk
    gc.collect()
    (span,) = recorded.spans
    assert span.status.status_code is StatusCode.UNSET
    assert "error.type" not in span.attributes
    assert recorded.messages_of(span, "output")[0]["parts"][0]["content"]


def test_an_abandoned_stream_of_a_chain_ends_its_span(recorded: Any) -> None:
    chain = ChatPromptTemplate.from_template("{x}") | Streaming()
    for _ in chain.stream({"x": "hi"}):
        break
    gc.collect()
    (span,) = recorded.spans
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("how", ["break", "aclose", "cancel"])
async def test_an_abandoned_async_stream_ends_its_span_without_an_error(recorded: Any, chat: Any, how: str) -> None:
    # Not the real client for a cancellation: on Python 3.11 it swallows one in twelve (`asyncio.wait_for`'s fault).
    stream = (Streaming() if how == "cancel" else chat).astream("endless")
    if how == "cancel":

        async def read(chunks: AsyncIterator[Any]) -> None:
            async for _ in chunks:
                pass

        task = asyncio.create_task(read(stream))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
    else:
        async for chunk in stream:
            if chunk.content:
                break
        if how == "aclose":
            await stream.aclose()
    del stream
    gc.collect()
    for _ in range(50):
        await asyncio.sleep(0.01)
        if recorded.spans:
            break
    (span,) = recorded.spans
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.skipif(not hasattr(BaseChatModel, "stream_events"), reason="needs LangChain 1.1")
def test_a_stream_of_protocol_events_that_is_dropped_ends_its_span(recorded: Any) -> None:
    stream = Streaming().stream_events("hi", version="v3")
    next(iter(stream.text))
    del stream
    gc.collect()
    (span,) = recorded.spans
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes["gen_ai.response.time_to_first_chunk"] > 0


async def test_a_cancelled_call_ends_its_span_and_is_no_error(recorded: Any) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(Scripted().ainvoke("wait"), 0.05)
    (span,) = recorded.spans
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes["error.type"] == "asyncio.exceptions.CancelledError"


def test_the_others_of_a_failed_batch_end_too(recorded: Any) -> None:
    with pytest.raises(ValueError, match="on request"):
        Scripted().generate([[HumanMessage("a")], [HumanMessage("fail")], [HumanMessage("c")]])
    states = [span.status.status_code for span in recorded.spans]
    assert states == [StatusCode.UNSET, StatusCode.ERROR, StatusCode.UNSET]


def test_the_parent_is_what_is_current_and_nothing_stays_attached(recorded: Any) -> None:
    with recorded.tracer.start_as_current_span("outer") as outer:
        model = Streaming()
        stream = model.stream("hi")
        next(stream)
        assert trace.get_current_span() is outer
        Scripted().invoke("hi")
        stream.close()
    parents = {span.parent.span_id for span in recorded.spans if span.name != "outer"}
    assert parents == {outer.get_span_context().span_id}
    assert not trace.get_current_span().get_span_context().is_valid


def test_threads_batches_and_callback_managers_of_the_app_are_reached(recorded: Any) -> None:
    model = Scripted()
    threads = [threading.Thread(target=model.invoke, args=("hi",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    model.batch(["a", "b"])
    model.invoke("hi", {"callbacks": CallbackManager(handlers=[])})
    model.generate([[HumanMessage("hi")]], callbacks=CallbackManager.configure())
    assert len(recorded.spans) == 7


async def test_concurrent_async_calls_are_recorded_once_each(recorded: Any) -> None:
    model = Scripted()
    await asyncio.gather(*(model.ainvoke("hi") for _ in range(5)))
    await model.abatch(["a", "b"])
    assert len(recorded.spans) == 7


def test_patching_twice_records_once_and_unpatching_stops_it(recorded: Any) -> None:
    HOOK_TABLE.patch()
    model = Scripted()
    manager = CallbackManager.configure()
    model.invoke("hi", {"callbacks": manager})
    assert len(recorded.spans) == 1
    HOOK_TABLE.unpatch()
    model.invoke("hi")
    model.invoke("hi", {"callbacks": manager})
    assert len(recorded.spans) == 1
    HOOK_TABLE.patch()
    model.invoke("hi")
    assert len(recorded.spans) == 2


def test_unpatching_leaves_nothing_of_ours_in_langchain(recorded: Any) -> None:
    def code(hook: Any) -> str:
        owner = getattr(sys.modules[hook.module], hook.owner)
        return str(getattr(owner, hook.name).__code__.co_filename)

    imported = [hook for hook in HOOK_TABLE.hooks if hook.module in sys.modules]
    there = [hook for hook in imported if hasattr(getattr(sys.modules[hook.module], hook.owner), hook.name)]
    assert all("otel_mas" in code(hook) for hook in there if not hook.optional)
    HOOK_TABLE.unpatch()
    assert not any("otel_mas" in code(hook) for hook in there)


def test_a_completion_model_is_a_text_completion(recorded: Any) -> None:
    FakeListLLM(responses=["there"]).invoke("hello")
    (span,) = recorded.spans
    assert span.name == "text_completion"
    assert span.attributes["gen_ai.operation.name"] == "text_completion"
    assert span.attributes["mas.record.kind"] == "LLM_CALL"
    assert recorded.messages_of(span, "input") == [{"role": "user", "parts": [{"type": "text", "content": "hello"}]}]
    assert recorded.messages_of(span, "output") == [
        {"role": "assistant", "parts": [{"type": "text", "content": "there"}]}
    ]


def test_a_model_without_a_price_says_so_and_has_no_cost(recorded: Any) -> None:
    Scripted(usage={"input_tokens": 5, "output_tokens": 5, "total_tokens": 10}).invoke("hi")
    Scripted().invoke("hi")
    unpriced, silent = (span.attributes for span in recorded.spans)
    assert unpriced["gen_ai.usage.input_tokens"] == 5
    assert "mas.cost.usd" not in unpriced
    assert unpriced["mas.cost.missing"] == "the model is not named"
    assert silent["mas.cost.missing"] == "the model did not say what it used"
    assert "gen_ai.usage.input_tokens" not in silent


def test_an_answer_from_langchains_cache_costs_nothing_and_uses_no_tokens(recorded: Any, chat: Any) -> None:
    from langchain_core.caches import InMemoryCache

    set_llm_cache(InMemoryCache())
    try:
        chat.invoke("hi")
        chat.invoke("hi")
    finally:
        set_llm_cache(None)
    first, second = (span.attributes for span in recorded.spans)
    assert first["mas.cost.usd"] > 0
    assert second["mas.cost.usd"] == 0
    assert second["mas.cost.source"] == "LangChain cache"
    assert "gen_ai.usage.input_tokens" not in second
    assert first["mas.output.messages"] == second["mas.output.messages"]


def test_media_goes_in_as_modality_and_digest(recorded: Any) -> None:
    picture = {"type": "image", "base64": "aGVsbG8=", "mime_type": "image/png"}
    Scripted().invoke([HumanMessage([{"type": "text", "text": "what is this?"}, picture])])
    (span,) = recorded.spans
    assert span.attributes["mas.input.modalities"] == ("text", "image")
    assert recorded.messages_of(span, "input")[0]["parts"][1] == {
        "type": "blob",
        "modality": "image",
        "mime_type": "image/png",
        "digest": recorded.messages_of(span, "input")[0]["parts"][1]["digest"],
        "size": 5,
    }


def test_structured_output_is_json(recorded: Any, chat: Any) -> None:
    chat.bind(response_format={"type": "json_object"}).invoke("hi")
    assert recorded.spans[0].attributes["gen_ai.output.type"] == "json"
