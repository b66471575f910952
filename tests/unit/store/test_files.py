"""Looking at a store's first bytes must not take away the locks of whoever has it open in the same process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otel_mas.sources import installed_sources, open_source
from otel_mas.store import StoreReader
from otel_mas.store.files import SQLITE_MAGIC, header, identity
from otel_mas.store.rows import Batch

OTHER = "import sqlite3; c = sqlite3.connect({!r}); c.execute('DELETE FROM facets'); c.commit(); c.close()"


@pytest.mark.parametrize("look", ["header", "reader", "recognises", "source"])
def test_a_look_at_a_store_loses_no_span_of_a_recorder(bench: Any, look: str) -> None:
    writer = bench.writer()
    writer.write(Batch(spans=[bench.span()]))
    if look == "header":
        assert header(bench.path) == SQLITE_MAGIC
    elif look == "reader":
        StoreReader(bench.path).close()
    elif look == "recognises":
        for point in installed_sources().values():
            point.load().recognises(bench.path)
    else:
        open_source(bench.path).close()
    # Another process comes and goes. Did it think itself the last one, it would take the journal with it.
    subprocess.run([sys.executable, "-c", OTHER.format(str(bench.path))], check=True)
    writer.write(Batch(spans=[bench.span()]))

    count = "import sqlite3; print(sqlite3.connect({!r}).execute('SELECT count(*) FROM spans').fetchone()[0])"
    seen = subprocess.run(
        [sys.executable, "-c", count.format(str(bench.path))], check=True, capture_output=True, text=True
    )
    assert seen.stdout == "2\n"


def test_the_first_bytes_of_other_files(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"hello world, this is text")

    assert header(path, 5) == b"hello"
    assert header(path, 1000) == b"hello world, this is text"
    assert header(tmp_path) == b""
    with pytest.raises(FileNotFoundError):
        header(tmp_path / "none")


def test_an_empty_file_that_becomes_a_store_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    assert header(path) == b""
    path.write_bytes(SQLITE_MAGIC)

    assert header(path) == SQLITE_MAGIC


def test_a_look_at_many_files_leaves_no_descriptor_open(bench: Any, tmp_path: Path) -> None:
    bench.writer().close()
    before = descriptors()
    for number in range(50):
        copy = tmp_path / f"{number}.db"
        shutil.copy(bench.path, copy)
        StoreReader(copy).close()

    assert descriptors() == before


def test_a_descriptor_that_the_app_has_closed_is_not_read(bench: Any, tmp_path: Path) -> None:
    """A daemon closes all of them; their numbers then are those of files of its own."""
    bench.writer().close()
    other = tmp_path / "other"
    other.write_bytes(b"not a store")
    before = set(descriptors())
    assert header(bench.path) == SQLITE_MAGIC
    for descriptor in set(descriptors()) - before:
        os.dup2(os.open(other, os.O_RDONLY), descriptor)

    assert header(bench.path) == SQLITE_MAGIC


def descriptors() -> dict[int, tuple[int, int]]:
    return {number: file for number in range(256) if (file := identity(number)) is not None}
