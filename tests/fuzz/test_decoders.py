"""Decoders of bytes and text from others: any input is decoded, or refused with the error that callers expect."""

from __future__ import annotations

import io
from typing import Any

import orjson
import ormsgpack
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_mas.causal.references import texts
from otel_mas.otlp.array_parts import with_joined_arrays, with_split_arrays
from otel_mas.otlp.decode import decode_body, decode_resource, decode_scope
from otel_mas.otlp.indexed_span import IndexedSpan
from otel_mas.otlp.json import span_json
from otel_mas.otlp.nesting import cut_nesting, holds_more_than, parsed
from otel_mas.otlp.split import split_resource
from otel_mas.otlp.wire import fields, values
from otel_mas.privacy.withhold import Withholder
from otel_mas.sources.checkpoints.values import READABLE, plain_value
from otel_mas.sources.jaeger.sanitizers import unsanitized
from otel_mas.trace_records.formats import of_json_line, unpacked, unpacked_stream
from otel_mas.trace_records.record import TraceRecord
from otel_mas_exporters.otlp_client import accepted, retry_after, retry_info, status_message
from tests.conformance.lunch import PROCESSES
from tests.conformance.messages import export, span
from tests.fuzz.inputs import corpus, examples, fuzzed, mutated
from tests.fuzz.test_files import JSON, RECORD

SPANS = [
    *(one.SerializeToString() for of in PROCESSES for scope in of.scope_spans for one in scope.spans),
    span(1, 1, "one", 0, 1, attributes={"list": ("a", "b") * 9, "map": {"k": (1, {"x": b"\x00"})}}).SerializeToString(),
]
RESOURCES = [one.resource.SerializeToString() for one in PROCESSES]
_STATUS = Status(code=8, message="too much")
_STATUS.details.add().Pack(RetryInfo())
ANSWERS = [
    _STATUS.SerializeToString(),
    ExportTraceServiceResponse(
        partial_success={"rejected_spans": 3, "error_message": "no ids"}  # type: ignore[arg-type]
    ).SerializeToString(),
]
_CONSTRUCTED = ormsgpack.packb(
    {"a": ormsgpack.Ext(0, ormsgpack.packb(["module", "Name", [1, "x"]])), "b": ormsgpack.Ext(2, b"\x90")}
)


def refused(decode: Any, *arguments: Any, errors: type[Exception] | tuple[type[Exception], ...] = ValueError) -> bool:
    """Whether a decoder refuses its input, with one of these errors."""
    try:
        decode(*arguments)
    except errors:
        return True
    return False


@fuzzed
@given(encoded=mutated([*SPANS, *corpus("spans")]))
def test_fields_lie_one_after_the_other(encoded: bytes) -> None:
    at = 0
    try:
        for _, start, value, end in fields(encoded):
            assert start == at < value <= end <= len(encoded)
            at = end
    except ValueError:
        return
    assert at == len(encoded)
    assert not refused(lambda: list(values(encoded)))


@fuzzed
@given(encoded=mutated([*SPANS, *corpus("spans")]))
@examples("encoded", corpus("spans"))
def test_spans(encoded: bytes) -> None:
    """What protobuf reads is read, and leaves; what it refuses is refused."""
    bad = refused(lambda: parsed(Span(), encoded))
    assert refused(decode_body, encoded) is bad
    assert refused(lambda: parsed(IndexedSpan(), encoded)) is bad
    assert refused(span_json, encoded) is bad
    assert not refused(with_split_arrays, encoded)
    assert bad or not refused(Withholder().span, encoded)
    # These also refuse groups, which protobuf skips where it does not know them, and OTLP never had.
    refused(lambda: with_joined_arrays(parsed(Span(), encoded), encoded))
    refused(cut_nesting, encoded, "Span")
    refused(holds_more_than, 1000, encoded, "Span")


@fuzzed
@given(encoded=mutated([*RESOURCES, *SPANS, *corpus("resources")]))
def test_resources_and_scopes(encoded: bytes) -> None:
    refused(decode_resource, encoded)
    refused(decode_scope, encoded)
    refused(split_resource, encoded)


@fuzzed
@given(answer=mutated([*ANSWERS, *corpus("answers")]), header=st.none() | st.text() | st.integers().map(str))
def test_answers_of_servers(answer: bytes, header: str | None) -> None:
    refused(accepted, answer)
    assert isinstance(status_message(answer), str)
    for seconds in (retry_info(answer), retry_after(header)):
        assert seconds is None or seconds >= 0


@fuzzed
@given(line=mutated([orjson.dumps(RECORD), JSON, b'{"$int":"9","$bytes":"AA==","$map":[[1,2]]}', *corpus("records")]))
def test_records_of_json(line: bytes) -> None:
    refused(of_json_line, line)
    refused(TraceRecord.from_json, line)


@fuzzed
@given(data=mutated([ormsgpack.packb(RECORD), _CONSTRUCTED, b"\xc7\x02\x01ff", *corpus("records")]))
def test_records_of_message_pack(data: bytes) -> None:
    refused(unpacked, data)
    refused(lambda: list(unpacked_stream(io.BytesIO(data))))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from((*RECORD, "$int", "$bytes", "$map", "kind", "usd", "name")), inner, max_size=5
        )
    ),
)


@fuzzed
@given(changes=st.dictionaries(st.sampled_from((*RECORD, "status", "events", "name", "unknown")), _VALUES, max_size=3))
def test_records_of_any_fields(changes: dict[str, Any]) -> None:
    refused(TraceRecord.from_fields, {**RECORD, **changes})


@fuzzed
@given(
    data=mutated([_CONSTRUCTED, JSON, b'{"lc":2,"type":"constructor","id":["x"]}']),
    kind=st.sampled_from(sorted(READABLE)),
)
def test_values_of_checkpoints(data: bytes, kind: str) -> None:
    refused(plain_value, kind, data, errors=(ValueError, TypeError, RecursionError))


@fuzzed
@given(value=_VALUES | st.binary(max_size=50) | st.text(st.sampled_from('[]{}",\\u0aA9 '), max_size=50))
def test_lists_of_causes(value: Any) -> None:
    assert all(isinstance(one, str) for one in texts(value))


@fuzzed
@given(encoded=mutated([export(*PROCESSES).SerializeToString()]))
def test_spans_as_jaeger_gives_them_back(encoded: bytes) -> None:
    try:
        messages = parsed(export(), encoded).resource_spans
    except ValueError:
        return
    for message in unsanitized(iter(messages)):
        message.SerializeToString()
