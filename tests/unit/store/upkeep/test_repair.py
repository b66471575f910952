"""Repair saves the readable part of a damaged store."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from otel_mas.errors import NotAStore, StoreError, StoreLocked
from otel_mas.model import Query
from otel_mas.store import StoreReader
from otel_mas.store.rows import Batch
from otel_mas.store.upkeep.check import check
from otel_mas.store.upkeep.repair import repair

_LEFT_OUT = ("sqlite_sequence",)


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for name in names
            if name not in _LEFT_OUT
        }


def test_all_of_a_sound_store_is_saved_and_the_old_file_is_as_it_was(stored: Path, tmp_path: Path) -> None:
    before, was = content(stored), stored.read_bytes()
    done = repair(stored, tmp_path / "new.db")
    assert done.lost == []
    assert content(done.path) == before
    assert stored.read_bytes() == was
    assert check(done.path) == []
    assert done.path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_summaries_links_and_facets_are_made_anew(stored: Path, sql: Callable[[str], None], tmp_path: Path) -> None:
    before = content(stored)
    for table in ("traces", "links", "facets", "trace_instances"):
        sql(f"DELETE FROM {table}")
    done = repair(stored, tmp_path / "new.db")
    after = content(done.path)
    for table in ("links", "facets", "trace_instances", "spans"):
        assert after[table] == before[table]
    assert check(done.path) == []
    with StoreReader(done.path) as reader:
        assert [one.span_count for one in reader.traces(Query(agent="planner"))] == [20, 20]


def test_a_span_whose_body_is_lost_keeps_its_columns(stored: Path, sql: Callable[[str], None], tmp_path: Path) -> None:
    sql("UPDATE spans SET body = x'ffffff' WHERE id = 4")
    done = repair(stored, tmp_path / "new.db")
    assert done.lost == ["span 4 of the log: its body; name, times and columns are kept"]
    with StoreReader(done.path) as reader:
        trace = reader.trace("01" * 16)
        [span] = [one for one in trace.spans if one.span_id == f"{4:016x}"]
    assert span.body.attributes == {"gen_ai.agent.name": "planner"}
    assert span.name == "span 4"


@pytest.mark.parametrize("seed", range(8))
def test_of_a_store_with_broken_pages_the_others_are_saved_and_the_result_is_sound(
    stored: Path, tmp_path: Path, seed: int
) -> None:
    data, chance = bytearray(stored.read_bytes()), random.Random(seed)
    page = chance.randrange(1, len(data) // 8192)
    data[page * 8192 : (page + 1) * 8192] = chance.randbytes(8192) if seed % 2 else bytes(8192)
    stored.write_bytes(data)
    done = repair(stored, tmp_path / "new.db")
    assert check(done.path) == []
    assert done.lost or content(done.path)["spans"]


def test_a_damaged_header_is_written_anew_in_the_copy(stored: Path, tmp_path: Path) -> None:
    data = bytearray(stored.read_bytes())
    data[:100] = b"\xff" * 100
    stored.write_bytes(data)
    done = repair(stored, tmp_path / "new.db")
    assert done.saved["spans"] == 40
    assert done.lost == ["the header of the file was damaged, and was written anew"]


def test_a_damaged_schema_is_that_of_the_layout(stored: Path, tmp_path: Path) -> None:
    data = bytearray(stored.read_bytes())
    data[:8192] = bytes(8192)
    stored.write_bytes(data)
    done = repair(stored, tmp_path / "new.db")
    assert (done.saved["spans"], done.saved["messages"], done.saved["instances"]) == (40, 1, 1)
    assert "the schema was damaged, and was taken from a new store of this layout" in done.lost


def test_it_is_refused_where_it_could_do_harm(bench: object, stored: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"exists: name another file"):
        repair(stored, stored)
    with pytest.raises(NotAStore, match="there is no store"):
        repair(tmp_path / "nothing.db", tmp_path / "new.db")
    noise = tmp_path / "noise.db"
    noise.write_bytes(random.Random(1).randbytes(100_000))
    with pytest.raises(NotAStore, match="nothing of a store can be read"):
        repair(noise, tmp_path / "new.db")
    bench.writer(instance=b"living", service="shop").write(Batch())  # type: ignore[attr-defined]
    with pytest.raises(StoreLocked, match=r"a process records into the store at .* now \(shop\)"):
        repair(stored, tmp_path / "new.db", clock=bench.clock)  # type: ignore[attr-defined]
    with pytest.raises(StoreLocked):  # before anything is copied, which would fail in a folder that is not there
        repair(stored, tmp_path / "missing" / "new.db", clock=bench.clock)  # type: ignore[attr-defined]
    assert not (tmp_path / "new.db").exists()


def test_a_store_without_its_key_gets_another_and_reports_it(
    stored: Path, sql: Callable[[str], None], tmp_path: Path
) -> None:
    sql("UPDATE store SET name = 'redacted:rule' WHERE name = 'digest_key'")
    done = repair(stored, tmp_path / "new.db")
    assert done.lost == ["the store's id or key: its message digests cannot be compared with those of before"]
    with StoreReader(done.path) as reader:
        assert len(reader.traces(Query())) == 2


def test_a_process_that_is_lost_has_a_stand_in(stored: Path, sql: Callable[[str], None], tmp_path: Path) -> None:
    sql("UPDATE spans SET instance = -7 WHERE id < 5")
    sql("UPDATE resources SET instance = 4")
    done = repair(stored, tmp_path / "new.db")
    assert done.saved["spans"] == 40
    assert check(done.path) == []


def test_the_copy_of_a_store_that_others_can_read_is_private_from_the_start(
    stored: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored.chmod(0o644)
    repair(stored, tmp_path / "new.db")
    assert caplog.messages == []
    assert stored.stat().st_mode & 0o777 == 0o644
