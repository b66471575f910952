"""Files as a destination: OTLP/JSON lines, rotated by size, gzipped once they are full.

A batch is a line, on the disk before the cursor moves. A line that a crash left half-written was never acknowledged: it
is cut off, and comes again. Foreign files are never changed: neither one that was put at the path, nor one that got the
number of a descriptor that the app has closed.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from otel_mas.config import Settings
from otel_mas.fork import background_imports
from otel_mas.otlp.framing import LogRow
from otel_mas.shipping import Accepted, Outcome, Refused, Unavailable
from otel_mas.store.files import Identity, identity, make_private, private_folder

_SUFFIX = ".jsonl"
_TAIL = 2**16
_BEGINNING = b'{"resourceSpans":'  # of each line


class FileDestination:
    """Appends to one file: `file:/var/log/spans.jsonl`, or `file` for one beside the store.

    Args:
        path: of the file that is written to. Full ones become `<name>-<time>.jsonl.gz` in the same folder.
        max_bytes: size at which it is full.
        now: for the names of full files.
    """

    sends_to: ClassVar[str] = "a file of OTLP/JSON lines, as a Collector's file exporter writes them"
    server = ""
    timeout_s = 10.0

    def __init__(self, path: Path, max_bytes: int, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self.name = f"file:{path}"
        self._max_bytes = max_bytes
        self._now = now
        self._file: tuple[int, Identity] | None = None  # an open descriptor, and the identity of its file

    @classmethod
    def open(cls, target: str, settings: Settings, environ: Mapping[str, str]) -> FileDestination:
        store = Path(settings.store).expanduser().absolute()
        path = Path(target).expanduser().absolute() if target else store.with_name(f"{store.stem}.otlp{_SUFFIX}")
        return cls(path, settings.archive_file_bytes)

    def send(self, rows: Sequence[LogRow]) -> Outcome:
        with background_imports:
            from otel_mas.otlp.json import json_line
        try:
            line = json_line(rows) if rows else b""
        except (ValueError, TypeError, RecursionError) as error:  # orjson's own is a TypeError
            return Refused(f"cannot be written as OTLP/JSON: {error}", about_the_data=True)
        try:
            file = self._opened()
            size = os.fstat(file).st_size
            if size and size + len(line) > self._max_bytes:
                self._rotate()
                file = self._opened()
            _write(file, line)
        except OSError as error:
            self.close()
            return Unavailable(f"cannot write {self.path}: {error.strerror or error}")
        return Accepted()

    def close(self) -> None:
        if self._file is not None:
            (file, opened), self._file = self._file, None
            if identity(file) == opened:
                os.close(file)

    def _opened(self) -> int:
        """The file's descriptor; opened anew where it was closed, or the file moved or deleted."""
        if self._file is not None:
            file, opened = self._file
            if identity(file) == opened == identity(self.path):
                return file
            self.close()
        private_folder(self.path.parent)
        self._compress_left_over()
        file = _open(self.path)
        found = os.fstat(file)
        self._file = file, (found.st_dev, found.st_ino)
        return file

    def _rotate(self) -> None:
        self.close()
        full = self._free_name()
        self.path.rename(full)
        _compress(full)

    def _free_name(self) -> Path:
        stamp = self._now().strftime("%Y%m%dT%H%M%S")
        number = 0
        while True:
            name = f"{self.path.stem}-{stamp}" + (f"-{number}" if number else "")
            full = self.path.with_name(name + self.path.suffix)
            if not full.exists() and not full.with_name(full.name + ".gz").exists():
                return full
            number += 1

    def _compress_left_over(self) -> None:
        """Compress full files that a crash left."""
        stem, suffix = re.escape(self.path.stem), re.escape(self.path.suffix)
        ours = re.compile(rf"{stem}-\d{{8}}T\d{{6}}(-\d+)?{suffix}")
        for full in [one for one in self.path.parent.iterdir() if ours.fullmatch(one.name)]:
            try:
                os.close(_open(full))
            except OSError:  # a foreign file
                continue
            _compress(full)


def _open(path: Path) -> int:
    """Open a file of ours for appending, created where there is none, and cut a torn line off its end.

    Raises:
        OSError: that is impossible, or the file is not one of ours.
    """
    # O_NONBLOCK: a pipe would block until it has a reader.
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o600)
    try:
        end = os.fstat(file).st_size
        whole = _after_last_line(file, end)
        if not (_is_regular(file) and _is_ours(file, 0, end) and _is_ours(file, whole, end)):
            raise OSError("another file is there, which is not changed: move it away, or name another path")
        make_private(path)
        if whole != end:
            os.ftruncate(file, whole)
    except BaseException:
        os.close(file)
        raise
    return file


def _is_regular(file: int) -> bool:
    return stat.S_ISREG(os.fstat(file).st_mode)


def _is_ours(file: int, start: int, end: int) -> bool:
    """Whether a line that starts there is ours, or the beginning of one of ours."""
    found = _read(file, start, min(end, start + len(_BEGINNING)))
    return _BEGINNING.startswith(found)


def _after_last_line(file: int, end: int) -> int:
    while end:
        start = max(0, end - _TAIL)
        newline = _read(file, start, end).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _read(file: int, start: int, end: int) -> bytes:
    os.lseek(file, start, os.SEEK_SET)
    return os.read(file, end - start)


def _write(file: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(file, rest) :]
    os.fsync(file)


def _compress(full: Path) -> None:
    """`x.jsonl` → `x.jsonl.gz`; one of the two exists at any time."""
    partial = full.with_name(f"{full.name}.gz.partial")
    with (
        full.open("rb") as plain,
        os.fdopen(_fresh(partial), "wb") as out,
    ):
        with gzip.GzipFile(filename="", mode="wb", fileobj=out) as packed:
            shutil.copyfileobj(plain, packed, 2**20)
        out.flush()
        os.fsync(out.fileno())
    partial.rename(full.with_name(f"{full.name}.gz"))
    full.unlink()


def _fresh(path: Path) -> int:
    """A new, private file in place of one that a crash left there."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
