"""Files as a destination: OTLP/JSON lines, rotated by size, gzipped once they are full.

A batch is a line, on the disk before the cursor moves. What a crash leaves half-written at the end of the file was
never acknowledged: it is cut off, and comes again.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, ClassVar

from otel_mas.config import Settings
from otel_mas.store.framing import LogRow
from otel_mas.store.imports import imports
from otel_mas.store.private import make_private, private_folder
from otel_mas.store.shipping import Accepted, Outcome, Refused, Unavailable

_SUFFIX = ".jsonl"
_TAIL = 2**16


class FileDestination:
    """Appends to one file: `file:/var/log/spans.jsonl`, or `file` for one beside the store.

    Args:
        path: of the file that is written to. Full ones are called `<name>-<when>.jsonl.gz`, in the same folder.
        most_bytes: size at which it is full.
        now: names full files.
    """

    sends_to: ClassVar[str] = "a file of OTLP/JSON lines, as a Collector's file exporter writes them"
    server = ""
    timeout_s = 10.0

    def __init__(self, path: Path, most_bytes: int, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self.name = f"file:{path}"
        self._most_bytes = most_bytes
        self._now = now
        self._file: IO[bytes] | None = None

    @classmethod
    def open(cls, target: str, settings: Settings, environ: Mapping[str, str]) -> FileDestination:
        store = Path(settings.store).expanduser().absolute()
        path = Path(target).expanduser().absolute() if target else store.with_name(f"{store.stem}.otlp{_SUFFIX}")
        return cls(path, settings.archive_file_bytes)

    def send(self, rows: Sequence[LogRow]) -> Outcome:
        with imports:
            from otel_mas.store.otlp_json import json_line
        try:
            line = json_line(rows) if rows else b""
        except (ValueError, TypeError, RecursionError) as error:  # orjson's own is a TypeError
            return Refused(f"cannot be written as OTLP/JSON: {error}", about_the_data=True)
        try:
            # Opened anew where somebody has moved or deleted it meanwhile.
            file = self._opened()
            if file.tell() and file.tell() + len(line) > self._most_bytes:
                self._rotate()
                file = self._opened()
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            self.close()
            return Unavailable(f"cannot write {self.path}: {error.strerror or error}")
        return Accepted()

    def close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError:  # a full disk, already told
                pass

    def _opened(self) -> IO[bytes]:
        if self._file is not None and not _is_still(self._file, self.path):
            self.close()
        if self._file is None:
            private_folder(self.path.parent)
            self._compress_left_over()
            file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
            make_private(self.path)
            _cut_torn_line(file)
            self._file = file
        return self._file

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
        """Files that were full when a crash came between."""
        for full in self.path.parent.glob(f"{_escaped(self.path.stem)}-[0-9]*T[0-9]*{_escaped(self.path.suffix)}"):
            _compress(full)


def _is_still(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _cut_torn_line(file: IO[bytes]) -> None:
    """Leave the file positioned after its last whole line."""
    end = file.seek(0, os.SEEK_END)
    whole = end
    while whole:
        start = max(0, whole - _TAIL)
        file.seek(start)
        newline = file.read(whole - start).rfind(b"\n")
        if newline >= 0:
            whole = start + newline + 1
            break
        whole = start
    if whole != end:
        file.truncate(whole)
    file.seek(whole)


def _compress(full: Path) -> None:
    """`x.jsonl` → `x.jsonl.gz`; at no time is there neither."""
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
    """A new file in place of what a crash left there, whoever could read that."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _escaped(text: str) -> str:
    return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in text)
