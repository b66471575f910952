"""Files of trace records, record by record: JSON lines or MessagePack, compressed or not.

A record that cannot be read is named, with its file and line, and costs no other one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from otel_mas.errors import MissingExtra
from otel_mas.sources.first_object import names_of_first_object
from otel_mas.sources.otlp import zstd
from otel_mas.sources.otlp.stream import ByteStream
from otel_mas.store.files import SQLITE_MAGIC, header
from otel_mas.trace_records.formats import unpacked_stream
from otel_mas.trace_records.record import REQUIRED, TraceRecord

_HEAD_BYTES: Final = 2**22
_MAX_PROBLEMS: Final = 100
_NAMES: Final = {name.encode() for name in REQUIRED}
_PACKED_NAMES: Final = tuple(bytes((0xA0 | len(name),)) + name for name in sorted(_NAMES))


@dataclass(slots=True)
class RecordFile:
    """One file. After iteration, `problems` has a line for each record that could not be read (the first 100).

    Raises:
        OSError: it cannot be opened or read.
        ValueError: it is no file of records.
        MissingExtra: it is MessagePack, and the package msgpack is not installed; or zstd, and zstandard is not.
    """

    path: Path
    problems: list[str] = field(default_factory=list)
    _bad: int = 0

    def records(self, wanted: Callable[[int], bool] = lambda number: True) -> Iterator[tuple[int, TraceRecord]]:
        """The records with their numbers, from 1: the line, in MessagePack the place.

        Args:
            wanted: whether the record of a number is asked for; others are not looked at.
        """
        with self.path.open("rb") as file:
            try:
                stream = ByteStream(file)
                packed = _is_packed(stream.peek(_HEAD_BYTES))
                each, what = (self._packed(stream), "record") if packed else (self._lines(stream), "line")
                for number, read in each:
                    if wanted(number) and (record := self._record(read, what, number)) is not None:
                        yield number, record
            except zstd.NotInstalled as error:
                raise MissingExtra(f"{self.path}: {error}") from None
        if stream.cut:
            self._problem(
                f"the {stream.packing} file is cut or damaged: what lies behind byte {stream.position} cannot be read"
            )
        if self._bad > len(self.problems):
            self.problems.append(f"{self.path}: {self._bad - len(self.problems):,} more records cannot be read")

    def _lines(self, stream: ByteStream) -> Iterator[tuple[int, Callable[[], TraceRecord]]]:
        for number, line in enumerate(stream.lines(), 1):
            if line is None:
                self._problem(f"line {number} is over {stream.max_bytes >> 20} MiB")
            elif line.strip():
                yield number, partial(TraceRecord.from_json, line.removeprefix(b"\xef\xbb\xbf"))

    def _packed(self, stream: ByteStream) -> Iterator[tuple[int, Callable[[], TraceRecord]]]:
        number = 0
        try:
            for number, fields in enumerate(unpacked_stream(stream), 1):
                yield number, partial(TraceRecord.from_fields, fields)
        except ValueError as error:
            self._problem(f"what lies behind record {number} cannot be read: {error}")

    def _record(self, read: Callable[[], TraceRecord], what: str, number: int) -> TraceRecord | None:
        try:
            return read()
        except ValueError as error:
            self._problem(f"{what} {number} is no record: {error}")
            return None

    def _problem(self, problem: str) -> None:
        self._bad += 1
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(f"{self.path}: {problem}")


def is_record_file(path: Path) -> bool:
    """Whether the file begins with a record, as JSON or MessagePack."""
    try:
        if header(path) == SQLITE_MAGIC:  # to open and close a store that this process records into loses its locks
            return False
        with path.open("rb") as file:
            head = ByteStream(file).peek(_HEAD_BYTES)
    except zstd.NotInstalled:
        return False
    except OSError:
        return False
    return names_of_first_object(head) >= _NAMES or _is_packed(head)


def _is_packed(head: bytes) -> bool:
    """Whether bytes begin with a map of MessagePack that has the names of a record; needs no library."""
    is_map = head[:1] in (b"\xde", b"\xdf") or 0x80 < (head[0] if head else 0) < 0x90
    return is_map and all(name in head for name in _PACKED_NAMES)


__all__ = ["RecordFile", "is_record_file"]
