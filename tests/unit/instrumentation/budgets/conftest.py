"""A model of OpenAI's behind a local server, which counts the requests that really go out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from langchain_openai import ChatOpenAI

import otel_mas
from examples.model_server import ModelServer
from otel_mas.instrumentation.budgets import hook_table
from otel_mas.pricing import PRICES


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    with ModelServer(pace=0) as running:
        yield running


class Counted:
    """A model, and the number of requests that its server got."""

    def __init__(self, server: ModelServer) -> None:
        self.requests = 0
        self._client = httpx.Client(event_hooks={"request": [self._count]})
        self.model = ChatOpenAI(
            model="gpt-4o-mini",
            base_url=server.url,
            api_key="local",
            max_retries=0,
            stream_usage=True,
            http_client=self._client,
            http_async_client=httpx.AsyncClient(
                event_hooks={"request": [self._acount]},
                limits=httpx.Limits(max_keepalive_connections=0),  # each test has several event loops
            ),
        )

    def close(self) -> None:
        self._client.close()

    def _count(self, request: httpx.Request) -> None:
        self.requests += 1

    async def _acount(self, request: httpx.Request) -> None:
        self.requests += 1


@pytest.fixture
def counted(server: ModelServer) -> Iterator[Counted]:
    assert PRICES.wait(60)
    found = Counted(server)
    yield found
    found.close()
    hook_table.take_out()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """Records into a store, until the test ends."""
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=path)
    yield path
    otel_mas.shutdown()
