"""Which source opens a target."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from otel_mas.errors import NotAStore, UnknownSource
from otel_mas.sources import Capabilities, installed_sources, open_source
from otel_mas.sources.otlp.source import OtlpFileSource
from otel_mas.sources.store.source import StoreSource


class Lines:
    """Somebody else's source: reads files that begin with a brace."""

    reads = "lines"
    opened: list[str]

    @classmethod
    def recognises(cls, path: Path) -> bool:
        return path.is_file() and path.read_bytes()[:1] == b"{"

    @classmethod
    def open(cls, target: str) -> Any:
        found = cls()
        found.opened = [target]
        return found


class Point:
    def __init__(self, found: type) -> None:
        self.found = found

    def load(self) -> type:
        return self.found


KNOWN: Any = {"lines": Point(Lines), "store": Point(StoreSource)}


def test_the_store_is_found_by_entry_point_like_any_other_source() -> None:
    assert installed_sources()["store"].load() is StoreSource


def test_a_path_is_opened_by_the_source_that_recognises_the_file(store: Path, tmp_path: Path) -> None:
    lines = tmp_path / "spans"
    lines.write_text("{}")
    assert isinstance(open_source(store, KNOWN), StoreSource)
    assert open_source(lines, KNOWN).opened == [str(lines)]  # type: ignore[attr-defined]


def test_a_store_and_what_export_writes_are_opened_without_an_import_of_other_sources(
    store: Path, tmp_path: Path
) -> None:
    class Other:
        def load(self) -> type:
            raise AssertionError("imported")

    known = installed_sources()
    points: Any = {name: known[name] if name in ("store", "otlp+file") else Other() for name in known}
    assert isinstance(open_source(store, points), StoreSource)
    archive = tmp_path / "run.jsonl"
    archive.write_text('{"resourceSpans": []}\n')
    assert isinstance(open_source(archive, points), OtlpFileSource)


def test_a_store_is_told_from_another_database(store: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    assert (StoreSource.recognises(store), StoreSource.recognises(other)) == (True, False)
    with pytest.raises(NotAStore, match=r"other\.db"):
        open_source(other)


def test_a_scheme_names_its_source_and_gets_the_rest_of_the_target(store: Path) -> None:
    assert open_source("lines://host:1/x", KNOWN).opened == ["host:1/x"]  # type: ignore[attr-defined]
    assert isinstance(open_source(f"STORE://{store}", KNOWN), StoreSource)


def test_an_unknown_scheme_is_refused_naming_the_installed_ones() -> None:
    with pytest.raises(UnknownSource, match=r"no source reads jaeger://.*lines://, store://"):
        open_source("jaeger://localhost:16686", KNOWN)


def test_without_any_source_installed_the_error_is_refused() -> None:
    with pytest.raises(UnknownSource, match="reinstall otel-mas"):
        open_source("runs.db", {})


def test_a_drive_letter_is_no_scheme() -> None:
    with pytest.raises(NotAStore, match="there is no store at"):
        open_source("C:/nowhere/runs.db", KNOWN)


def test_a_file_of_no_source_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(NotAStore, match="is not an otel-mas store"):
        open_source(path, KNOWN)


def test_a_home_directory_is_expanded(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(store.parent))
    assert open_source("~/team.db", KNOWN).location == str(store)


def test_the_zero_value_of_capabilities_is_the_least() -> None:
    nothing = Capabilities()
    assert not any(getattr(nothing, name) for name in Capabilities.__dataclass_fields__)
