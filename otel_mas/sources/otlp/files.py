"""OTLP files, piece by piece: JSON lines, one JSON document, protobuf with lengths or plain; compressed or not.

What is whole is given; where a file was cut in the middle, or holds something else, a line says so.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from otel_mas.otlp import zstd
from otel_mas.otlp.wire import DELIMITED, fields, read_varint
from otel_mas.store.header import SQLITE_MAGIC, header

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

Form = Literal["json lines", "json", "plain protobuf", "protobuf after 4 bytes", "protobuf after a varint"]

_CHUNK = 2**18
_PACKED_CHUNK = 2**12
"""Bytes of gzip read at once: what is left of them is copied for each member and each chunk that is unpacked."""
_HEAD = 8
_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_RESOURCE_SPANS = 1 << 3 | DELIMITED
_RESOURCE_SPANS_TAG = b"\x0a"
_MOST_PLAIN = 2**28
"""Bytes of one line, message or document: each is held as a whole, several times over while it is read."""
_MOST_UNPACKED = zstd.LARGEST_MESSAGE
_LONGEST_FRAME = 2**28
_LOOKED_AT = 2**16
_MOST_PROBLEMS = 100
_OTHER_SIGNALS = ("resourceLogs", "resourceMetrics", "resourceProfiles")
_JSON_NAMES = tuple(f'"{name}"'.encode() for name in ("resourceSpans", "batches", *_OTHER_SIGNALS))


@dataclass(slots=True)
class OtlpFile:
    """One file. After it has been gone through, `problems` says what could not be read of it, a line each.

    Raises:
        OSError: it cannot be opened or read.
        ValueError: it is no OTLP file of any form.
    """

    path: Path
    problems: list[str] = field(default_factory=list)
    other_signals: int = 0
    """Lines of logs and metrics, which a Collector may write into the same file."""
    _skipped: int = 0
    _json: bool = False

    def pieces(self) -> Iterator[bytes]:
        """The encoded messages, in order; `read` decodes one."""
        if SQLITE_MAGIC.startswith(header(self.path)):
            raise self._foreign()
        try:
            with self.path.open("rb") as file:
                head = file.read(_HEAD)
                file.seek(0)
                yield from self._compressed(file) if zstd.is_framed(head) else self._whole(file)
        except zstd.NotInstalled as error:
            raise ValueError(f"{self.path}: {error}") from None

    def read(self, piece: bytes) -> list[ResourceSpans]:
        """What one piece says. What cannot be read is a problem, and nothing."""
        try:
            bad: list[str] = []
            found = list(_in_json(piece, bad) if self._json else _in_protobuf(piece))
            self.problems += [f"{self.path}: {problem}" for problem in bad[: _MOST_PROBLEMS - len(self.problems)]]
            return found
        except _Other:
            self.other_signals += 1
        except ValueError as error:
            self._skipped += 1
            if self._skipped == 1:
                self.problems.append(f"{self.path}: skips what is no OTLP traces message: {error}")
        return []

    def messages(self) -> Iterator[ResourceSpans]:
        """Everything that is whole."""
        for piece in self.pieces():
            yield from self.read(piece)

    def _whole(self, file: IO[bytes]) -> Iterator[bytes]:
        stream = _Stream(file)
        form = _form(stream.peek(_LOOKED_AT))
        if form is None:
            raise self._foreign()
        self._json = form in ("json lines", "json")
        yield from self._pieces(form, stream)
        if stream.cut:
            self.problems.insert(
                0, f"{self.path}: the {stream.packing} file is cut: what lies behind byte {stream.given} is gone"
            )

    def _compressed(self, file: IO[bytes]) -> Iterator[bytes]:
        """Messages of which each is compressed."""
        try:
            for message in zstd.messages(file):
                form = _form(message[:_LOOKED_AT])
                self._json = form in ("json lines", "json")
                yield message
        except zstd.Cut as cut:
            self._cut(cut.where)

    def _pieces(self, form: Form, stream: _Stream) -> Iterator[bytes]:
        if form == "json lines":
            yield from self._lines(stream)
        elif form == "json":
            document = stream.read(stream.most + 1)
            if len(document) > stream.most:
                raise ValueError(f"{self.path} is one document of over {stream.most >> 20} MiB: export fewer traces")
            yield document.removeprefix(_BOM)
        else:
            yield from self._frames(form, stream)

    def _lines(self, stream: _Stream) -> Iterator[bytes]:
        number = 0
        for number, line in enumerate(stream.lines(), 1):
            if line is None:
                self.problems.append(f"{self.path}: leaves out line {number}, which is over {stream.most >> 20} MiB")
                continue
            if not line.endswith(b"\n") and not _is_whole(line):
                self._cut(f"in line {number}")
                return
            if line.strip():
                yield line.removeprefix(_BOM)

    def _frames(self, form: Form, stream: _Stream) -> Iterator[bytes]:
        number = 0
        while True:
            head = stream.peek(16)
            if not head:
                return
            number += 1
            size = _frame(form, head)
            if size is None:
                self._cut(f"in message {number}")
                return
            skipped, length = size
            if length > stream.most:
                self._cut(f"in message {number}, which is over {stream.most >> 20} MiB")
                return
            stream.read(skipped)
            frame = stream.read(length)
            if len(frame) < length:
                self._cut(f"in message {number}")
                return
            yield frame

    def _foreign(self) -> ValueError:
        return ValueError(f"{self.path} is no OTLP file: neither OTLP/JSON nor an OTLP message")

    def _cut(self, where: str) -> None:
        self.problems.append(f"{self.path}: the file is cut in the middle: stopped {where}; what is before it was read")


def is_otlp(path: Path) -> bool:
    """Whether the file begins like one of these forms."""
    try:
        if SQLITE_MAGIC.startswith(header(path)):  # empty, or a store, which is not to be opened like this
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(0)
            if zstd.is_framed(head):
                head = next(zstd.messages(file), b"")[:_LOOKED_AT]
            else:
                head = _Stream(file).peek(_LOOKED_AT)
            return _form(head) is not None
    except zstd.NotInstalled:
        return True  # which `pieces` then says
    except (OSError, zstd.Cut):
        return False


class _Other(Exception):
    """Telemetry, and no traces."""


def _in_json(piece: bytes, problems: list[str]) -> Iterator[ResourceSpans]:
    import orjson

    from otel_mas.otlp.json import resource_spans
    from otel_mas.sources.jaeger.sanitizers import unsanitized

    document = orjson.loads(piece)  # its error is a ValueError
    if isinstance(document, dict) and any(name in document for name in _OTHER_SIGNALS):
        raise _Other
    if isinstance(document, dict) and isinstance(document.get("result"), dict):  # as Jaeger answers
        return unsanitized(resource_spans(document["result"], problems))
    if isinstance(document, dict) and isinstance(document.get("trace"), dict):  # as Tempo answers
        document = document["trace"]
    return resource_spans(document, problems)


def _in_protobuf(piece: bytes) -> Iterator[ResourceSpans]:
    from otel_mas.sources.traces import traces_data

    return iter(traces_data(piece).resource_spans)


def _form(head: bytes) -> Form | None:
    text = head.removeprefix(_BOM).lstrip()
    # A message may begin with the bytes of a new line and a brace, too.
    if text[:1] == b"{" and any(name in text for name in _JSON_NAMES):
        line, newline, _ = text.partition(b"\n")
        # One line may be longer than what is looked at; a document of several begins with a line that is not whole.
        return "json" if newline and not _is_whole(line) else "json lines"
    if len(head) < 2:
        return None
    # A length that begins like a plain message would be one of 160 MB, or of ten bytes.
    plain = head[:1] == _RESOURCE_SPANS_TAG
    forms: tuple[Form, ...] = ("plain protobuf",) if plain else ("protobuf after 4 bytes", "protobuf after a varint")
    for form in forms:
        found = _frame(form, head)
        if found is None:
            continue
        skipped, length = found
        begin = head[skipped : skipped + length]
        if _begins_like_traces(begin, whole=len(begin) == length):
            return form
    return None


def _frame(form: Form, head: bytes) -> tuple[int, int] | None:
    """How many bytes to skip, and how long the message behind them is; None where that cannot be read.

    A plain message is taken apart into its fields: each is a message of one ResourceSpans by itself.
    """
    try:
        if form == "protobuf after 4 bytes":
            length = int.from_bytes(head[:4], "big")
            return (4, length) if len(head) >= 4 and 0 < length < _LONGEST_FRAME else None
        if form == "protobuf after a varint":
            length, at = read_varint(head, 0)
            return (at, length) if length else None
        length, at = read_varint(head, 1)
        return (0, at + length) if head[:1] == _RESOURCE_SPANS_TAG else None
    except ValueError:
        return None


def _begins_like_traces(message: bytes, *, whole: bool) -> bool:
    """Whether a message, or its beginning, is a list of ResourceSpans, which begin with a resource, scopes or a URL."""
    if message[:1] != _RESOURCE_SPANS_TAG:
        return False
    try:
        length, at = read_varint(message, 1)
        inner = message[at : at + length]
        if whole and at + length > len(message):
            return False
        if whole:
            return all(tag == _RESOURCE_SPANS for tag, *_ in fields(message)) and all(
                tag & 7 == DELIMITED for tag, *_ in fields(inner)
            )
    except ValueError:
        return False
    return inner[:1] in (b"\x0a", b"\x12", b"\x1a")


def _is_whole(line: bytes) -> bool:
    import orjson

    try:
        orjson.loads(line.removeprefix(_BOM) or b"0")
    except ValueError:
        return False
    return True


class _Line:
    """One line as it arrives; of a longer one than `most` nothing is kept."""

    def __init__(self, most: int) -> None:
        self.begun = False
        self._left = most
        self._parts: list[bytes] = []

    def add(self, part: bytes) -> None:
        self.begun = self.begun or bool(part)
        if self._left >= 0 and part:
            self._left -= len(part)
            self._parts.append(part)
            if self._left < 0:
                self._parts = [b""]

    @property
    def whole(self) -> bytes | None:
        return None if self._left < 0 else b"".join(self._parts)


class _Stream:
    """Bytes of a file, unpacked where it is compressed; of one that is cut, what can be unpacked of it."""

    def __init__(self, file: IO[bytes]) -> None:
        start = file.read(_HEAD)
        file.seek(0)
        self.cut = False
        self.given = 0
        self.most = _MOST_UNPACKED
        self.packing = "zstd" if zstd.is_stream(start) else "gzip"
        if start.startswith(_GZIP_MAGIC):
            self._source = self._unpacked(file)
        elif zstd.is_stream(start):
            self._source = self._decompressed(file)
        else:
            self._source = iter(lambda: file.read(_CHUNK), b"")
            self.most = _MOST_PLAIN
        self._held = b""

    def peek(self, size: int) -> bytes:
        self._fill(size)
        return self._held[:size]

    def read(self, size: int) -> bytes:
        self._fill(size)
        part, self._held = self._held[:size], self._held[size:]
        self.given += len(part)
        return part

    def lines(self) -> Iterator[bytes | None]:
        """Lines with their ends; the last one may have none. None for each that is longer than `most`."""
        line = _Line(self.most)
        for part in chain((self._held,), self._source):
            self.given += len(part)
            begin = 0
            while newline := part.find(b"\n", begin) + 1:
                line.add(part[begin:newline])
                yield line.whole
                line, begin = _Line(self.most), newline
            line.add(part[begin:])
        if line.begun:
            yield line.whole

    def _fill(self, size: int) -> None:
        if len(self._held) >= size:
            return
        parts, length = [self._held], len(self._held)
        while length < size:
            part = next(self._source, b"")
            if not part:
                break
            parts.append(part)
            length += len(part)
        self._held = b"".join(parts)

    def _decompressed(self, file: IO[bytes]) -> Iterator[bytes]:
        try:
            yield from zstd.decompressed(file)
        except zstd.Cut:
            self.cut = True

    def _unpacked(self, file: IO[bytes]) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(wbits=31)
        while packed := file.read(_PACKED_CHUNK):
            while packed:
                try:
                    part = unpacker.decompress(packed, _CHUNK)
                except zlib.error:
                    self.cut = True
                    return
                if part:
                    yield part
                packed = unpacker.unconsumed_tail
                if unpacker.eof and unpacker.unused_data:  # several packed files, one after the other, are one
                    packed, unpacker = unpacker.unused_data, zlib.decompressobj(wbits=31)
        self.cut = not unpacker.eof
