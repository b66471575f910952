"""A store of every layout there has been, as it was written, is brought to the current one with all that it holds."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest

from otel_mas.errors import StoreLocked
from otel_mas.model import Query
from otel_mas.semconv import attributes as names
from otel_mas.store import StoreReader, StoreWriter
from otel_mas.store.connection import open_for_writing
from otel_mas.store.log_reader import LogReader
from otel_mas.store.migrations import VERSION
from otel_mas.store.rows import Batch
from otel_mas.store.tail import StoreTail
from otel_mas.store.upkeep.check import check
from otel_mas.store.upkeep.repair import repair
from tests.unit.store.layouts.make import DIGEST, NOW, SECOND, TRACE, file_of
from tests.unit.store.permissions import as_nobody


@pytest.mark.parametrize("layout", range(1, VERSION + 1))
def test_an_old_store_is_migrated_with_all_that_it_holds(layout: int, tmp_path: Path) -> None:
    """For a new layout: python -m tests.unit.store.layouts.make"""
    path = stored(layout, tmp_path)
    open_for_writing(path).close()
    assert check(path) == []
    assert_all_is_there(path)
    with closing(LogReader(path)) as log:
        assert [one.name for one in log.destinations()] == ([] if layout == 1 else ["otlp http://localhost:4318"])
    with closing(_recording(path)) as writer:
        writer.write(Batch(incomplete={TRACE: "recorded into again"}))


@pytest.mark.parametrize("layout", range(1, VERSION + 1))
def test_an_old_store_is_migrated_when_it_is_read(layout: int, tmp_path: Path) -> None:
    path = stored(layout, tmp_path)
    path.chmod(0o640)
    assert_all_is_there(path)
    assert layout_of(path) == VERSION
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("layout", range(1, VERSION))
def test_a_store_that_an_older_version_records_into_is_read_and_stays_as_it_is(layout: int, tmp_path: Path) -> None:
    path = stored(layout, tmp_path)
    recording(path)
    before = path.read_bytes()
    assert_all_is_there(path)
    assert path.read_bytes() == before
    assert layout_of(path) == layout
    with pytest.raises(StoreLocked, match="a process records into the store"):
        StoreTail(path)


@pytest.mark.parametrize("layout", range(1, VERSION))
def test_checking_an_old_store_changes_nothing(layout: int, tmp_path: Path) -> None:
    path = stored(layout, tmp_path)
    before = path.read_bytes()
    assert check(path) == []
    assert path.read_bytes() == before
    assert layout_of(path) == layout


def test_old_stores_that_cannot_be_written_are_read() -> None:
    """All in one process: a user whom permissions bind, which they do not bind root."""
    folder = Path(tempfile.mkdtemp())  # not tmp_path, which other users may not enter
    try:
        for layout in range(1, VERSION):
            stored(layout, folder).rename(folder / f"{layout}.db")
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.chmod(0o555)
        code = (
            "for layout in range(1, int(sys.argv[2])):\n"
            "    with StoreReader(f'{sys.argv[1]}/{layout}.db') as reader: print(len(reader.traces(Query())), end=' ')"
        )
        assert as_nobody(code, folder, VERSION).split() == ["1"] * (VERSION - 1)
        assert [layout_of(folder / f"{layout}.db") for layout in range(1, VERSION)] == [*range(1, VERSION)]
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


@pytest.mark.parametrize("layout", range(1, VERSION))
def test_bodies_are_read_after_the_reader_of_an_old_store_is_closed(layout: int, tmp_path: Path) -> None:
    path = stored(layout, tmp_path)
    recording(path)
    with StoreReader(path) as reader:
        trace = reader.trace(TRACE.hex())
    assert trace.spans[0].attributes["note"] == "kept"


def stored(layout: int, folder: Path) -> Path:
    """The store of a layout in a folder."""
    path = folder / "runs.db"
    path.write_bytes(gzip.decompress(file_of(layout).read_bytes()))
    return path


def recording(path: Path) -> None:
    """Make it look as if the process that wrote a store were still there."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE instances SET finished_ns = NULL, heartbeat_ns = ?", (time.time_ns(),))


def layout_of(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def assert_all_is_there(path: Path) -> None:
    with StoreReader(path, clock=lambda: NOW + 60 * SECOND) as reader:
        [summary] = reader.traces(Query(service="shop", agent="planner"))
        assert (summary.name, summary.span_count, summary.error_count) == ("span 1", 3, 1)
        assert (summary.incomplete or "").startswith("something is missing")
        trace = reader.trace(TRACE.hex())
        assert [span.name for span in trace.spans] == ["span 1", "span 2", "never ended"]
        assert trace.spans[1].attributes == {names.GEN_AI_AGENT_NAME: "planner", "note": "kept"}
        assert [link.span_id for link in trace.spans[1].links] == [trace.spans[0].span_id]
        assert reader.messages([DIGEST.hex()])[DIGEST.hex()].role == "user"
        assert [one.value for one in reader.contents(TRACE.hex())] == [{"q": 1}]
        assert "3 spans were dropped: unknown reason" in reader.run("run").problems


@pytest.mark.parametrize("layout", range(1, VERSION + 1))
def test_an_old_store_can_be_repaired(layout: int, tmp_path: Path) -> None:
    path = stored(layout, tmp_path)
    done = repair(path, tmp_path / "repaired.db")
    assert done.lost == []
    assert (done.saved["spans"], done.saved["messages"], done.saved["drops"]) == (2, 1, 1)
    assert check(done.path) == []


def _recording(path: Path) -> StoreWriter:
    return StoreWriter(path, instance_id=b"new", run_id=None, service="shop", max_bytes=0, max_age_ns=0)
