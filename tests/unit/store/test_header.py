"""Looking at a store's first bytes must not take away the locks of whoever has it open in the same process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otel_mas.sources import installed_sources, open_source
from otel_mas.store import StoreReader
from otel_mas.store.header import SQLITE_MAGIC, header
from otel_mas.store.rows import Batch

OTHER = "import sqlite3; c = sqlite3.connect({!r}); c.execute('DELETE FROM facets'); c.commit(); c.close()"


@pytest.mark.parametrize("look", ["header", "reader", "recognises", "source"])
def test_a_look_at_a_store_loses_nothing_of_what_is_recorded_beside_it(bench: Any, look: str) -> None:
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


def test_a_store_costs_one_descriptor_however_often_it_is_looked_at(bench: Any) -> None:
    bench.writer().close()
    header(bench.path)
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        StoreReader(bench.path).close()

    assert len(os.listdir("/proc/self/fd")) == before
