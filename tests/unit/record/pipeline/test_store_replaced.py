"""The store's file is removed, renamed or replaced while a process records into it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from otel_mas.config import Settings
from otel_mas.model.dropped import DropReason
from otel_mas.record.pipeline.recording import Recording

pytestmark = pytest.mark.slow


class App:
    """A process that records, as far as the store is concerned."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recording = Recording(Settings.from_env(store=path, content="redacted"))
        provider = TracerProvider()
        provider.add_span_processor(self.recording.processor)
        self.tracer = provider.get_tracer("app")

    def spans(self, *names: str) -> None:
        for name in names:
            self.tracer.start_span(name).end()

    def flush(self) -> bool:
        return self.recording.flush(10)

    def stored(self, *names: str) -> bool:
        self.spans(*names)
        return self.flush()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    made = App(tmp_path / "folder" / "runs.db")
    yield made
    made.recording.shutdown(10)


def names(path: Path) -> list[str]:
    """Names of the spans in a store, which is whole."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [name for (name,) in connection.execute("SELECT name FROM spans ORDER BY id")]


def back_up(path: Path, to: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(to),))


def journal(path: Path, kind: str) -> Path:
    return path.with_name(f"{path.name}-{kind}")


def remove(path: Path) -> None:
    path.unlink()


def remove_all(path: Path) -> None:
    for file in (path, journal(path, "wal"), journal(path, "shm")):
        file.unlink()


def remove_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


@pytest.mark.parametrize("away", [remove, remove_all, remove_folder])
def test_a_removed_store_is_made_anew(app: App, away: Callable[[Path], None], caplog: pytest.LogCaptureFixture) -> None:
    assert app.stored("before")
    away(app.path)
    assert app.stored("after")
    assert names(app.path) == ["after"]
    assert [record.message for record in caplog.records if "removed, renamed or replaced" in record.message]
    assert app.path.stat().st_mode & 0o777 == 0o600


def test_a_renamed_store_keeps_what_was_recorded_and_a_new_one_is_made(app: App) -> None:
    assert app.stored("before")
    kept = app.path.rename(app.path.with_name("kept.db"))
    assert app.stored("after")
    assert names(kept) == ["before"]
    assert names(app.path) == ["after"]


def test_a_backup_in_the_place_of_the_store_is_recorded_into(app: App, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    assert app.stored("before")
    back_up(app.path, backup)
    assert app.stored("between")
    backup.replace(app.path)
    assert app.stored("after")
    assert names(app.path) == ["before", "after"]


def test_a_backup_that_is_still_being_copied_is_waited_for(app: App, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    assert app.stored("before")
    back_up(app.path, backup)
    content = backup.read_bytes()
    app.path.unlink()
    with app.path.open("wb") as copy:
        app.spans("after")
        for at in range(0, len(content), len(content) // 5):
            copy.write(content[at : at + len(content) // 5])
            copy.flush()
            time.sleep(0.1)
    assert app.flush()
    assert names(app.path) == ["before", "after"]


def test_another_store_in_its_place_is_recorded_into_as_by_any_other_process(app: App, tmp_path: Path) -> None:
    other = App(tmp_path / "other.db")
    other.stored("theirs", "and theirs")
    other.recording.shutdown(10)
    assert app.stored("before")
    other.path.replace(app.path)
    assert app.stored("after")
    assert names(app.path) == ["theirs", "and theirs", "after"]
    with closing(sqlite3.connect(app.path)) as connection:
        owners = connection.execute("SELECT DISTINCT instance FROM spans ORDER BY id").fetchall()
        resources = connection.execute(
            "SELECT count(*) FROM spans s JOIN resources r ON r.id = s.resource AND r.instance = s.instance"
        ).fetchone()
    assert len(owners) == 2
    assert resources == (3,)


def text_file(path: Path) -> None:
    path.write_text("A letter that happens to have this name.\n" * 100)


def other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")


@pytest.mark.parametrize("write", [text_file, other_database])
def test_a_file_that_is_no_store_is_not_touched_and_recording_ends(
    app: App, tmp_path: Path, write: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    foreign = tmp_path / "foreign"
    write(foreign)
    before = foreign.read_bytes()
    assert app.stored("before")
    foreign.replace(app.path)
    assert not app.stored("after")
    app.spans("and later")
    assert not app.flush()
    assert app.path.read_bytes() == before
    assert [file.name for file in app.path.parent.iterdir()] == [app.path.name]
    assert app.recording.queue.losses.spans[DropReason.STORE_GONE] == 2
    assert len([record for record in caplog.records if "nothing is recorded" in record.message]) == 1


def test_a_flush_says_that_what_was_written_since_the_last_one_is_gone(app: App) -> None:
    assert app.stored("before")
    app.spans("between")
    eventually(lambda: "between" in names(app.path))
    app.path.unlink()
    assert not app.stored("after")
    assert app.stored("and later")
    assert names(app.path) == ["after", "and later"]


def test_spans_that_are_open_are_announced_to_the_new_store(app: App) -> None:
    long_one = app.tracer.start_span("long")
    assert app.stored("before")
    app.path.unlink()
    assert app.stored("after")
    with closing(sqlite3.connect(app.path)) as connection:
        assert connection.execute("SELECT name FROM open_spans").fetchall() == [("long",)]
    long_one.end()
    assert app.flush()
    assert names(app.path) == ["after", "long"]


def test_a_process_with_nothing_to_record_makes_no_store_and_leaves_the_place_to_others(app: App) -> None:
    assert app.stored("before")
    app.path.unlink()
    eventually(lambda: not list(app.path.parent.iterdir()))
    assert app.flush()
    assert not app.path.exists()


def test_another_process_can_record_where_only_journals_are_left(app: App) -> None:
    assert app.stored("before")
    wal = journal(app.path, "wal").read_bytes()
    app.recording.shutdown(10)
    app.path.unlink()
    journal(app.path, "wal").write_bytes(wal)
    journal(app.path, "shm").write_bytes(b"\0" * 32768)
    second = App(app.path)
    try:
        assert second.stored("second")
        assert names(app.path) == ["second"]
    finally:
        second.recording.shutdown(10)


def test_two_processes_that_record_meet_again_in_the_new_store(app: App) -> None:
    code = """
import sys, otel_mas
otel_mas.instrument(store=sys.argv[1])
@otel_mas.task
def tiny(): ...
tiny()
print(otel_mas.flush(10), flush=True)
sys.stdin.readline()
tiny()
otel_mas.flush(10)
"""
    assert app.stored("ours")
    second = subprocess.Popen(
        [sys.executable, "-c", code, app.path],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[4])},
        stdin=-1,
        stdout=-1,
        text=True,
    )
    assert second.stdout is not None
    assert second.stdout.readline() == "True\n"
    app.path.unlink()
    assert app.stored("ours again")
    second.communicate("\n", timeout=300)
    assert app.stored("and again")
    assert names(app.path) == ["ours again", "task tiny", "and again"]


def test_a_process_may_change_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = App(Path("runs.db"))
    assert app.stored("before")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert app.stored("after")
    app.recording.shutdown(10)
    assert names(tmp_path / "runs.db") == ["before", "after"]


def test_a_file_that_has_got_a_descriptor_of_the_store_is_not_written_to(tmp_path: Path) -> None:
    code = """
import os, otel_mas
otel_mas.instrument(store="runs.db")
@otel_mas.task
def tiny(): ...
tiny()
print(otel_mas.flush(10))
os.closerange(3, 100)
files = [os.open(f"app{number}", os.O_RDWR | os.O_CREAT) for number in range(20)]
for _ in range(3000): tiny()
print(otel_mas.flush(10), otel_mas.shutdown(10), [os.fstat(file).st_size for file in files if os.fstat(file).st_size])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[4])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout.splitlines()) == (0, ["True", "False False []"])
    assert done.stderr.count("the app has closed the file descriptors") == 1
    assert "3,000 spans were dropped" in done.stderr
    assert names(tmp_path / "runs.db") == ["task tiny"]


def eventually(condition: Callable[[], Any], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
