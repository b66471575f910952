"""Calls recorded by the real recording into a real store, as a replay reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from langchain_openai import ChatOpenAI

import otel_mas
from examples.model_server import ModelServer
from otel_mas.model import Message
from otel_mas.replay.place import TaskPlace
from otel_mas.replay.recording import CallKind, RecordedCall
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind

_KINDS = {
    RecordKind.LLM_CALL: CallKind.MODEL,
    RecordKind.TOOL_CALL: CallKind.TOOL,
    RecordKind.RETRIEVAL: CallKind.RETRIEVER,
}
Record = Callable[[Callable[[], object]], list[RecordedCall]]


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    with ModelServer(pace=0) as running:
        yield running


@pytest.fixture
def chat(server: ModelServer) -> ChatOpenAI:
    return ChatOpenAI(model="gpt-4o-mini", base_url=server.url, api_key="local", max_retries=0)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """`record(run)`: the calls of models, tools and retrievers in `run`, in start order."""
    store = tmp_path / "store.db"
    otel_mas.instrument(store=str(store))

    def recorded(run: Callable[[], object]) -> list[RecordedCall]:
        run()
        otel_mas.flush()
        return calls(store)

    yield recorded
    otel_mas.shutdown()


def calls(store: Path) -> list[RecordedCall]:
    """The calls in a store, in start order."""
    found = []
    with otel_mas.open(store) as source:
        for one in reversed(source.traces(limit=1000)):
            trace = source.trace(one.trace_id)
            content = trace._content
            for span in trace.spans:
                kind = _KINDS.get(span.record_kind)
                if kind is None:
                    continue
                sides: dict[str, list[Message]] = {"input": [], "output": []}
                for ref in content.refs:
                    if (ref.trace_id, ref.span_id) == (span.trace_id, span.span_id) and ref.direction in sides:
                        sides[ref.direction].append(content.messages[ref.digest])
                name = span.get(names.GEN_AI_TOOL_NAME) or span.get(names.GEN_AI_REQUEST_MODEL) or span.name
                found.append(
                    RecordedCall(
                        span,
                        kind,
                        TaskPlace(),
                        f"{kind}#1",
                        name,
                        tuple(sides["input"]),
                        tuple(sides["output"]),
                        content.of(span),
                    )
                )
    return found
