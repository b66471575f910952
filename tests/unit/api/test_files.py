"""Files with what was recorded are private and whole, and gzipped where their name says so."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from otel_mas.api.files import new_file
from otel_mas.api.records import Records
from otel_mas.trace_records.record import TraceRecord


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_a_new_file_is_private_and_packed_by_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with new_file(path) as file:
        file.write(b"x")

    data = path.read_bytes()
    assert (gzip.decompress(data) if name.endswith(".gz") else data) == b"x"
    assert path.stat().st_mode & 0o777 == 0o600


def test_records_that_cannot_be_written_leave_the_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("old")
    record = TraceRecord(trace_id="run", span_id="one", event_type="TOOL_CALL", timestamp=1)
    monkeypatch.setattr(TraceRecord, "fields", lambda self: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        Records([record]).write(path)
    assert [one.read_text() for one in tmp_path.iterdir()] == ["old"]
