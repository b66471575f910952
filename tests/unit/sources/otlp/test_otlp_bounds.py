"""Files that unpack to far more than they are: what is too long is left out, and the rest is read."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from otel_mas.sources.otlp import stream
from otel_mas.sources.otlp.files import OtlpFile

LINE = b'{"resourceSpans":[]}\n'


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_MAX_UNPACKED", 2**20)
    monkeypatch.setattr(stream, "_MAX_PLAIN", 2**21)


@pytest.mark.parametrize("fill", [b"x", b" "], ids=["text", "blanks"])
def test_a_long_line_is_left_out_and_those_around_it_are_read(fill: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(LINE + fill * 2**26 + b"\n" + LINE))
    file = OtlpFile(path)
    tracemalloc.start()
    try:
        parts = list(file.parts())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert parts == [LINE, LINE]
    assert file.problems == [f"{path}: leaves out line 2, which is over 1 MiB"]
    assert peak < 2**24


def test_a_document_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b'{"resourceSpans":\n[' + b" " * 2**22 + b"]}"))
    with pytest.raises(ValueError, match="over 1 MiB"):
        list(OtlpFile(path).parts())


def test_a_message_longer_than_allowed_ends_the_file(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pb"
    path.write_bytes((2**27).to_bytes(4, "big") + b"\x0a\xff\xff\xff\x3f\x0a" + b"\0" * 100)
    file = OtlpFile(path)
    assert list(file.parts()) == []
    assert "message 1, which is over 2 MiB" in file.problems[0]


def test_lines_of_every_length_around_a_chunk_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_CHUNK", 64)
    lines = [b'{"resourceSpans":[],"pad":"' + b"x" * size + b'"}\n' for size in range(0, 200, 7)]
    for name, data in (("a.jsonl", b"".join(lines)), ("a.jsonl.gz", gzip.compress(b"".join(lines)))):
        (tmp_path / name).write_bytes(data)
        assert list(OtlpFile(tmp_path / name).parts()) == lines


def test_many_empty_gzip_members_take_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "members.jsonl.gz"
    path.write_bytes(gzip.compress(LINE) + gzip.compress(b"") * 100_000 + gzip.compress(LINE))
    file = OtlpFile(path)
    assert list(file.parts()) == [LINE, LINE]
    assert file.problems == []
