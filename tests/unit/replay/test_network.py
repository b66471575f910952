"""Requests to models that are no calls of LangChain: refused in a replay where nothing is live."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

import otel_mas
from examples.model_server import ModelServer
from otel_mas.errors import ReplayMiss
from otel_mas.replay.network import asks_model

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chat: ChatOpenAI) -> Any:
    """A store with one call of a model."""
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "store.db"))
    otel_mas.instrument()
    chat.invoke("hello")
    otel_mas.flush()
    with otel_mas.open() as source:
        yield source.latest()
    otel_mas.shutdown()


class _Counts(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_error(500)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The URL of a server that answers nothing, and the paths that it was asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Counts)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", server.asked  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()
    thread.join()


def by_openai(url: str) -> Any:
    return openai.OpenAI(base_url=url, api_key="local", max_retries=0).chat.completions.create(**BODY)  # type: ignore[call-overload]


def by_async_openai(url: str) -> Any:
    client = openai.AsyncOpenAI(base_url=url, api_key="local", max_retries=0)
    return asyncio.run(client.chat.completions.create(**BODY))  # type: ignore[call-overload]


def by_urllib3(url: str) -> Any:
    urllib3 = pytest.importorskip("urllib3")
    return urllib3.PoolManager().request("POST", f"{url}/chat/completions", json=BODY)


def by_aiohttp(url: str) -> Any:
    aiohttp = pytest.importorskip("aiohttp")

    async def ask() -> Any:
        async with aiohttp.ClientSession() as session, session.post(f"{url}/chat/completions", json=BODY) as answer:
            return await answer.json()

    return asyncio.run(ask())


def by_embeddings(url: str) -> Any:
    model = OpenAIEmbeddings(base_url=url, api_key="local", check_embedding_ctx_length=False, max_retries=0)  # type: ignore[arg-type]
    return model.embed_query("hello")


@pytest.mark.parametrize("ask", [by_openai, by_async_openai, by_urllib3, by_aiohttp, by_embeddings])
def test_request_without_langchain_is_a_miss_and_reaches_nobody(
    recorded: Any, asked: tuple[str, list[str]], ask: Callable[[str], Any]
) -> None:
    url, paths = asked
    with pytest.raises((ReplayMiss, openai.APIConnectionError)), otel_mas.replay(recorded):
        ask(url)
    assert paths == []


def test_request_whose_error_the_app_catches_is_raised_at_the_end(recorded: Any, server: ModelServer) -> None:
    with pytest.raises(ReplayMiss, match="without LangChain"), otel_mas.replay(recorded), pytest.raises(ReplayMiss):
        by_openai(server.url)
    otel_mas.flush()
    with otel_mas.open() as source:
        (span,) = source.latest().spans
    assert (span.name, span.get("mas.replay.outcome")) == ("POST /v1/chat/completions", "missed")


@pytest.mark.parametrize("policy", [{"live": "models"}, {"on_miss": "live"}])
def test_where_models_are_live_requests_are_made(recorded: Any, server: ModelServer, policy: dict[str, Any]) -> None:
    with otel_mas.replay(recorded, **policy):
        assert by_openai(server.url).choices


def test_other_requests_are_made(recorded: Any, server: ModelServer) -> None:
    with otel_mas.replay(recorded):
        assert httpx.get(server.url, trust_env=False).status_code


def test_after_a_replay_requests_are_made(recorded: Any, server: ModelServer) -> None:
    with otel_mas.replay(recorded):
        pass
    assert by_openai(server.url).choices


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/models",
        "https://own.openai.azure.com/openai/deployments/d/chat/completions?api-version=1",
        "http://gateway.local:4000/v1/messages",
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent",
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse",
        "https://api.cohere.com/v2/rerank",
    ],
)
def test_models_are_known_by_path_or_host(url: str) -> None:
    assert asks_model(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://storage.googleapis.com/bucket/object",
        "https://example.com/messages",
        "http://localhost:4318/v1/traces",
        "https://huggingface.co/sentence-transformers/model",
    ],
)
def test_other_services_are_no_models(url: str) -> None:
    assert not asks_model(url)
