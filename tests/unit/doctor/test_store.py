"""The store as it is, and every way in which it can be in trouble; none of it is made by pretending."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from otel_mas.config import Settings
from otel_mas.doctor import files
from otel_mas.doctor.findings import Finding
from otel_mas.doctor.forms import StoreForm
from otel_mas.doctor.store import MIN_FREE, check_disk, check_store
from otel_mas.model.dropped import Dropped
from otel_mas.store import StoreWriter
from otel_mas.store.log import Log
from otel_mas.store.migrations import VERSION

Checked = tuple[StoreForm, list[Finding]]
SECOND = 10**9
# Only Linux says who holds a lock; elsewhere the doctor says that somebody does.
LOCKS_ARE_SHOWN = Path("/proc/locks").exists()


def named(pid: int) -> str:
    return f"(process {pid})" if LOCKS_ARE_SHOWN else "another process"


def look(path: Path, origin: str = "environment", **settings: Any) -> Checked:
    return check_store(Settings.from_env({}, store=path, **settings), origin)


def codes(found: Checked) -> list[str]:
    return [finding.code for finding in found[1]]


def writer(path: Path, service: str = "shop", clock: int | None = None) -> StoreWriter:
    return StoreWriter(
        path,
        instance_id=os.urandom(8),
        run_id="run-1",
        service=service,
        max_bytes=2**30,
        max_age_ns=10**18,
        clock=time.time_ns if clock is None else lambda: clock,
    )


def recorded(
    path: Path, *, finished: bool = True, dropped: int = 0, withheld: int = 0, clock: int | None = None
) -> Path:
    """A store into which a process has recorded, or still does."""
    from otel_mas.store.rows import Batch

    one = writer(path, clock=clock)
    one.write(Batch())
    if finished:
        one.finish([Dropped("queue full", dropped, 0)] if dropped else (), withheld)
    one.close()
    return path


def test_a_store_that_is_well(team_store: Path) -> None:
    found = look(team_store, "command line")
    assert codes(found) == ["store-opens"]
    form = found[0]
    assert (form["path"], form["origin"], form["exists"]) == (str(team_store), "command line", True)
    assert (form["readable"], form["writable"], form["checked"]) == (True, True, True)
    assert (form["traces"], form["layout"], form["mode"]) == (2, VERSION, "600")
    assert (form["spans"] or 0) > 20
    assert form["oldest_ns"] is not None
    assert form["newest_ns"] is not None
    assert form["oldest_ns"] < form["newest_ns"]
    assert 0 < (form["used_bytes"] or 0) <= form["size_bytes"]
    assert (form["free_bytes"] or 0) > 0


def test_looking_changes_nothing(team_store: Path) -> None:
    before = team_store.read_bytes()
    folder = {one.name for one in team_store.parent.iterdir()}
    look(team_store)
    assert team_store.read_bytes() == before
    assert {one.name for one in team_store.parent.iterdir()} <= folder | {"team.db-wal", "team.db-shm"}


def test_a_store_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    found = look(tmp_path / "deep" / "runs.db")
    assert codes(found) == ["store-not-there"]
    assert found[0]["writable"]
    assert not found[0]["exists"]
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_a_store_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.touch(0o600)
    assert codes(look(path)) == ["store-not-there"]


def test_another_programs_file_is_a_problem(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database\n" * 100)
    found = look(text)
    assert codes(found) == ["store-not-a-store"]
    assert found[1][0].message == f"{text} is not an otel-mas store (not an SQLite file)"
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    assert codes(look(other)) == ["store-not-a-store"]


def test_a_store_of_a_newer_version_is_a_problem(team_store: Path) -> None:
    with closing(sqlite3.connect(team_store)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    found = look(team_store)
    assert codes(found) == ["store-too-new"]
    assert f"layout {VERSION + 1}" in found[1][0].message


def test_a_folder_in_place_of_a_store_is_a_problem(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert codes(found) == ["store-fails"]
    assert found[1][0].message == f"{tmp_path} is a folder"
    assert found[1][0].fix.startswith("name a file in it")


def test_a_damaged_store_is_a_problem(team_store: Path) -> None:
    with closing(sqlite3.connect(team_store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with team_store.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(team_store.stat().st_size - 8192))
    found = look(team_store)
    assert codes(found) == ["store-damaged"]
    assert not found[0]["readable"]
    assert "otel-mas store repair" in found[1][0].fix


def test_damage_that_no_question_meets_is_found_as_well(team_store: Path) -> None:
    """Damage of an index: everything opens and is counted, and a search would miss rows."""
    with closing(sqlite3.connect(team_store)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'spans_identity'")
        connection.commit()
    found = look(team_store)
    assert codes(found)[:1] == ["store-damaged"]
    assert found[0]["traces"] == 2


def test_a_locked_store_names_who_holds_it(team_store: Path, tools: ModuleType) -> None:
    statements = ("PRAGMA locking_mode = EXCLUSIVE", "BEGIN IMMEDIATE", "UPDATE store SET value = value", "COMMIT")
    with tools.holding(team_store, *statements) as pid:
        found = look(team_store)
        assert codes(found) == ["store-locked"]
        assert named(pid) in found[1][0].message
    assert "store-opens" in codes(look(team_store))


def test_a_writer_that_never_lets_go_is_a_problem_and_one_that_reads_is_none(
    team_store: Path, tools: ModuleType
) -> None:
    if not LOCKS_ARE_SHOWN:
        return
    with tools.holding(team_store, "BEGIN IMMEDIATE") as pid:
        found = look(team_store)
        assert "store-write-locked" in codes(found)
        (finding,) = [one for one in found[1] if one.code == "store-write-locked"]
        assert f"(process {pid})" in finding.message
        (holder,) = found[0]["open_by"]
        assert (holder["pid"], holder["writing"]) == (pid, True)
    with tools.holding(team_store, "BEGIN", "SELECT count(*) FROM spans") as pid:
        found = look(team_store)
        assert "store-write-locked" not in codes(found)
        (holder,) = found[0]["open_by"]
        assert (holder["pid"], holder["writing"]) == (pid, False)


def test_recording_and_dead_processes_are_listed(tmp_path: Path) -> None:
    path = recorded(tmp_path / "runs.db", finished=False)
    found = look(path)
    assert codes(found) == ["store-opens"]
    (process,) = found[0]["writing"]
    assert (process["service"], process["run_id"]) == ("shop", "run-1")
    old = recorded(tmp_path / "old.db", finished=False, clock=1_800_000_000 * SECOND - 10**18)
    found = look(old)
    assert codes(found) == ["store-opens", "runs-died"]
    assert found[1][1].message.startswith("1 process of shop stopped without an orderly exit, last at 19")
    assert found[0]["writing"] == []


def test_dropped_spans_and_withheld_content_are_noted(tmp_path: Path) -> None:
    found = look(recorded(tmp_path / "runs.db", dropped=3, withheld=1))
    assert codes(found) == ["store-opens", "spans-dropped", "content-withheld"]
    assert found[1][1].message == "3 spans were dropped: queue full; their traces are marked incomplete"
    assert (
        found[1][2].message == "withheld because they could not be redacted, or not before the process ended: 1 content"
    )


def test_a_store_past_its_cap_is_noted(team_store: Path) -> None:
    assert "store-over-cap" in codes(look(team_store, max_store_bytes=50_000))


def test_a_full_disk(tmp_path: Path) -> None:
    free = files.free(tmp_path)
    assert free is not None
    assert "disk-short" in codes(look(tmp_path / "runs.db", max_store_bytes=free * 2))
    assert [one.code for one in check_disk(tmp_path, MIN_FREE - 1, 2**30)] == ["disk-full"]
    assert [one.code for one in check_disk(tmp_path, 1000, 900)] == []


def test_files_that_others_can_read_are_a_problem(open_folder: Path, team: ModuleType) -> None:
    path: Path = team.write(open_folder / "runs.db")
    assert "store-open-to-others" not in codes(look(path))
    path.chmod(0o644)
    found = look(path)
    (finding,) = [one for one in found[1] if one.code == "store-open-to-others"]
    assert finding.message == f"{path} can be read by other users of this machine (mode 644)"
    assert finding.fix == f"chmod 600 {path}"
    open_folder.chmod(0o700)
    assert "store-open-to-others" not in codes(look(path))


def test_a_place_that_cannot_be_written_is_a_problem(open_folder: Path, team: ModuleType, tools: ModuleType) -> None:
    path: Path = team.write(open_folder / "runs.db")
    for one in files.siblings(path):
        one.chmod(0o644)
    open_folder.chmod(0o555)
    with tools.nobody():
        found = look(path)
        assert "store-not-writable" in codes(found)
        assert not found[0]["writable"]
        absent = look(open_folder / "new" / "runs.db")
        assert codes(absent)[0] == "store-not-writable"
        assert absent[1][0].message.startswith(f"{open_folder} cannot be written")


def test_a_store_that_cannot_be_read_at_all(open_folder: Path, team: ModuleType, tools: ModuleType) -> None:
    path: Path = team.write(open_folder / "runs.db")
    for one in files.siblings(path):
        one.chmod(0o200)
    with tools.nobody():
        found = look(path)
    assert codes(found) == ["store-not-writable", "store-fails"]
    assert found[1][1].message == f"{path} cannot be read by this user"


MOUNTS = "/dev/sda1 / ext4 rw 0 0\nnas:/home /home nfs4 rw 0 0\n/dev/sdb /home/me/local\\040disk ext4 rw 0 0\n"


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/data/runs.db", None), ("/home/me/runs.db", "nfs4"), ("/home/me/local disk/runs.db", None), ("/homely/x", None)],
)
def test_a_network_file_system_is_recognised_by_the_mount_that_holds_the_file(path: str, kind: str | None) -> None:
    """`store-on-network` is the one finding that is not made for real: that would take such a mount."""
    assert files.network_file_system(Path(path), MOUNTS) == kind


def shipped(path: Path, clock: int) -> Log:
    log = Log(path, clock=lambda: clock)
    log.add("otlp+http:http://localhost:4318/v1/traces", from_start=True)
    return log


def test_how_far_destinations_are(tmp_path: Path, team: ModuleType) -> None:
    path: Path = team.write(tmp_path / "runs.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE spans SET may_ship = 1, sampled = 1")
    now = time.time_ns()
    name = "otlp+http:http://localhost:4318/v1/traces"
    with closing(shipped(path, now)):
        pass
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE destinations SET cursor = 0, start = 0, history = NULL")
    found = look(path)
    assert "shipping-waits" in codes(found)
    (form,) = found[0]["shipping"]
    assert (form["name"], form["shipping"], form["error"]) == (name, False, None)
    assert form["waiting"] > 20
    with closing(Log(path, clock=lambda: now)) as log:
        lease = log.lease(name, "me", 1.0)
        assert lease is not None
        log.failed(lease, "http://localhost:4318 answers 401: Bearer abcdefghijklmnop0123456789")
    found = look(path)
    (finding,) = [one for one in found[1] if one.code == "shipping-fails"]
    assert finding.message.startswith(f"{name} failed at 20")
    assert "abcdefghijklmnop" not in finding.message
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE destinations SET lost = 7, rejected = 2")
    output = {one.code: one.message for one in look(path)[1]}
    assert output["shipping-lost"] == f"deleted by the store's caps before {name} had taken them: 7 spans"
    assert output["shipping-rejected"] == f"{name} rejected 2 spans"
