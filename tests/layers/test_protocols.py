"""Agents that call each other by MCP and A2A: each run is one trace and one graph."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import otel_mas
from otel_mas.model import Span
from tests.layers.processes import call, service


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[otel_mas.api.Source]:
    folder = tmp_path_factory.mktemp("protocols")
    store = folder / "runs.db"
    with (
        service(store, folder / "tools.log", "tools", "tests.layers.tool_server") as tools,
        service(store, folder / "a2a.log", "a2a", "tests.layers.a2a_agent") as helper,
    ):
        addresses = f"http://127.0.0.1:{tools}/mcp", f"http://127.0.0.1:{helper}"
        call(store, "caller", "tests.layers.protocol_caller", *addresses)
    with otel_mas.open(store) as opened:
        yield opened


def run_of(source: otel_mas.api.Source, name: str) -> otel_mas.api.Trace:
    (found,) = source.traces(conversation=f"c-{name}")
    return source.trace(found.trace_id)


def above(trace: otel_mas.api.Trace, span: Span) -> list[str]:
    """The names of the spans around a span, the innermost first."""
    by_id = {one.span_id: one for one in trace.spans}
    found = []
    while (parent := by_id.get(span.parent_span_id or "")) is not None:
        found.append(parent.name)
        span = parent
    return found


@pytest.mark.parametrize(("name", "server"), [("mcp_http", "tools"), ("mcp_stdio", "tools_stdio")])
def test_what_an_mcp_tool_runs_is_inside_of_the_call_of_the_tool(
    source: otel_mas.api.Source, name: str, server: str
) -> None:
    trace = run_of(source, name)
    (inner,) = [span for span in trace.spans if span.name == "invoke_workflow helper"]
    called = ["tools/call ask", "MCP send tools/call ask", f"task {name}_node", f"invoke_workflow {name}"]
    assert above(trace, inner) == called
    assert inner.service == server


def test_what_an_a2a_agent_runs_is_inside_of_the_request_of_its_caller(source: otel_mas.api.Source) -> None:
    trace = run_of(source, "a2a")
    (inner,) = [span for span in trace.spans if span.name == "invoke_workflow helper"]
    around = above(trace, inner)
    assert inner.service == "a2a"
    assert [name for name in around if name.startswith(("POST", "task", "invoke"))] == [
        "POST /rpc",
        "POST",
        "task a2a_node",
        "invoke_workflow a2a",
    ]


@pytest.mark.parametrize("name", ["mcp_http", "mcp_stdio", "a2a"])
def test_the_agents_of_both_sides_are_in_one_graph(source: otel_mas.api.Source, name: str) -> None:
    graph = run_of(source, name).graph()
    assert set(graph.labels().values()) == {f"{name}_node#1", f"{name}_node#1/helper_node#1"}
    assert graph.problems == ()


@pytest.mark.parametrize("name", ["mcp_http", "a2a"])
def test_over_http_every_span_says_what_the_run_belongs_to(source: otel_mas.api.Source, name: str) -> None:
    assert {span.attributes.get("user.id") for span in run_of(source, name).spans} == {"ann"}
