"""An empty span that invokes a graph, and the graph's own span beside it, as OpenLLMetry writes them."""

from __future__ import annotations

from otel_mas.causal import build
from otel_mas.causal.graph import CausalGraph
from otel_mas.model import Scope, Span, Trace

THEIRS = Scope("opentelemetry.instrumentation.langchain")


def span(span_id: str, name: str, start: int, end: int, parent: str | None, scope: Scope = THEIRS) -> Span:
    return Span("t", span_id, parent, name, start, end, scope=scope)


def graph_of(*spans: Span) -> CausalGraph:
    return build([Trace("t", tuple(sorted(spans, key=lambda one: one.start_ns)))])


def parents(graph: CausalGraph) -> dict[str, str | None]:
    numbers = graph.parents
    return {
        one.span_id: graph.spans[numbers[i]].span_id if numbers[i] >= 0 else None for i, one in enumerate(graph.spans)
    }


NODE = span("node", "execute_task writer", 0, 100, None)
EMPTY = span("empty", "invoke_agent writer", 1, 99, "node")
RUN = span("run", "execute_task writer", 2, 98, "node")
MODEL = span("model", "chat", 10, 90, "run")


def test_what_an_empty_span_invoked_is_inside_of_it_and_so_on_the_critical_path() -> None:
    graph = graph_of(NODE, EMPTY, RUN, MODEL)

    assert parents(graph) == {"node": None, "empty": "node", "run": "empty", "model": "run"}
    took = {step.span.span_id: step.end_ns - step.start_ns for step in graph.critical_path().sections if step.span}
    assert took["model"] == 80
    assert graph.problems == (
        "1 span lies beside an empty span that invoked the same (execute_task writer run): read as inside of that.",
    )


def test_a_run_of_a_graph_is_told_by_its_name_with_workflow_behind_it() -> None:
    graph = graph_of(NODE, EMPTY, span("run", "writer.workflow", 2, 98, "node"))

    assert parents(graph)["run"] == "empty"


def test_each_of_several_at_once_gets_one() -> None:
    graph = graph_of(
        NODE,
        span("first", "invoke_agent writer", 1, 60, "node"),
        span("its", "execute_task writer", 2, 50, "node"),
        span("second", "invoke_agent writer", 3, 80, "node"),
        span("other", "execute_task writer", 4, 70, "node"),
    )

    assert parents(graph) == {"node": None, "first": "node", "its": "first", "second": "node", "other": "second"}


def test_other_names_other_times_and_busy_spans_stay_where_they_are() -> None:
    editor = span("editor", "execute_task editor", 2, 98, "node")
    later = span("later", "execute_task writer", 2, 100, "node")
    for given in ((NODE, EMPTY, editor), (NODE, EMPTY, later), (NODE, EMPTY, RUN, span("in", "chat", 3, 4, "empty"))):
        graph = graph_of(*given)
        assert parents(graph) == {one.span_id: one.parent_span_id for one in given}
        assert not graph.problems


def test_spans_of_ours_stay_where_they_are() -> None:
    ours = Scope("otel_mas")
    graph = graph_of(
        span("node", "task writer", 0, 100, None, ours),
        span("empty", "invoke_agent writer", 1, 99, "node", ours),
        span("run", "task writer", 2, 98, "node", ours),
    )

    assert parents(graph)["run"] == "node"
