"""A `RemoteGraph` and the real LangGraph server that it calls: one trace, through both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph
from langgraph.pregel.remote import RemoteGraph
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

from tests.accuracy.trees import spans_of, trees
from tests.backends.build import NoBackend
from tests.backends.langgraph_server import LangGraphServer, environment
from tests.unavailable import unavailable

REQUEST = "POST /runs/stream(worker.stream_run(invoke_workflow served(task answer(work))))"


class State(TypedDict):
    text: str


@pytest.fixture
def server(surroundings: dict[str, str], recorded: Path, tmp_path: Path) -> Iterator[LangGraphServer]:
    try:
        bin_folder = environment(surroundings)
    except NoBackend as error:
        unavailable(error, surroundings)
    folder = tmp_path / "server"
    folder.mkdir()
    graph = f"{Path(__file__).with_name('remote.py')}:served"
    started = LangGraphServer(bin_folder, folder, graph, recorded)
    try:
        started.wait()
        yield started
    finally:
        started.stop()


def calling(**nodes: Any) -> Any:
    builder = StateGraph(State)
    last = START
    for name, node in nodes.items():
        builder.add_node(name, node)
        builder.add_edge(last, name)
        last = name
    return builder.compile(name="caller")


def test_what_a_server_runs_for_a_remote_graph_is_inside_of_the_task_that_called_it(
    server: LangGraphServer, recorded: Path
) -> None:
    remote = RemoteGraph("served", url=server.url)

    def sync(state: State) -> Any:
        return remote.invoke({"text": state["text"]})

    async def asynchronous(state: State) -> Any:
        return await remote.ainvoke({"text": state["text"]})

    result = asyncio.run(calling(sync=sync, asynchronous=asynchronous).ainvoke({"text": "a"}))
    assert result == {"text": "a!!"}
    # As a node itself; and with the HTTP client's own spans in between.
    assert calling(remote=remote).invoke({"text": "b"}) == {"text": "b!"}
    HTTPXClientInstrumentor().instrument()
    try:
        assert calling(http=RemoteGraph("served", url=server.url)).invoke({"text": "c"}) == {"text": "c!"}
    finally:
        HTTPXClientInstrumentor().uninstrument()
    server.stop()
    spans = [span for span in spans_of(recorded) if not span.name.endswith((" send", " receive"))]
    assert trees(spans) == [
        f"invoke_workflow caller(task asynchronous({REQUEST}) task sync({REQUEST}))",
        f"invoke_workflow caller(task http(POST({REQUEST})))",
        f"invoke_workflow caller(task remote({REQUEST}))",
    ]
    assert len({span.resource.attributes["mas.instance.id"] for span in spans}) == 2
    assert "Traceback" not in server.log.read_text()
