"""OTLP messages and JSON to traces, and what is put right on the way."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_mas.model import Link, Query, SpanKind, StatusCode, SummaryBuilder, Trace
from otel_mas.otlp.json import resource_spans
from otel_mas.semconv import STRING_ARRAYS
from otel_mas.semconv import attributes as names
from otel_mas.sources.restore import causes_of, restored_attributes, restored_links
from otel_mas.sources.store.source import StoreSource
from otel_mas.sources.traces import DECODED_ATTRIBUTES, SpanReader, traces, traces_data
from tests.conformance import lunch
from tests.conformance.messages import BASE_NS, MS, export, link, pairs, process, span, span_id, trace_id
from tests.conformance.places import write

# Contents of a message

_texts = st.text(max_size=20).filter(lambda text: "\x00" not in text)
_scalars = st.one_of(
    _texts,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=8),
    st.none(),
)
_values: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3).map(tuple), st.dictionaries(_texts, inner, max_size=3)),
    max_leaves=5,
)
_attributes = st.dictionaries(_texts, _values, max_size=4)
_counts = st.integers(0, 2**32 - 1)


@st.composite
def _spans(draw: st.DrawFn) -> Message:
    return span(
        draw(st.integers(0, 3)),
        draw(st.integers(1, 50)),
        draw(_texts),
        draw(st.integers(0, 1000)),
        draw(st.integers(0, 2000)),
        parent=draw(st.one_of(st.none(), st.integers(1, 50))),
        attributes=draw(_attributes),
        kind=draw(st.integers(0, 5)),
        links=[
            link(
                draw(st.integers(0, 3)),
                draw(st.integers(1, 50)),
                draw(_attributes),
                flags=draw(_counts),
                trace_state="a=b",
            )
        ],
        events=[
            Message.Event(
                name=draw(_texts), time_unix_nano=draw(st.integers(0, 2**64 - 1)), attributes=pairs(draw(_attributes))
            )
        ],
        trace_state=draw(st.sampled_from(["", "k=v"])),
        flags=draw(_counts),
        dropped_attributes_count=draw(_counts),
    )


_exports = st.builds(
    lambda attributes, spans: export(process(attributes, spans, schema_url="https://a", scope_schema_url="https://b")),
    _attributes,
    st.lists(_spans(), max_size=4),
)


def everything(found: list[Trace]) -> list[Any]:
    seen = ("span_id", "parent_span_id", "name", "start_ns", "end_ns", "kind", "status", "service", "links", "columns")
    more = ("body", "resource", "scope")
    return [(one.trace_id, [[getattr(span, name) for name in seen + more] for span in one.spans]) for one in found]


@given(_exports)
def test_bytes_and_both_kinds_of_json_give_the_same_traces(sent: TracesData) -> None:
    of_protobuf = MessageToDict(sent)  # base64 ids, named enums: as Tempo writes it
    of_otlp = in_hex(MessageToDict(sent, use_integers_for_enums=True))

    expected = everything(traces(sent.resource_spans))

    assert everything(traces(traces_data(sent.SerializeToString()).resource_spans)) == expected
    assert everything(traces(resource_spans(of_protobuf))) == expected
    assert everything(traces(resource_spans(of_otlp))) == expected


def in_hex(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: in_hex(held, name) for name, held in value.items()}
    if isinstance(value, list):
        return [in_hex(held) for held in value]
    return base64.b64decode(value).hex() if key in ("traceId", "spanId", "parentSpanId") else value


@pytest.mark.parametrize(("text", "value"), [("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf)])
def test_fractions_that_json_has_no_number_for_are_text(text: str, value: float) -> None:
    one = {"attributes": [{"key": "f", "value": {"doubleValue": text}}]}

    (trace,) = traces(resource_spans({"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}))

    assert repr(trace.spans[0].attributes["f"]) == repr(value)


def test_fields_at_their_defaults_may_be_left_out_or_null() -> None:
    """As proto3 JSON is written (left out) and may be written (null); an empty attribute key is such a field."""
    attributes = [{"value": {"stringValue": "x"}}, {"key": "nothing"}, {"key": "a", "value": {"arrayValue": {}}}]
    one = {"traceId": "01" * 16, "spanId": "02" * 8, "attributes": attributes, "events": [{}], "links": [{}]}
    null = {
        **dict.fromkeys(("name", "kind", "status", "flags", "traceState", "parentSpanId", "droppedLinksCount")),
        **one,
    }
    null["attributes"] = [{"key": None, "value": {"arrayValue": None, "stringValue": "x"}}, *attributes[1:]]
    documents = [{"resourceSpans": [{"scopeSpans": [{"spans": [spans]}]}]} for spans in (one, null)]

    left_out, nulls = (traces(resource_spans(document)) for document in documents)

    assert everything(left_out) == everything(nulls)
    (span,) = left_out[0].spans
    assert dict(span.attributes) == {"": "x", "nothing": None, "a": ()}
    assert (span.name, span.kind, span.status, span.end_ns) == ("", SpanKind.UNSPECIFIED, StatusCode.UNSET, None)
    assert (len(span.events), len(span.body.links)) == (1, 1)


def test_an_empty_message_of_each_level_is_read() -> None:
    document = {"resourceSpans": [{}, {"scopeSpans": None}, {"scopeSpans": [{}, {"spans": [{}]}]}]}

    (trace,) = traces(resource_spans(document))

    assert (trace.trace_id, trace.spans[0].span_id, trace.spans[0].service) == ("0" * 32, "", "")


def test_numbers_may_be_numbers_or_text() -> None:
    def of(number: object) -> dict[str, Any]:
        one = {"startTimeUnixNano": number, "kind": number, "attributes": [{"key": "n", "value": {"intValue": number}}]}
        return {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}

    assert everything(traces(resource_spans(of(3)))) == everything(traces(resource_spans(of("3"))))


def test_fields_of_a_newer_version_are_passed_over() -> None:
    one = {"name": "x", "entirelyNew": {"a": 1}, "attributes": [{"key": "a", "value": {"new": 1}}]}

    (trace,) = traces(resource_spans({"resourceSpans": [{"scopeSpans": [{"spans": [one]}], "scopeMetrics": []}]}))

    assert (trace.spans[0].name, trace.spans[0].attributes) == ("x", {"a": None})


@pytest.mark.parametrize("document", [None, [], "x", {"resourceSpans": {}}, {"resourceSpans": [None]}, {"batches": 7}])
def test_malformed_otlp_json_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"OTLP/JSON|resourceSpans"):
        list(resource_spans(document))


@pytest.mark.parametrize("document", [{}, {"resourceSpans": None}, {"resourceSpans": []}, {"batches": []}])
def test_an_empty_document_holds_nothing(document: object) -> None:
    assert traces(resource_spans(document)) == []


def test_bytes_that_end_in_the_middle_are_refused() -> None:
    with pytest.raises(ValueError, match="TracesData"):
        traces_data(lunch.EXPORTS[0].SerializeToString()[:-3])


# Spans


def test_a_span_that_comes_twice_is_read_once_and_one_that_differs_twice() -> None:
    first, other = span(1, 1, "a", 0, 1), span(1, 1, "a", 0, 2)
    sent = export(process({}, [first, other]), process({}, [first]))

    assert [one.end_ns for one in traces(sent.resource_spans)[0].spans] == [BASE_NS + MS, BASE_NS + 2 * MS]
    assert len(list(SpanReader(bodies=False).read(sent.resource_spans))) == 2


def test_the_body_is_decoded_when_it_is_asked_for() -> None:
    (one,) = traces(export(process({}, [span(1, 1, "a", 0, 1, attributes={"x": (1, 2)})])).resource_spans)[0].spans

    assert dict(one.columns) == {}
    assert one._body is None
    assert one.attributes == {"x": (1, 2)}


def test_without_bodies_spans_have_only_column_attributes() -> None:
    sent = export(process({}, [span(1, 1, "a", 0, 1, attributes={"x": 1, names.GEN_AI_AGENT_NAME: "b"})]))
    (one,) = SpanReader(bodies=False).read(sent.resource_spans)

    assert dict(one.attributes) == {names.GEN_AI_AGENT_NAME: "b"}


def test_processes_that_say_the_same_are_one() -> None:
    sent = export(
        process({"service.name": "a"}, [span(1, 1, "a", 0, 1)]), process({"service.name": "a"}, [span(1, 2, "b", 0, 1)])
    )
    first, second = traces(sent.resource_spans)[0].spans

    assert first.resource is second.resource
    assert first.scope is second.scope


def test_a_span_that_has_not_ended_is_open() -> None:
    one = span(1, 1, "a", 0, 0)
    one.end_time_unix_nano = 0

    assert traces(export(process({}, [one])).resource_spans)[0].spans[0].end_ns is None


def test_ids_of_64_bits_are_filled_up() -> None:
    one = Message(trace_id=b"\x01" * 8, span_id=b"\x02" * 8)

    assert traces(export(process({}, [one])).resource_spans)[0].trace_id == "0" * 16 + "01" * 8


def test_numbers_that_no_enum_knows_are_unspecified() -> None:
    one = Message(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, kind=77)  # type: ignore[arg-type]
    one.status.code = 9  # type: ignore[assignment]

    read = traces(export(process({}, [one])).resource_spans)[0].spans[0]
    assert (read.kind, read.status) == (SpanKind.UNSPECIFIED, StatusCode.UNSET)


@pytest.mark.parametrize("value", [7, True, b"x", ("a",), {"a": 1}, None, ""])
def test_a_column_of_an_odd_type_breaks_nothing(value: object) -> None:
    attributes = {**dict.fromkeys(DECODED_ATTRIBUTES, value), names.MAS_RECORD_KIND: "LLM_CALL"}
    one = span(1, 1, "a", 0, 1, attributes=attributes)
    (trace,) = traces(export(process({names.SERVICE_NAME: value}, [one])).resource_spans)

    assert SummaryBuilder.of(trace).summary().span_count == 1


# Losses of backends


@given(st.dictionaries(st.sampled_from(sorted(STRING_ARRAYS)), st.lists(_texts, max_size=3).map(tuple), max_size=4))
def test_arrays_that_came_as_json_text_are_arrays_again(sent: dict[str, tuple[str, ...]]) -> None:
    mangled = {name: json.dumps(list(value)) for name, value in sent.items()}

    assert restored_attributes({"other": "[1]", **mangled}) == {"other": "[1]", **sent}
    assert restored_attributes(sent) is sent


@pytest.mark.parametrize("value", ["[", "[1]", "text", '{"a":1}', "", 7])
def test_other_values_than_a_json_array_of_text_stay_as_they_are(value: object) -> None:
    assert restored_attributes({names.MAS_CAUSE_SPANS: value}) == {names.MAS_CAUSE_SPANS: value}


_causes = st.lists(
    st.tuples(
        st.integers(1, 3).map(trace_id), st.integers(1, 4).map(span_id), st.sampled_from(["send", "trigger", "message"])
    ),
    max_size=6,
    unique=True,
)


def linked(cause: tuple[str, str, str]) -> Link:
    return Link(*cause, attributes={names.MAS_LINK_KIND: cause[2]})


@given(_causes, _causes, st.booleans(), st.data())
def test_causes_come_back_whatever_was_lost_of_their_links(
    causes: list[tuple[str, str, str]], foreign: list[tuple[str, str, str]], kinds_lost: bool, data: st.DataObject
) -> None:
    others = [Link(trace, "f" + span[1:], None, {"why": "x"}) for trace, span, _ in foreign]
    kept = data.draw(st.lists(st.sampled_from(causes), unique=True)) if causes else []
    arrived = [
        Link(*cause[:2], None, {"opentracing.ref_type": "follows_from"}) if kinds_lost else linked(cause)
        for cause in kept
    ]

    restored = restored_links((*arrived, *others), causes)

    assert sorted((one.trace_id, one.span_id, str(one.kind)) for one in restored if one.kind) == sorted(causes)
    assert all(dict(one.attributes) == {names.MAS_LINK_KIND: one.kind} for one in restored if one.kind)
    assert [one for one in restored if one.kind is None] == others


@given(_causes)
def test_links_that_lost_nothing_stay_as_they_are(causes: list[tuple[str, str, str]]) -> None:
    links = (Link("1" * 32, "1" * 16), *map(linked, reversed(causes)))

    assert restored_links(links, causes) is links


def test_many_causes_are_put_right_in_time() -> None:
    causes = [(trace_id(1), span_id(number), "send") for number in range(20_000)]

    assert len(restored_links((), causes)) == 20_000


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {names.MAS_CAUSE_SPANS: ("a-b",)},
        {names.MAS_CAUSE_SPANS: ("a-b",), names.MAS_CAUSE_KINDS: ()},
        {names.MAS_CAUSE_SPANS: ("ab",), names.MAS_CAUSE_KINDS: ("send",)},
        {names.MAS_CAUSE_SPANS: 7, names.MAS_CAUSE_KINDS: 7},
    ],
)
def test_causes_that_cannot_be_read_are_none(attributes: dict[str, Any]) -> None:
    assert causes_of(attributes) == []


# Summaries mean what the store's mean


_COUNTED = st.fixed_dictionaries(
    {},
    optional={
        names.MAS_RECORD_KIND: st.sampled_from(["LLM_CALL", "AGENT_TASK", "WORKFLOW"]),
        names.GEN_AI_AGENT_NAME: st.sampled_from(["a", "b"]),
        names.GEN_AI_CONVERSATION_ID: st.just("thread"),
        names.MAS_RUN_OUTCOME: st.sampled_from(["ok", "interrupted"]),
        names.GEN_AI_USAGE_INPUT_TOKENS: st.integers(0, 5),
        names.GEN_AI_USAGE_OUTPUT_TOKENS: st.integers(0, 5),
        names.MAS_COST_USD: st.sampled_from([0.0, 0.5]),
    },
)


@settings(max_examples=settings().max_examples // 3)
@given(
    st.lists(
        st.tuples(_COUNTED, st.integers(0, 50), st.integers(0, 50), st.booleans(), st.booleans()),
        min_size=1,
        max_size=6,
    )
)
def test_a_summary_is_the_one_that_the_store_keeps(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[dict[str, Any], int, int, bool, bool]]
) -> None:
    # Every start and end is another one: of what happens at once the store knows an order that OTLP does not have.
    spans = [
        span(
            1, number, f"span {number}", start + number / 100, start + length + number / 100,
            parent=None if is_root else 99, error="x" if failed else None, attributes=attributes,
        )
        for number, (attributes, start, length, is_root, failed) in enumerate(made, 1)
    ]  # fmt: skip
    sent = export(process({"service.name": "s"}, spans))
    path = tmp_path_factory.mktemp("store") / "runs.db"
    write(path, sent, b"process")

    (kept,) = StoreSource(path).traces(Query())
    assert SummaryBuilder.of(traces(sent.resource_spans)[0]).summary() == kept
