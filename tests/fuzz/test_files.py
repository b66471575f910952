"""Files of any bytes, in each form that can be read: their traces are shown, or the file is refused with a reason."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import msgpack
import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import otel_mas
from otel_mas.errors import OtelMasError
from otel_mas.otlp.wire import varint
from otel_mas.semconv import attributes as names
from tests.conformance.lunch import PROCESSES
from tests.conformance.messages import export, value_of
from tests.fuzz.inputs import corpus, examples, fuzzed, mutated

PROTOBUF = export(*PROCESSES).SerializeToString()
ONE = export(PROCESSES[0]).SerializeToString()
RECORD: dict[str, Any] = {
    "trace_id": "a run",
    "span_id": "a step",
    "event_type": "AGENT_TASK",
    "timestamp": 1_700_000_000_000_000_000,
    "duration_ns": 1_000_000,
    "agent_name": "cook",
    "parents": [{"span_id": "before", "kind": "message"}],
    "payload": {"n": 1},
    "token_cost": {"prompt": 3},
}
JSON = orjson.dumps(
    {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                "scopeSpans": [
                    {
                        "scope": {"name": "s"},
                        "spans": [
                            {
                                "traceId": "1" * 32,
                                "spanId": "2" * 16,
                                "name": "one",
                                "startTimeUnixNano": "1700000000000000000",
                                "endTimeUnixNano": "1700000000000000001",
                                "attributes": [{"key": "k", "value": {"arrayValue": {"values": [{"intValue": "1"}]}}}],
                                "links": [{"traceId": "1" * 32, "spanId": "3" * 16}],
                                "events": [{"name": "e", "timeUnixNano": "1"}],
                                "status": {"code": 2, "message": "no"},
                            }
                        ],
                    }
                ],
            }
        ]
    }
)
PLAIN = [
    PROTOBUF,
    len(ONE).to_bytes(4, "big") + ONE,
    varint(len(ONE)) + ONE,
    JSON + b"\n" + JSON + b"\n",
    orjson.dumps(orjson.loads(JSON), option=orjson.OPT_INDENT_2),
    b'{"result":' + JSON + b"}",
    b'{"trace":' + JSON + b"}",
    orjson.dumps(RECORD) + b"\n" + orjson.dumps({**RECORD, "span_id": "another", "parent_id": "a step"}),
    msgpack.packb(RECORD) + msgpack.packb({**RECORD, "span_id": "another"}),
]
_PACKED = zstandard.compress(ONE)
SEEDS = [
    *PLAIN,
    *(gzip.compress(one) for one in PLAIN),
    *(zstandard.compress(one) for one in PLAIN),
    (len(_PACKED).to_bytes(4, "big") + _PACKED) * 2,
]
CORPUS = corpus("files")


def read(path: Path) -> None:
    """Read everything in a file, in each way in which it is shown."""
    try:
        with otel_mas.open(path) as source:
            for summary in source.traces(limit=100):
                trace = source.trace(summary.trace_id)
                for one in trace.spans:
                    assert one.attributes is not None
                    assert one.links is not None
                graph = trace.graph()
                assert graph.critical_path is not None
                assert trace.findings() is not None
                assert list(trace.log()) is not None
    except OtelMasError:
        pass


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_what_is_mutated_can_be_read(tmp_path: Path, number: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(SEEDS[number])
    with otel_mas.open(path) as source:
        assert len(source.traces()) > 0


@fuzzed
@given(content=mutated([*SEEDS, *CORPUS]))
@examples("content", [*SEEDS, *CORPUS])
def test_a_file_of_any_bytes_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    read(path)


@fuzzed
@given(content=mutated(PLAIN), packing=st.sampled_from((gzip.compress, zstandard.compress)))
def test_compressed_files_of_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes, packing: Any) -> None:
    path = tmp_path / "file"
    path.write_bytes(packing(content))
    read(path)


_NAMES = sorted(name for key, name in vars(names).items() if key.startswith(("MAS_", "GEN_AI_")))
_KEYS = st.sampled_from(("__pregel_tasks", "branch:to:cook", "task", "1ef", "", "x"))
_KINDS = st.sampled_from(("trigger", "send", "message", "", "no kind"))
_PLACES = st.integers() | st.just("²") | st.just("9" * 5000)
_TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.builds("{}|{}|{}[{}]".format, _KINDS, _KEYS, _KEYS, _PLACES),
    st.builds("{}|{}".format, _KINDS, _KEYS),
    st.builds("size:{}".format, _PLACES),
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.binary(max_size=9) | _TEXTS,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_ATTRIBUTES = st.dictionaries(st.sampled_from(_NAMES), _VALUES | _TEXTS.map(lambda text: (text,)), max_size=8)


@fuzzed
@given(changes=st.lists(_ATTRIBUTES, min_size=1, max_size=4))
def test_attributes_of_ours_may_hold_anything(tmp_path: Path, changes: list[dict[str, Any]]) -> None:
    """Causes, digests, counts and states that no recorder wrote."""
    lunch = export(*PROCESSES)
    spans = [one for of in lunch.resource_spans for scope in of.scope_spans for one in scope.spans]
    for number, one in enumerate(spans):
        given_ = changes[number % len(changes)]
        kept = [pair for pair in one.attributes if pair.key not in given_]
        del one.attributes[:]
        one.attributes.extend(kept)
        for name, value in given_.items():
            one.attributes.add(key=name, value=value_of(value))
    path = tmp_path / "file"
    path.write_bytes(lunch.SerializeToString())
    read(path)
