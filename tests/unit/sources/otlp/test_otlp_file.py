"""OTLP files of every form, whole, cut, growing, several; and what is none."""

from __future__ import annotations

import gzip
import logging
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from otel_mas.errors import SourceError, StoreError, TraceNotFound
from otel_mas.model import Query
from otel_mas.otlp.framing import LogRow, Origin
from otel_mas.otlp.json import json_line
from otel_mas.otlp.wire import varint
from otel_mas.sources import Source, open_source
from otel_mas.sources.otlp.files import OtlpFile
from otel_mas.sources.otlp.source import OtlpFileSource
from tests.conformance.lunch import ASKING, EXPORTS, FOREIGN, RESUMED
from tests.conformance.messages import process, span, trace_id


def lines(exports: tuple[TracesData, ...] = EXPORTS) -> bytes:
    return b"".join(_line(export) for export in exports)


def _line(export: TracesData) -> bytes:
    rows = [
        LogRow(
            0,
            Origin(place, process.resource.SerializeToString()),
            Origin(place, of_scope.scope.SerializeToString()),
            span.SerializeToString(),
        )
        for place, process in enumerate(export.resource_spans)
        for of_scope in process.scope_spans
        for span in of_scope.spans
    ]
    return json_line(rows)


def pretty() -> bytes:
    documents = [orjson.loads(_line(export)) for export in EXPORTS]
    whole = {"resourceSpans": [process for document in documents for process in document["resourceSpans"]]}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2)


def framed(head: Callable[[int], bytes]) -> bytes:
    encoded = [export.SerializeToString() for export in EXPORTS]
    return b"".join(head(len(one)) + one for one in encoded)


def packed(message: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(message)


def packed_one_by_one(encode: Callable[[TracesData], bytes]) -> bytes:
    """As a Collector's file exporter compresses: each message, behind its length."""
    messages = [packed(encode(export)) for export in EXPORTS]
    return b"".join(struct.pack(">I", len(one)) + one for one in messages)


FORMS: dict[str, Callable[[], bytes]] = {
    "zstd": lambda: packed(lines()),
    "zstd, message by message, JSON": lambda: packed_one_by_one(lambda export: _line(export).rstrip(b"\n")),
    "zstd, message by message, protobuf": lambda: packed_one_by_one(TracesData.SerializeToString),
    "lines": lines,
    "lines without a last newline": lambda: lines().rstrip(b"\n"),
    "lines of Windows, with a mark": lambda: b"\xef\xbb\xbf" + lines().replace(b"\n", b"\r\n"),
    "one document": pretty,
    "one compact document": lambda: orjson.dumps(orjson.loads(pretty())),
    "plain protobuf": lambda: b"".join(export.SerializeToString() for export in EXPORTS),
    "protobuf of the Collector's file exporter": lambda: framed(lambda size: struct.pack(">I", size)),
    "protobuf after varints": lambda: framed(varint),
    "two gzip members": lambda: gzip.compress(lines()[:500]) + gzip.compress(lines()[500:]),
    "gzipped lines": lambda: gzip.compress(lines()),
    "gzipped protobuf": lambda: gzip.compress(framed(lambda size: struct.pack(">I", size))),
}


def ids(source: Source) -> list[str]:
    return [summary.trace_id for summary in source.traces(Query())]


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_any_form_is_recognised_by_its_content_and_read_whole(tmp_path: Path, form: str) -> None:
    path = tmp_path / "whatever"
    path.write_bytes(FORMS[form]())
    source = open_source(path)

    assert isinstance(source, OtlpFileSource)
    assert ids(source) == [trace_id(FOREIGN), trace_id(RESUMED), trace_id(ASKING)]
    assert [len(source.trace(trace_id(trace)).spans) for trace in (ASKING, RESUMED, FOREIGN)] == [7, 5, 3]
    source.close()


@pytest.mark.parametrize("length", [10, 32, 123, 91])
def test_a_message_whose_length_is_a_mark_of_json_is_a_message_all_the_same(tmp_path: Path, length: int) -> None:
    """b"\\n{" is how one of 123 bytes begins."""
    message = process({}, [span(1, 1, "", 0, 1)])
    message.schema_url = "u" * (length - message.ByteSize() - 2) if message.ByteSize() < length - 2 else ""
    path = tmp_path / "x"
    path.write_bytes(TracesData(resource_spans=[message]).SerializeToString())

    assert ids(open_source(path)) == [trace_id(1)]


def test_the_same_by_its_scheme(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines())

    assert len(ids(open_source(f"otlp+file://{path}"))) == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"{",
        b'{"a": 1}',
        b"[]",
        b"hello\n",
        b"\x00" * 100,
        b"\x1f\x8b",
        gzip.compress(b"text", mtime=0),
        b"\x0a\x03abc",
    ],
    ids=repr,
)
def test_a_foreign_file_is_not_recognised(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)

    assert not OtlpFileSource.recognises(path)
    with pytest.raises(StoreError):
        open_source(path)
    with pytest.raises(SourceError, match="no OTLP file"):
        OtlpFileSource.open(str(path))


def test_a_store_is_no_otlp_file(store: Path) -> None:
    assert not OtlpFileSource.recognises(store)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no OTLP file at"):
        OtlpFileSource.open(str(tmp_path / "none.jsonl"))


@pytest.mark.parametrize("form", ["lines", "plain protobuf", "protobuf of the Collector's file exporter"])
def test_a_file_cut_anywhere_is_read_up_to_there_and_one_line_names_the_place(tmp_path: Path, form: str) -> None:
    whole = FORMS[form]()
    path = tmp_path / "cut"
    sizes = set()
    for cut in range(len(whole) // 3, len(whole) - 1, len(whole) // 40):
        path.write_bytes(whole[:cut])
        file = OtlpFile(path)
        spans = sum(len(of.spans) for process in file.messages() for of in process.scope_spans)
        sizes.add(spans)
        boundary = cut in _boundaries(form)
        assert len(file.problems) == (0 if boundary else 1), (cut, file.problems)
        assert boundary or "cut in the middle: stopped in" in file.problems[0]
    assert sizes <= {0, 7, 12, 13}
    assert len(sizes) > 1


def _boundaries(form: str) -> set[int]:
    ends, at = set(), 0
    for export in EXPORTS:
        if form == "lines":
            line = _line(export)
            ends |= {at + len(line), at + len(line) - 1}
            at += len(line)
        else:
            at += len(export.SerializeToString()) + (0 if form == "plain protobuf" else 4)
            ends.add(at)
    return ends


def test_a_gzipped_file_that_is_cut_is_read_up_to_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    packed = gzip.compress(lines() * 200, 1)
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(packed[: len(packed) * 2 // 3])
    with caplog.at_level(logging.WARNING, "otel_mas"):
        source = open_source(path)

    assert trace_id(ASKING) in ids(source)
    assert "the gzip file is cut" in caplog.text


def test_of_a_file_that_is_cut_within_a_compressed_message_those_before_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cut.json"
    path.write_bytes(packed_one_by_one(_line)[:-5])
    with caplog.at_level(logging.WARNING, "otel_mas"):
        source = open_source(path)

    assert trace_id(ASKING) in ids(source)
    assert f"the file is cut in the middle: stopped in message {len(EXPORTS)}" in caplog.text


@pytest.mark.parametrize("declared", [True, False])
def test_a_message_that_would_be_huge_is_not_decompressed(tmp_path: Path, declared: bool) -> None:
    """8 KB that stand for 256 MB; whether the frame says so or not."""
    compressor = zstandard.ZstdCompressor(write_content_size=declared)
    bomb = compressor.compress(bytes(2**28))
    path = tmp_path / "bomb.json"
    path.write_bytes(packed_one_by_one(_line) + struct.pack(">I", len(bomb)) + bomb)
    file = OtlpFile(path)

    assert max(map(len, file.parts())) < 2**20
    assert "larger than 64 MiB" in file.problems[0]


def test_a_zstd_file_without_the_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    path = tmp_path / "spans.jsonl.zst"
    path.write_bytes(packed(lines()))

    with pytest.raises(SourceError, match=r"spans.jsonl.zst: it is compressed with zstd: `pip install 'otel-mas\[zstd"):
        open_source(path)


def test_a_line_that_is_none_does_not_hide_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, *rest = lines().splitlines(keepends=True)
    path = tmp_path / "x.jsonl"
    path.write_bytes(first + b"{broken\n\n" + b"".join(rest))
    with caplog.at_level(logging.WARNING, "otel_mas"):
        source = open_source(path)

    assert len(ids(source)) == 3
    assert "skips what is no OTLP traces message" in caplog.text


def test_logs_and_metrics_in_the_same_file_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"resourceLogs":[]}\n' + lines() + b'{"resourceMetrics":[]}\n')
    file = OtlpFile(path)

    assert len(list(file.messages())) == 4
    assert (file.other_signals, file.problems) == (2, [])


def test_a_span_that_is_there_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines() * 2)
    source = open_source(path)

    assert len(source.trace(trace_id(ASKING)).spans) == 7
    assert source.traces(Query(limit=3))[2].span_count == 7


def test_a_folder_and_a_pattern_are_read_as_one(tmp_path: Path) -> None:
    for number, export in enumerate(EXPORTS):
        (tmp_path / f"part-{number}.jsonl").write_bytes(lines((export,)))
    (tmp_path / "notes.txt").write_text("not this")
    (tmp_path / "other.json").write_text("{}")

    assert len(ids(open_source(tmp_path))) == 3
    assert len(ids(open_source(f"otlp+file://{tmp_path}/part-[01].jsonl"))) == 2


def test_a_file_that_grows_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines(EXPORTS[:1]))
    source = open_source(path)
    with pytest.raises(TraceNotFound):
        source.trace(trace_id(RESUMED))
    with path.open("ab") as file:
        file.write(lines(EXPORTS[1:2]))

    assert len(source.trace(trace_id(RESUMED)).spans) == 5


def test_a_file_that_goes_away_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines())
    source = open_source(path)
    path.unlink()

    with pytest.raises(SourceError, match="no OTLP file at"):
        source.traces(Query())


def test_a_servers_saved_answer_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "jaeger.json"
    path.write_bytes(orjson.dumps({"result": orjson.loads(pretty())}))

    assert len(ids(open_source(path))) == 3


def test_the_example_of_opentelemetry_is_read(shared_data: Callable[[str], Path]) -> None:
    source = open_source(shared_data("otlp/trace.json"))

    (summary,) = source.traces(Query())
    assert (summary.name, summary.service, summary.trace_id) == (
        "I'm a server span",
        "my.service",
        "5b8efff798038103d269b633813fc60c",
    )


def test_its_message_refs_are_those_of_the_spans(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines())
    refs: Any = open_source(path).message_refs(trace_id(ASKING))

    assert {(ref.direction, ref.digest) for ref in refs} == {
        ("input", "0a" * 16),
        ("input", "0b" * 16),
        ("output", "0c" * 16),
    }


def test_the_unique_beginning_of_an_id_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "two.jsonl"
    one, other = (json_line([_row_of(number)]) for number in ("4bf92f35", "4bf9c0de"))
    path.write_bytes(one + other)
    source = open_source(path)
    assert source.trace("4BF92").trace_id == "4bf92f35" * 4
    with pytest.raises(TraceNotFound, match="begin with 4bf9: give more digits"):
        source.trace("4bf9")
    with pytest.raises(TraceNotFound, match="no trace 4bf93 in"):
        source.trace("4bf93")


def _row_of(quarter: str) -> LogRow:
    """A span of the trace whose id is these digits four times."""
    one = Span(trace_id=bytes.fromhex(quarter * 4), span_id=b"\1" * 8, name="a", start_time_unix_nano=1)
    return LogRow(0, Origin(0, b""), Origin(0, b""), one.SerializeToString())
