"""Agents in several processes, over HTTP and WebSockets: each run is one trace, one graph, one critical path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import otel_mas
from otel_mas.model import SpanKind
from otel_mas.report.path_rows import made_of
from tests.accuracy.trees import trees
from tests.layers.processes import call, service

SERVERS = {"httpx": "fastapi", "requests": "starlette", "aiohttp": "flask"}
HELPER = "invoke_workflow helper(task helper_node)"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[otel_mas.api.Source]:
    folder = tmp_path_factory.mktemp("http")
    store = folder / "runs.db"
    with ExitStack() as stack:
        ports = {
            name: stack.enter_context(service(store, folder / f"{name}.log", name, "tests.layers.service", name))
            for name in SERVERS.values()
        }
        asked = [(client, f"http://127.0.0.1:{ports[server]}/ask") for client, server in SERVERS.items()]
        chat = f"ws://127.0.0.1:{ports['fastapi']}/chat"
        asked += [(client, chat) for client in ("websocket", "websocket_thread", "messages")]
        call(store, "caller", "tests.layers.caller", *(word for pair in asked for word in pair))
    with otel_mas.open(store) as opened:
        yield opened


def run_of(source: otel_mas.api.Source, client: str) -> otel_mas.api.Trace:
    (found,) = source.traces(conversation=f"c-{client}")
    return source.trace(found.trace_id)


@pytest.mark.parametrize(("client", "server"), SERVERS.items())
def test_a_request_is_inside_of_the_task_that_sent_it_and_the_other_agent_inside_of_the_request(
    source: otel_mas.api.Source, client: str, server: str
) -> None:
    trace = run_of(source, client)
    spans = [span for span in trace.spans if not span.name.endswith((" http send", " http receive"))]
    assert trees(spans) == [f"invoke_workflow {client}(task {client}_node(GET(GET /ask({HELPER}))))"]
    assert {span.service for span in spans} == {"caller", server}


@pytest.mark.parametrize("client", ["websocket", "websocket_thread"])
def test_the_opening_request_of_a_websocket_carries_the_context(source: otel_mas.api.Source, client: str) -> None:
    spans = [span for span in run_of(source, client).spans if " websocket " not in span.name]
    assert trees(spans) == [f"invoke_workflow {client}(task {client}_node(HTTP /chat({HELPER})))"]


def test_a_message_of_a_websocket_carries_the_context_of_its_own_run(source: otel_mas.api.Source) -> None:
    found = [source.trace(one.trace_id) for one in source.traces(conversation="c-messages")]
    assert {span.attributes["mas.turn.id"] for trace in found for span in trace.spans} == {"1", "2"}
    for trace in found:
        spans = [span for span in trace.spans if " websocket " not in span.name]
        assert trees(spans) == [f"invoke_workflow messages(task messages_node({HELPER}))"]
        assert {span.service for span in spans} == {"caller", "fastapi"}


@pytest.mark.parametrize("client", [*SERVERS, "websocket"])
def test_every_span_of_every_service_says_what_the_run_belongs_to(source: otel_mas.api.Source, client: str) -> None:
    for span in run_of(source, client).spans:
        ids = span.attributes.get("gen_ai.conversation.id"), span.attributes.get("user.id")
        assert ids == (f"c-{client}", "ann"), span.name


def test_the_network_and_the_server_are_on_the_critical_path_as_what_they_are(source: otel_mas.api.Source) -> None:
    path = run_of(source, "httpx").graph().critical_path()
    on_it = [span.kind for span in path.spans if span.record_kind is None and " http " not in span.name]
    assert on_it == [SpanKind.CLIENT, SpanKind.SERVER]
    assert path.total_ns == sum(step.duration_ns for step in path)
    assert "GET /ask got the request of GET" in [step.why for step in path]
    took, _ = made_of(path)
    assert {"network", "servers"} <= took.keys()


def test_the_agents_of_both_services_are_in_one_graph(source: otel_mas.api.Source) -> None:
    graph = run_of(source, "httpx").graph()
    assert set(graph.labels().values()) == {"httpx_node#1", "httpx_node#1/helper_node#1"}
    assert graph.problems == ()
