"""Opening a store, and each way in which that can be refused."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_mas.errors import NotAStore, StoreCorrupt, StoreError, StoreLocked, StoreTooNew
from otel_mas.model import Query
from otel_mas.store.connection import open_for_reading, open_for_writing
from otel_mas.store.migrations import APPLICATION_ID, VERSION
from otel_mas.store.rows import Batch
from tests.unit.store.permissions import as_nobody

Open = Callable[[Path], sqlite3.Connection]
BOTH = pytest.mark.parametrize("opened", [open_for_writing, open_for_reading])


def test_a_new_store_is_private_to_its_owner(bench: Any) -> None:
    bench.writer().write(Batch(spans=[bench.span()]))
    assert stat.S_IMODE(bench.path.parent.stat().st_mode) == 0o700
    for file in bench.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_store_is_marked_as_ours_and_can_shrink(bench: Any) -> None:
    bench.writer()
    connection = sqlite3.connect(bench.path)
    asked = ("application_id", "user_version", "journal_mode", "auto_vacuum")
    assert [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in asked] == [APPLICATION_ID, VERSION, "wal", 2]


@BOTH
def test_a_file_that_is_not_sqlite_is_refused_and_left_alone(tmp_path: Path, opened: Open) -> None:
    for content in (b"hello", b"x" * 5000):
        path = tmp_path / "notes.txt"
        path.write_bytes(content)
        with pytest.raises(NotAStore, match=r"notes.txt is not an otel-mas store.*--store"):
            opened(path)
        assert path.read_bytes() == content


@BOTH
def test_a_foreign_database_is_refused_and_left_alone(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(NotAStore, match=r"another program's SQLite file"):
        opened(path)
    assert path.read_bytes() == before


@BOTH
def test_a_store_of_a_newer_version_is_refused(bench: Any, opened: Open) -> None:
    bench.writer().close()
    connection = sqlite3.connect(bench.path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreTooNew, match=rf"layout {VERSION + 1}, this one knows {VERSION}.*upgrade"):
        opened(bench.path)


@BOTH
def test_a_folder_is_refused_with_a_file_to_name_instead(tmp_path: Path, opened: Open) -> None:
    with pytest.raises(StoreError, match=r"is a folder: name a file in it, such as .*runs.db"):
        opened(tmp_path)


def test_a_missing_store_is_not_created_by_reading(tmp_path: Path) -> None:
    with pytest.raises(NotAStore, match=r"there is no store at .*otel-mas run"):
        open_for_reading(tmp_path / "runs.db")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_can_become_a_store_but_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.touch()
    with pytest.raises(NotAStore, match="is empty"):
        open_for_reading(path)
    open_for_writing(path).close()
    open_for_reading(path).close()


def test_a_damaged_store_has_an_error_of_its_own(bench: Any) -> None:
    writer = bench.writer()
    writer.write(Batch(spans=[bench.span() for _ in range(200)]))
    writer.close()
    content = bytearray(bench.path.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    bench.path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match=r"is damaged .*otel-mas store repair"):
        bench.reader().traces(Query())


def test_a_locked_store_is_given_up_after_the_time_limit_and_can_be_written_later(bench: Any) -> None:
    writer = bench.writer(timeout_s=0.05)
    other = sqlite3.connect(bench.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    batch = Batch(spans=[bench.span()])
    with pytest.raises(StoreLocked, match="locked by another process"):
        writer.write(batch)
    with pytest.raises(StoreLocked):
        open_for_writing(bench.path, timeout_s=0.05)
    assert bench.reader().traces(Query()) == []  # reading goes on
    other.execute("ROLLBACK")
    writer.write(batch)
    assert len(bench.reader().traces(Query())) == 1


def test_no_folder_can_be_made_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot open the store"):
        open_for_writing(tmp_path / "file" / "runs.db")


@pytest.fixture
def foreign(bench: Any) -> Iterator[Path]:
    """A closed store with one trace that everybody may read and nobody may write, nor its folder."""
    folder = Path(tempfile.mkdtemp())  # not tmp_path, which other users may not enter
    bench.path = folder / "runs.db"
    writer = bench.writer()
    writer.write(Batch(spans=[bench.span()]))
    writer.close()
    bench.path.chmod(0o444)
    folder.chmod(0o555)
    yield bench.path
    folder.chmod(0o700)
    shutil.rmtree(folder)


def test_a_store_in_a_read_only_folder_can_be_read(foreign: Path) -> None:
    code = "print(len(StoreReader(sys.argv[1]).traces(Query())))"
    assert as_nobody(code, foreign) == "1"


def test_writing_into_a_read_only_store_is_an_error_of_its_own(foreign: Path) -> None:
    code = (
        "try: StoreWriter(sys.argv[1], instance_id=b'i', run_id=None, service='s', max_bytes=0, max_age_ns=0)\n"
        "except StoreError as error: print(type(error).__name__, error)"
    )
    assert as_nobody(code, foreign).startswith(f"StoreReadOnly the store at {foreign} cannot be written")
    assert as_nobody(code, foreign.parent / "new.db").startswith("StoreReadOnly")


def test_commits_that_cannot_be_read_are_not_passed_over_in_silence(foreign: Path) -> None:
    foreign.with_name(foreign.name + "-wal").write_bytes(b"\0" * 8192)
    code = "try: StoreReader(sys.argv[1])\nexcept StoreError as error: print(type(error).__name__, error)"
    assert as_nobody(code, foreign).startswith("StoreReadOnly")


def test_a_store_that_was_open_to_others_is_made_private_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "runs.db"
    open_for_writing(path).close()
    path.chmod(0o666)
    for _ in range(2):
        connection = open_for_writing(path)
        assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {0o600}
        connection.close()
    assert caplog.text.count("was open to others (mode 666)") == 1
