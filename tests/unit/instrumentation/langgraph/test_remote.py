"""The headers that a `RemoteGraph` sends: ours beside the app's, which are never overwritten."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from langgraph.pregel.remote import RemoteGraph
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

import otel_mas
from otel_mas.instrumentation.langgraph.hook_table import HOOK_TABLE

SPAN = NonRecordingSpan(SpanContext(0xA, 0xB, is_remote=False, trace_flags=TraceFlags(1)))
PARENT = f"00-{0xA:032x}-{0xB:016x}-01"
OURS = {"traceparent": PARENT}


class Runs:
    """The client of a server, as far as `RemoteGraph` calls it: it remembers the headers, and answers nothing."""

    def __init__(self) -> None:
        self.headers: list[Any] = []

    def stream(self, **kwargs: Any) -> Any:
        self.headers.append(kwargs["headers"])
        return iter(())


class AsyncRuns(Runs):
    async def stream(self, **kwargs: Any) -> Any:  # type: ignore[override]
        self.headers.append(kwargs["headers"])
        for nothing in ():
            yield nothing


class Client:
    def __init__(self, runs: Runs) -> None:
        self.runs = runs


@pytest.fixture(autouse=True)
def patched() -> Any:
    HOOK_TABLE.patch()
    yield
    HOOK_TABLE.unpatch()


def sent(headers: dict[str, str] | None, *, way: str = "stream", within: Any = SPAN) -> Any:
    runs = AsyncRuns() if way.startswith("a") else Runs()
    client: Any = Client(runs)
    graph = RemoteGraph("there", client=client, sync_client=client)

    async def read() -> None:
        if way == "ainvoke":
            await graph.ainvoke({}, headers=headers)
        else:
            _ = [event async for event in graph.astream({}, headers=headers)]

    with trace.use_span(within):
        if way == "stream":
            list(graph.stream({}, headers=headers))
        elif way == "invoke":
            graph.invoke({}, headers=headers)
        else:
            asyncio.run(read())
    (found,) = runs.headers
    return found


@pytest.mark.parametrize("way", ["stream", "invoke", "astream", "ainvoke"])
def test_every_way_to_call_sends_the_current_span(way: str) -> None:
    assert sent(None, way=way) == OURS


def test_the_app_s_headers_are_sent_as_well_and_its_own_dict_is_left_alone() -> None:
    mine = {"authorization": "Bearer x"}
    assert sent(mine) == {"authorization": "Bearer x", **OURS}
    assert mine == {"authorization": "Bearer x"}


@pytest.mark.parametrize("name", ["traceparent", "Traceparent"])
def test_a_context_that_the_app_sends_itself_is_the_one_that_is_sent(name: str) -> None:
    assert sent({name: "its own"}) == {name: "its own"}


def test_outside_of_any_span_nothing_is_added() -> None:
    assert sent(None, within=trace.INVALID_SPAN) is None


def test_switched_off_it_is_langgraph_s_own() -> None:
    HOOK_TABLE.unpatch()
    assert sent(None) is None


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", "user.id=ann"), ("agents.example.org", None)])
def test_what_the_run_belongs_to_is_sent_to_listed_hosts_only(host: str, expected: str | None, tmp_path: Any) -> None:
    otel_mas.instrument(store=tmp_path / "runs.db")
    try:
        runs = Runs()
        client: Any = Client(runs)
        client.http = SimpleNamespace(client=httpx.Client(base_url=f"http://{host}:8123"))
        graph = RemoteGraph("there", client=client, sync_client=client)
        with trace.use_span(SPAN), otel_mas.correlation(user="ann"):
            list(graph.stream({}))
    finally:
        otel_mas.shutdown(20)
    (headers,) = runs.headers
    assert headers["traceparent"] == PARENT
    assert headers.get("baggage") == expected
