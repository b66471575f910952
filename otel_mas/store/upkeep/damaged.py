"""Opening a copy of a damaged store, whose header and schema are written anew where SQLite could not read them."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from otel_mas.errors import StoreError
from otel_mas.store.connection import PAGE_SIZE, open_for_writing
from otel_mas.store.files import SQLITE_MAGIC

_POINTER_MAP = 2  # the page that auto-vacuum keeps


def open_damaged(path: Path, folder: Path, lost: list[str]) -> sqlite3.Connection:
    """A connection to a copy, in `folder`, of the damaged file and its write-ahead log.

    Args:
        lost: gets a line for each part that was written anew.
    """
    copy = folder / "damaged.db"
    _copy_private(path, copy)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        _copy_private(wal, folder / "damaged.db-wal")
    with copy.open("r+b") as file:
        head = file.read(100)
        if not _sound(head):
            file.seek(0)
            file.write(_new_header(copy.stat().st_size))
            lost.append("the header of the file was damaged, and was written anew")
    if not _has_schema(copy):
        _renew_schema(copy, folder)
        lost.append("the schema was damaged, and was taken from a new store of this layout")
    with suppress(StoreError):
        open_for_writing(copy).close()  # migrates an older layout
    connection = sqlite3.connect(copy, isolation_level=None)
    # A schema that SQLite objects to is read as far as it goes.
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def _copy_private(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    shutil.copyfile(source, target)


def _has_schema(copy: Path) -> bool:
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        try:
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return not {"spans", "traces", "instances"} - names
        except (sqlite3.Error, UnicodeError):
            return False


def _renew_schema(copy: Path, folder: Path) -> None:
    """Write the pages of a new store's schema to their places, which a store created with this layout has as well."""
    template = folder / "template.db"
    with closing(open_for_writing(template)) as connection:
        roots = {row[0] for row in connection.execute("SELECT rootpage FROM sqlite_master WHERE rootpage > 0")}
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    pages = template.stat().st_size // PAGE_SIZE
    with template.open("rb") as source, copy.open("r+b") as target:
        for page in range(1, pages + 1):
            if page in roots or page == _POINTER_MAP:
                continue
            source.seek((page - 1) * PAGE_SIZE)
            target.seek((page - 1) * PAGE_SIZE)
            target.write(source.read(PAGE_SIZE))
        target.seek(28)
        target.write((copy.stat().st_size // PAGE_SIZE).to_bytes(4, "big"))


def _sound(head: bytes) -> bool:
    size = int.from_bytes(head[16:18], "big")
    return (
        head.startswith(SQLITE_MAGIC)
        and size == PAGE_SIZE
        and head[18] in (1, 2)
        and head[19] in (1, 2)
        and head[20:24] == b"\0\x40\x20\x20"
        and int.from_bytes(head[44:48], "big") in (1, 2, 3, 4)
        and int.from_bytes(head[56:60], "big") == 1
    )


def _new_header(size: int) -> bytes:
    """The header of an SQLite database of ours: page size, WAL, UTF-8; incremental vacuum."""
    pages = size // PAGE_SIZE
    head = bytearray(100)
    head[:16] = SQLITE_MAGIC
    head[16:24] = PAGE_SIZE.to_bytes(2, "big") + b"\x02\x02\0\x40\x20\x20"
    head[24:32] = b"\0\0\0\1" + pages.to_bytes(4, "big")
    head[44:48] = (4).to_bytes(4, "big")
    head[52:60] = b"\0\0\0\1\0\0\0\1"  # largest root page, so that it is an auto-vacuum file; UTF-8
    head[64:68] = (1).to_bytes(4, "big")
    head[92:96] = b"\0\0\0\1"
    return bytes(head)
