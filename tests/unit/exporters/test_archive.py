"""Files of JSON lines: whole lines, full files gzipped, nothing lost where a crash comes between."""

from __future__ import annotations

import gzip
import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from otel_mas.config import Settings
from otel_mas.shipping import Accepted, Refused, Unavailable
from otel_mas.sources.otlp.files import OtlpFile
from otel_mas_exporters.archive import FileDestination

NOW = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)


@pytest.fixture
def archive() -> Iterator[Callable[..., FileDestination]]:
    """`archive(path, max_bytes)`: a destination, closed at the end."""
    made: list[FileDestination] = []

    def make(path: Path, max_bytes: int = 10**9) -> FileDestination:
        made.append(FileDestination(path, max_bytes, now=lambda: NOW))
        return made[-1]

    yield make
    for one in made:
        one.close()


def names(*paths: Path) -> list[str]:
    return [
        span.name
        for path in paths
        for process in OtlpFile(path).messages()
        for of_scope in process.scope_spans
        for span in of_scope.spans
    ]


def test_a_batch_is_a_line(tmp_path: Path, rows: Any, archive: Any) -> None:
    there = archive(tmp_path / "new" / "spans.jsonl")
    assert there.send(rows("a", "b")) == Accepted()
    assert there.send(rows("c")) == Accepted()
    there.close()

    lines = there.path.read_bytes().splitlines()
    assert [list(orjson.loads(line)) for line in lines] == [["resourceSpans"]] * 2
    assert names(there.path) == ["a", "b", "c"]


def test_only_its_owner_can_read_it(tmp_path: Path, rows: Any, archive: Any) -> None:
    there = archive(tmp_path / "new" / "spans.jsonl", 10)
    there.send(rows("a"))
    there.send(rows("b"))
    there.close()

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in there.path.parent.iterdir()}
    assert modes == {"spans.jsonl": 0o600, "spans-20261121T100000.jsonl.gz": 0o600}
    assert stat.S_IMODE(there.path.parent.stat().st_mode) == 0o700


def test_a_full_file_is_gzipped_and_the_next_one_begins(tmp_path: Path, rows: Any, archive: Any) -> None:
    there = archive(tmp_path / "spans.jsonl", 400)
    for name in "abcdefgh":
        there.send(rows(name))
    there.close()

    full = sorted(tmp_path.glob("*.gz"), key=lambda path: (len(path.name), path.name))
    assert len(full) >= 2
    assert names(*full, there.path) == list("abcdefgh")
    assert all(len(gzip.decompress(path.read_bytes())) <= 400 for path in full)
    assert sorted(tmp_path.iterdir()) == sorted([*full, there.path])


def test_no_spans_write_nothing_and_ask_whether_it_can_be_written(tmp_path: Path, archive: Any) -> None:
    there = archive(tmp_path / "spans.jsonl")

    assert there.send(()) == Accepted()
    assert there.path.read_bytes() == b""


def test_a_line_that_a_crash_left_half_written_is_cut_off(tmp_path: Path, rows: Any, archive: Any) -> None:
    path = tmp_path / "spans.jsonl"
    archive(path).send(rows("a"))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"resourceSpans":[' + b"x" * 200_000)
    archive(path).send(rows("b"))

    assert path.read_bytes().startswith(whole)
    assert names(path) == ["a", "b"]


def test_a_file_of_only_half_a_line_begins_anew(tmp_path: Path, rows: Any, archive: Any) -> None:
    path = tmp_path / "spans.jsonl"
    path.write_bytes(b'{"resourceSpans":[')
    archive(path).send(rows("a"))

    assert names(path) == ["a"]


@pytest.mark.parametrize("half_packed", [True, False])
def test_a_crash_while_a_full_file_is_gzipped_loses_nothing(
    tmp_path: Path, rows: Any, archive: Any, half_packed: bool
) -> None:
    path = tmp_path / "spans.jsonl"
    archive(path).send(rows("a"))
    full = path.rename(tmp_path / "spans-20261121T095900.jsonl")
    if half_packed:
        full.with_name(full.name + ".gz.partial").write_bytes(b"\x1f\x8bhalf")
    archive(path).send(rows("b"))

    assert sorted(one.name for one in tmp_path.iterdir()) == ["spans-20261121T095900.jsonl.gz", "spans.jsonl"]
    assert names(tmp_path / "spans-20261121T095900.jsonl.gz", path) == ["a", "b"]


def test_where_somebody_took_the_file_away_a_new_one_begins(tmp_path: Path, rows: Any, archive: Any) -> None:
    there = archive(tmp_path / "spans.jsonl")
    there.send(rows("a"))
    there.path.rename(tmp_path / "taken")
    there.send(rows("b"))

    assert names(tmp_path / "taken") == ["a"]
    assert names(there.path) == ["b"]


def test_a_folder_that_cannot_be_written_is_tried_again_later(tmp_path: Path, rows: Any, archive: Any) -> None:
    (tmp_path / "file").touch()
    there = archive(tmp_path / "file" / "spans.jsonl")

    outcome = there.send(rows("a"))
    assert isinstance(outcome, Unavailable)
    assert "cannot write" in outcome.reason


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_tried_again_later(tmp_path: Path, rows: Any, archive: Any) -> None:
    os.symlink("/dev/full", tmp_path / "spans.jsonl")

    assert isinstance(archive(tmp_path / "spans.jsonl").send(rows("a")), Unavailable)


def test_a_row_that_is_no_span_is_refused_for_its_data(tmp_path: Path, rows: Any, archive: Any) -> None:
    there = archive(tmp_path / "spans.jsonl")
    good, bad = rows("a", "b")

    outcome = there.send([good, bad._replace(body=b"\xff\xff")])
    assert isinstance(outcome, Refused)
    assert outcome.about_the_data
    assert there.send([good]) == Accepted()
    assert names(there.path) == ["a"]


def test_it_lies_beside_the_store_unless_a_path_is_given(tmp_path: Path) -> None:
    settings = Settings(store=str(tmp_path / "runs.db"), archive_file_bytes=7)

    beside = FileDestination.open("", settings, {})
    given = FileDestination.open(str(tmp_path / "x.jsonl"), settings, {})
    assert (beside.path, given.path) == (tmp_path / "runs.otlp.jsonl", tmp_path / "x.jsonl")
    assert given.name == f"file:{tmp_path / 'x.jsonl'}"


def test_a_descriptor_that_is_of_another_file_by_now_is_neither_written_nor_closed(
    tmp_path: Path, rows: Any, archive: Any
) -> None:
    there = archive(tmp_path / "spans.jsonl")
    there.send(rows("a"))
    descriptor = there._file[0]
    mine = os.open(tmp_path / "mine", os.O_RDWR | os.O_CREAT)
    os.dup2(mine, descriptor)  # as after `os.closerange`, when the app opens files of its own
    there.send(rows("b"))
    there.close()

    assert os.fstat(descriptor).st_size == 0
    os.close(descriptor)
    os.close(mine)
    assert names(there.path) == ["a", "b"]


def test_a_descriptor_that_was_closed_is_opened_anew(tmp_path: Path, rows: Any, archive: Any) -> None:
    there = archive(tmp_path / "spans.jsonl")
    there.send(rows("a"))
    os.close(there._file[0])

    assert there.send(rows("b")) == Accepted()
    assert names(there.path) == ["a", "b"]


@pytest.mark.parametrize(
    "content",
    [b"no line", b"a line\nhalf", b'{"level": "info"}\n', b'{"resourceSpans":[]}\nhalf a line', b"\0" * 70_000],
)
def test_a_file_of_somebody_else_is_not_changed(tmp_path: Path, rows: Any, archive: Any, content: bytes) -> None:
    there = archive(tmp_path / "spans.jsonl")
    there.send(rows("a"))
    there.path.unlink()
    there.path.write_bytes(content)
    there.path.chmod(0o644)

    outcome = there.send(rows("b"))
    assert isinstance(outcome, Unavailable)
    assert "another file is there" in outcome.reason
    assert there.path.read_bytes() == content
    assert stat.S_IMODE(there.path.stat().st_mode) == 0o644

    there.path.unlink()
    assert there.send(rows("b")) == Accepted()
    assert names(there.path) == ["b"]


def test_a_pipe_at_the_path_does_not_block(tmp_path: Path, rows: Any, archive: Any) -> None:
    os.mkfifo(tmp_path / "spans.jsonl")

    assert isinstance(archive(tmp_path / "spans.jsonl").send(rows("a")), Unavailable)


def test_a_file_that_is_only_called_like_a_full_one_is_not_gzipped(tmp_path: Path, rows: Any, archive: Any) -> None:
    mine = [tmp_path / "spans-20261121T095900.jsonl", tmp_path / "spans-1Teams.jsonl"]
    for path in mine:
        path.write_text("notes")
    archive(tmp_path / "spans.jsonl").send(rows("a"))

    assert [path.read_text() for path in mine] == ["notes", "notes"]


def test_after_the_file_was_truncated_it_goes_on_at_its_end(tmp_path: Path, rows: Any, archive: Any) -> None:
    there = archive(tmp_path / "spans.jsonl")
    there.send(rows("a"))
    os.truncate(there.path, 0)  # logrotate's copytruncate
    there.send(rows("b"))

    assert names(there.path) == ["b"]
