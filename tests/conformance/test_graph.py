"""The same causal graph, whatever place it comes from."""

from __future__ import annotations

import json

from otel_mas.causal import build
from otel_mas.model import Span
from otel_mas.otlp.span_content import OF_MESSAGES
from otel_mas.semconv import attributes as names
from otel_mas.sources import Source
from tests.conformance import lunch
from tests.conformance.lunch import ASKING, CONVERSATION_EDGES, FOREIGN, RESUMED, SERVICE, THREAD
from tests.conformance.messages import BASE_NS, MS, span_id, trace_id


def edges(graph: object) -> set[tuple[str, str, str, str]]:
    return {(edge.cause, edge.effect, edge.kind, edge.provenance) for edge in graph.edges}  # type: ignore[attr-defined]


def test_the_conversation_has_its_true_graph(source: Source) -> None:
    graph = build(source.conversation(THREAD, SERVICE))

    assert edges(graph) == CONVERSATION_EDGES
    assert graph.externals == ()
    assert graph.problems == ()


def test_the_conversation_has_its_true_critical_path(source: Source) -> None:
    path = build(source.conversation(THREAD, SERVICE)).critical_path()

    assert path.total_ns == 62_000 * MS
    assert [step.kind for step in path.sections].count("waiting for input") == 1


def test_one_trace_of_it_shows_causes_in_the_other_as_external(source: Source) -> None:
    graph = build([source.trace(trace_id(RESUMED))])

    assert set(graph.externals) == {span_id(4), span_id(5), span_id(7)}
    assert {edge[:3] for edge in edges(graph)} == {
        edge[:3] for edge in CONVERSATION_EDGES if int(edge[1], 16) & 0xFF > 10 and edge[3] == "recorded"
    }


def test_foreign_spans_have_the_graph_of_their_parents(source: Source) -> None:
    graph = build([source.trace(trace_id(FOREIGN))])

    assert {edge[:3] for edge in edges(graph)} == {
        (span_id(21), span_id(22), "child"),
        (span_id(22), span_id(23), "child"),
    }


def test_links_come_back_with_their_kinds(source: Source) -> None:
    served = by_id(source, ASKING)[span_id(7)]

    expected = [
        (span_id(4), "trigger", {"mas.link.kind": "trigger"}),
        (span_id(5), "trigger", {"mas.link.kind": "trigger"}),
    ]
    assert [(link.span_id, link.kind, dict(link.attributes)) for link in served.links] == expected
    assert [(link.span_id, link.kind, dict(link.attributes)) for link in served.body.links] == expected


def test_spans_come_in_start_order_parents_first(source: Source) -> None:
    trace = source.trace(trace_id(ASKING))

    assert [span.span_id for span in trace.spans] == [span_id(number) for number in range(1, 8)]
    assert trace.incomplete is None


def test_a_span_comes_whole(source: Source) -> None:
    span = by_id(source, ASKING)[span_id(3)]

    assert (span.name, span.kind.name, span.status.name) == ("chat gpt-5", "CLIENT", "UNSET")
    assert (span.trace_id, span.parent_span_id) == (trace_id(ASKING), span_id(2))
    assert (span.start_ns, span.end_ns) == (BASE_NS + 20 * MS, BASE_NS + 190 * MS)
    assert (span.service, span.scope.name, span.scope.version) == (SERVICE, "otel_mas", "1.2")
    assert {name: value for name, value in span.attributes.items() if name not in OF_MESSAGES} == {
        names.MAS_RECORD_KIND: "LLM_CALL",
        names.GEN_AI_OPERATION_NAME: "chat",
        names.GEN_AI_REQUEST_MODEL: "gpt-5",
        names.GEN_AI_USAGE_INPUT_TOKENS: 120,
        names.GEN_AI_USAGE_OUTPUT_TOKENS: 30,
        names.GEN_AI_RESPONSE_FINISH_REASONS: ("stop",),
        names.MAS_INPUT_MESSAGES: ("0a" * 16, "0b" * 16),
        names.MAS_OUTPUT_MESSAGES: ("0c" * 16,),
        names.MAS_COST_USD: 0.25,
    }


def test_what_is_at_hand_says_the_same_as_the_body(source: Source) -> None:
    for span in source.trace(trace_id(RESUMED)).spans:
        for name, value in span.columns.items():
            assert span.attributes[name] == value


def test_events_come_back(source: Source) -> None:
    (event,) = by_id(source, RESUMED)[span_id(15)].events

    assert (event.name, event.time_ns) == ("exception", BASE_NS + 61_000 * MS)


def test_what_ran_where_is_told_apart(source: Source) -> None:
    spans = by_id(source, FOREIGN)

    assert {number: spans[span_id(number)].service for number in (21, 22, 23)} == {
        21: "gateway",
        22: "gateway",
        23: "kitchen",
    }
    assert spans[span_id(21)].resource.attributes["service.instance.id"] == "g-1"


def test_the_sent_spans_are_what_the_true_graph_is_about() -> None:
    sent = [span for process in lunch.PROCESSES for scope in process.scope_spans for span in scope.spans]

    assert json.dumps(sorted({edge[1] for edge in CONVERSATION_EDGES})) == json.dumps(
        sorted(
            span.span_id.hex()
            for span in sent
            if span.parent_span_id and span.span_id.hex() not in (span_id(22), span_id(23))
        )
    )


def by_id(source: Source, trace: int) -> dict[str, Span]:
    return {span.span_id: span for span in source.trace(trace_id(trace)).spans}
