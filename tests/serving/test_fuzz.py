"""Fuzzing of receivers: whatever a client sends is stored or refused."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import grpc
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.config import Settings
from otel_mas.otlp.json import resource_spans
from otel_mas.otlp.split import split_request
from otel_mas.receiver.otlp.decode import Decoder, Signal
from otel_mas.receiver.otlp.inflate import compression_of
from otel_mas.receiver.otlp.outcome import Refused
from otel_mas.store import StoreReader
from otel_mas.store.connection import open_for_reading
from otel_mas.store.otlp_rows import RunWriters
from tests.conformance.lunch import PROCESSES
from tests.conformance.messages import export, span
from tests.fuzz import inputs
from tests.fuzz.inputs import fuzzed
from tests.serving.server import Server
from tests.serving.test_receiving import call, logs, record, request

REFUSALS = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)
SEEDS = [
    export(*PROCESSES).SerializeToString(),
    request(span(1, 1, "one", 0, 1, attributes={"list": ("a", "b"), "map": {"k": 1}, "bytes": b"\x00"}, error="no")),
    logs(record(1, 1, "a record")),
    orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "1" * 32, "spanId": "1" * 16}]}]}]}),
    *inputs.corpus("requests"),
]
NAMES = ("resourceSpans", "scopeSpans", "spans", "traceId", "spanId", "attributes", "value", "key", "kind", "events")
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A request that is not as it should be, gzipped or not."""
    found = draw(inputs.mutated(SEEDS))
    return gzip.compress(found) if draw(st.integers(0, 9)) == 0 else found


@pytest.fixture(scope="module")
def decoding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Decoder, Path]]:
    path = tmp_path_factory.mktemp("fuzz") / "decoded.db"
    runs = RunWriters(path, max_bytes=0, max_age_ns=0)
    runs.of(None)
    reading = open_for_reading(path)
    yield Decoder(Settings(store=str(path)), runs, reading, None), path
    reading.close()
    runs.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("fuzz") / "served.db").start() as running:
        yield running


@fuzzed
@given(body=mutated(), signal=st.sampled_from(Signal), is_json=st.booleans())
def test_what_is_decoded_can_be_stored_and_read(
    decoding: tuple[Decoder, Path], body: bytes, signal: Signal, is_json: bool
) -> None:
    decoder, path = decoding
    try:
        decoded = decoder.decode(signal, body, compression_of(body), is_json=is_json)
    except Refused:
        return
    traces = set()
    for run, batch in decoded.batches.items():
        with run.lock:
            run.writer.write(batch)
        traces |= {row.trace_id for row in batch.spans}
    with StoreReader(path) as reader:
        for trace_id in traces:
            for one in reader.trace(trace_id.hex()).spans:
                assert one.attributes is not None
                assert one.links is not None


@fuzzed
@given(body=mutated())
def test_splitting_finds_what_it_is_given_or_refuses(body: bytes) -> None:
    try:
        parts = split_request(body)
    except ValueError:
        return
    assert sum(len(one) for part in parts for scope in part.scopes for one in scope.items) <= len(body)


@fuzzed
@given(document=DOCUMENTS)
def test_json_of_any_shape_is_read_or_refused(document: object) -> None:
    try:
        for message in resource_spans(document, []):
            message.SerializeToString()
    except ValueError:
        pass


@fuzzed
@given(body=mutated(), path=st.sampled_from(("/v1/traces", "/v1/logs")), form=st.sampled_from(("x-protobuf", "json")))
def test_the_http_receiver_answers_everything(server: Server, body: bytes, path: str, form: str) -> None:
    compressed = {"Content-Encoding": "gzip"} if compression_of(body) == "gzip" else {}

    assert server.post(body, path, f"application/{form}", **compressed)[0] in (200, 400, 413)


@fuzzed
@given(body=mutated())
def test_the_grpc_receiver_answers_everything(server: Server, body: bytes) -> None:
    try:
        call(server, body)
    except grpc.RpcError as error:
        assert error.code() in REFUSALS, error  # noqa: PT017
