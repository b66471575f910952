"""The local model server, asked by the real clients."""

from __future__ import annotations

import base64
import json
import socket
import struct
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from examples.model_server import ModelServer
from examples.model_server.tokens import count_tokens, tokenize

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}, "days": {"type": "integer"}}},
    },
}
TIME: dict[str, Any] = {
    "type": "function",
    "function": {"name": "time", "parameters": {"type": "object", "properties": {"place": {"type": "string"}}}},
}
HELLO: list[Any] = [{"role": "user", "content": "What is the weather in Elmstead?"}]


def ask_at(server: ModelServer, key: str = "local") -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key=key, max_retries=0)


@pytest.fixture
def client(server: ModelServer) -> Iterator[openai.OpenAI]:
    with ask_at(server) as client:
        yield client


@pytest.fixture
def chat(server: ModelServer) -> Iterator[ChatOpenAI]:
    with openai.DefaultHttpxClient() as http_client:
        yield ChatOpenAI(
            model="gpt-4o-mini",
            base_url=server.url,
            api_key=SecretStr("local"),
            max_retries=0,
            stream_usage=True,
            http_client=http_client,
        )


def test_an_answer_has_the_shape_of_openais(client: openai.OpenAI) -> None:
    made = client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert made.object == "chat.completion"
    assert made.id.startswith("chatcmpl-")
    assert made.model == "gpt-4o-2024-08-06"
    assert made.choices[0].finish_reason == "stop"
    assert made.choices[0].message.role == "assistant"
    assert made.choices[0].message.content == "I have nothing on record about weather Elmstead."
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens


def test_the_same_request_gets_the_same_answer_whatever_came_before(client: openai.OpenAI) -> None:
    def ask(seed: int) -> dict[str, Any]:
        made = client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[WEATHER, TIME], seed=seed)
        return made.model_dump(exclude={"created"})

    first, other = ask(1), ask(2)
    assert ask(1) == first
    assert other != first


def test_a_stream_adds_up_to_the_answer(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="gpt-4o", messages=HELLO)
    chunks = list(
        client.chat.completions.create(
            model="gpt-4o", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    texts = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(texts) == whole.choices[0].message.content
    assert sum(bool(text) for text in texts) > 1
    assert {chunk.id for chunk in chunks} == {whole.id}
    reasons = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_stream_has_no_usage_unless_requested(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))
    assert all(chunk.usage is None for chunk in chunks)
    assert all(chunk.choices for chunk in chunks)


def test_tools_are_called_in_parallel_with_arguments_that_fit(client: openai.OpenAI) -> None:
    made = client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[WEATHER, TIME])
    calls: Any = made.choices[0].message.tool_calls
    assert made.choices[0].finish_reason == "tool_calls"
    assert made.choices[0].message.content is None
    assert [call.function.name for call in calls] == ["weather", "time"]
    assert len({call.id for call in calls}) == 2
    arguments = json.loads(calls[0].function.arguments)
    assert arguments["place"] == "weather Elmstead"
    assert isinstance(arguments["days"], int)


def test_streamed_tool_calls_come_in_chunks_that_add_up(client: openai.OpenAI) -> None:
    whole: Any = client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[WEATHER, TIME])
    parts: dict[int, list[Any]] = {}
    for chunk in client.chat.completions.create(model="gpt-4o", messages=HELLO, tools=[WEATHER, TIME], stream=True):
        for part in chunk.choices[0].delta.tool_calls or ():
            parts.setdefault(part.index, []).append(part)
    calls = whole.choices[0].message.tool_calls
    assert [parts[at][0].id for at in (0, 1)] == [call.id for call in calls]
    assert [parts[at][0].function.name for at in (0, 1)] == ["weather", "time"]
    joined = ["".join(part.function.arguments for part in parts[at]) for at in (0, 1)]
    assert joined == [call.function.arguments for call in calls]
    assert len(parts[0]) > 2


@pytest.mark.parametrize(
    ("choice", "parallel", "called"),
    [
        ("none", True, []),
        ("auto", False, ["weather"]),
        ("required", True, ["weather", "time"]),
        ({"type": "function", "function": {"name": "time"}}, True, ["time"]),
    ],
)
def test_a_tool_choice_is_respected(client: openai.OpenAI, choice: Any, parallel: bool, called: list[str]) -> None:
    made = client.chat.completions.create(
        model="gpt-4o", messages=HELLO, tools=[WEATHER, TIME], tool_choice=choice, parallel_tool_calls=parallel
    )
    calls: Any = made.choices[0].message.tool_calls or []
    assert [call.function.name for call in calls] == called


def test_messages_of_an_earlier_request_count_as_cached(client: openai.OpenAI) -> None:
    long = "All there is to know about trams. " * 100
    start: list[Any] = [{"role": "system", "content": long}, *HELLO]
    first = client.chat.completions.create(model="gpt-4o", messages=start)
    turn = {"role": "assistant", "content": first.choices[0].message.content}
    second = client.chat.completions.create(
        model="gpt-4o", messages=[*start, turn, {"role": "user", "content": "Go on"}]
    )
    assert first.usage is not None
    assert second.usage is not None
    assert first.usage.prompt_tokens_details is not None
    assert second.usage.prompt_tokens_details is not None
    assert first.usage.prompt_tokens_details.cached_tokens == 0
    cached = second.usage.prompt_tokens_details.cached_tokens
    assert cached is not None
    assert cached > 0
    assert cached % 128 == 0
    assert cached <= first.usage.prompt_tokens


@pytest.mark.parametrize(("model", "thinks"), [("o4-mini", True), ("gpt-5-mini", True), ("gpt-4o", False)])
def test_reasoning_models_count_their_reasoning_as_output(client: openai.OpenAI, model: str, thinks: bool) -> None:
    made = client.chat.completions.create(model=model, messages=HELLO)
    assert made.usage is not None
    assert made.usage.completion_tokens_details is not None
    reasoning = made.usage.completion_tokens_details.reasoning_tokens
    assert reasoning is not None
    assert (reasoning > 0) is thinks
    assert made.usage.completion_tokens == reasoning + count_tokens(made.choices[0].message.content or "")


def test_an_answer_is_cut_at_the_most_tokens_and_at_stop(client: openai.OpenAI) -> None:
    short = client.chat.completions.create(model="gpt-4o", messages=HELLO, max_completion_tokens=3)
    assert short.choices[0].finish_reason == "length"
    assert short.usage is not None
    assert short.usage.completion_tokens == 3
    stopped = client.chat.completions.create(model="gpt-4o", messages=HELLO, stop=[" on record"])
    assert stopped.choices[0].message.content == "I have nothing"


@pytest.mark.parametrize("text", ["", "  ", "Elmstead's tram, 4.2 km!", " naïve  \n café ", "日本語のテキスト"])
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokenize(text)) == text
    assert count_tokens(text) in (len(tokenize(text)), 0)


def test_an_image_is_read_as_tokens_only(client: openai.OpenAI) -> None:
    picture = "data:image/png;base64," + base64.b64encode(b"x" * 4000).decode()
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": picture}}]
    messages: list[Any] = [{"role": "user", "content": parts}]
    made = client.chat.completions.create(model="gpt-4o", messages=messages)
    assert made.usage is not None
    assert 85 < made.usage.prompt_tokens < 110


def test_a_wrong_key_is_401(server: ModelServer) -> None:
    with ask_at(server, "sk-wrong") as client, pytest.raises(openai.AuthenticationError) as refused:
        client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert refused.value.code == "invalid_api_key"
    assert "sk-wrong" not in str(refused.value)


def test_no_key_is_401(server: ModelServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server.url}/models")
    assert refused.value.code == 401
    refused.value.close()


def test_an_unknown_model_and_an_unknown_url_are_404(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="gpt-0", messages=HELLO)
    assert refused.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        client.embeddings.create(model="text-embedding-3-small", input="x")


TOOL_ANSWER = {"role": "tool", "tool_call_id": "call_1", "content": "rain"}
CALLING = {
    "role": "assistant",
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": []}, "empty array"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "Invalid value: 'robot'"),
        ({"messages": [*HELLO, TOOL_ANSWER]}, "must answer a preceding message"),
        ({"messages": [*HELLO, CALLING]}, "did not have response messages: call_1"),
        ({"messages": [*HELLO, CALLING, *HELLO]}, "did not have response messages: call_1"),
        ({"messages": HELLO, "tool_choice": "auto"}, "only allowed when 'tools' are specified"),
        ({"messages": HELLO, "stream_options": {"include_usage": True}}, "only allowed when 'stream' is enabled"),
        ({"messages": HELLO, "max_tokens": 0}, "not a positive integer"),
        ({"messages": HELLO, "tools": [{"type": "function"}]}, "expected a named function"),
        ({"messages": HELLO, "seed": "seven"}, "could not make sense of your request"),
    ],
)
def test_a_request_that_makes_no_sense_is_400(client: openai.OpenAI, body: dict[str, Any], message: str) -> None:
    with pytest.raises(openai.BadRequestError, match=message) as refused:
        client.chat.completions.create(**{"model": "gpt-4o", **body})
    assert refused.value.type == "invalid_request_error"


def test_a_body_that_is_not_json_is_400(server: ModelServer) -> None:
    headers = {"Authorization": "Bearer local", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.url}/chat/completions", b"{", headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 400
    assert json.load(refused.value)["error"]["type"] == "invalid_request_error"
    refused.value.close()


def test_a_request_beyond_the_limit_is_429() -> None:
    with ModelServer(pace=0, tokens_per_minute=100) as server, ask_at(server) as client:
        client.chat.completions.create(model="gpt-4o", messages=HELLO)
        with pytest.raises(openai.RateLimitError, match="Limit 100") as refused:
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "tram " * 200}])
    assert refused.value.code == "rate_limit_exceeded"


def test_models_can_be_listed(client: openai.OpenAI) -> None:
    assert "gpt-4o-mini" in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-4o").id == "gpt-4o"


def test_langchain_reads_the_answer_its_usage_and_its_metadata(chat: ChatOpenAI) -> None:
    made = chat.invoke("Where is Elmstead?")
    assert made.response_metadata["model_name"] == "gpt-4o-mini-2024-07-18"
    assert made.response_metadata["finish_reason"] == "stop"
    assert made.usage_metadata is not None
    assert made.usage_metadata["input_token_details"]["cache_read"] == 0
    assert made.usage_metadata["output_token_details"]["reasoning"] == 0


def test_langchain_streams_tool_calls_and_usage(chat: ChatOpenAI) -> None:
    @tool
    def weather(place: str, days: int) -> str:
        """The weather."""
        return f"{place} {days}"

    @tool
    def clock(place: str) -> str:
        """The time."""
        return place

    bound = chat.bind_tools([weather, clock])
    chunks = list(bound.stream("What is it like in Elmstead?"))
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    whole = bound.invoke("What is it like in Elmstead?")
    assert [call["name"] for call in total.tool_calls] == ["weather", "clock"]
    assert total.tool_calls == whole.tool_calls
    assert total.usage_metadata == whole.usage_metadata
    assert [clock.invoke(call["args"]) for call in total.tool_calls[1:]] == ["like Elmstead"]


async def test_langchain_streams_asynchronously(chat: ChatOpenAI) -> None:
    texts = [chunk.text async for chunk in chat.astream("Where is Elmstead?")]
    assert "".join(texts) == chat.invoke("Where is Elmstead?").text


class Choice(BaseModel):
    who: Literal["reader", "writer"]
    headings: list[str]


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output_fits_its_schema(chat: ChatOpenAI, method: Any) -> None:
    choice = chat.with_structured_output(Choice, method=method).invoke(
        [SystemMessage("Choose."), HumanMessage("Who is next?")]
    )
    assert isinstance(choice, Choice)
    assert choice.who == "reader"
    assert len(choice.headings) == 4


def test_a_choice_of_speakers_skips_who_has_spoken(client: openai.OpenAI) -> None:
    schema = Choice.model_json_schema()
    spoke: list[Any] = [*HELLO, {"role": "assistant", "name": "reader", "content": "It rains."}]
    tools: list[Any] = [{"type": "function", "function": {"name": "choose", "parameters": schema}}]
    forced: Any = {"type": "function", "function": {"name": "choose"}}
    made: Any = client.chat.completions.create(model="gpt-4o", messages=spoke, tools=tools, tool_choice=forced)
    assert json.loads(made.choices[0].message.tool_calls[0].function.arguments)["who"] == "writer"


def test_requests_are_answered_side_by_side(server: ModelServer, client: openai.OpenAI) -> None:
    with socket.create_connection(("127.0.0.1", port_of(server))) as first:
        lines = ["POST /v1/chat/completions HTTP/1.1", "Authorization: Bearer local", "Content-Length: 100"]
        first.sendall("\r\n".join(lines).encode() + b"\r\n\r\n{")  # its end is not sent
        assert client.chat.completions.create(model="gpt-4o", messages=HELLO).choices


def port_of(server: ModelServer) -> int:
    return int(server.url.rsplit(":", 1)[1].split("/")[0])


def test_it_listens_on_this_machine_only(server: ModelServer) -> None:
    assert server.url.startswith("http://127.0.0.1:")


def test_a_client_that_hangs_up_in_a_stream_disturbs_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    with ModelServer(pace=1) as server, ask_at(server) as client:
        body = json.dumps({"model": "gpt-4o", "messages": HELLO, "stream": True}).encode()
        lines = ["POST /v1/chat/completions HTTP/1.1", "Authorization: Bearer local", f"Content-Length: {len(body)}"]
        with socket.create_connection(("127.0.0.1", port_of(server))) as connection:
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            connection.recv(10)
            # Closed with a reset, as when the process dies.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(0.5)
        assert client.chat.completions.create(model="gpt-4o", messages=HELLO).choices
    assert capfd.readouterr().err == ""
