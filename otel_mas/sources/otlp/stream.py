"""The bytes and lines of a file that may be compressed, read in chunks."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain
from typing import IO

from otel_mas.sources.otlp import zstd

_CHUNK = 2**18
_PACKED_CHUNK = 2**12
"""Bytes of gzip read at once: the rest of them is copied for each member and each chunk that is unpacked."""
_MAGIC_BYTES = 8
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_PLAIN = 2**28
"""Bytes of one line, message or document: each is held as a whole, several times over while it is read."""
_MAX_UNPACKED = zstd.LARGEST_MESSAGE


class _Line:
    """One line as it arrives; of a longer one than `max_bytes` nothing is kept."""

    def __init__(self, max_bytes: int) -> None:
        self.begun = False
        self._left = max_bytes
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


def _before_damage(unpacker: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """The bytes before the damage: all of them where only the checksum at the end is wrong."""
    for at in range(len(packed)):
        try:
            part = unpacker.decompress(packed[at : at + 1])
        except zlib.error:
            return
        if part:
            yield part


class ByteStream:
    """Bytes of a file, unpacked where it is compressed; `cut` once a compressed file ends in the middle.

    `position` is the number of bytes given out; `max_bytes` the largest line or message to hold.
    """

    def __init__(self, file: IO[bytes]) -> None:
        start = file.read(_MAGIC_BYTES)
        file.seek(0)
        self.cut = False
        self.position = 0
        self.max_bytes = _MAX_UNPACKED
        self.packing = "zstd" if zstd.is_stream(start) else "gzip"
        if start.startswith(_GZIP_MAGIC):
            self._source = self._unpacked(file)
        elif zstd.is_stream(start):
            self._source = self._decompressed(file)
        else:
            self._source = iter(lambda: file.read(_CHUNK), b"")
            self.max_bytes = _MAX_PLAIN
        self._held = b""

    def peek(self, size: int) -> bytes:
        self._fill(size)
        return self._held[:size]

    def read(self, size: int) -> bytes:
        self._fill(size)
        part, self._held = self._held[:size], self._held[size:]
        self.position += len(part)
        return part

    def lines(self) -> Iterator[bytes | None]:
        """Lines with their ends; the last one may have none. None for each that is longer than `max_bytes`."""
        line = _Line(self.max_bytes)
        for part in chain((self._held,), self._source):
            self.position += len(part)
            begin = 0
            while newline := part.find(b"\n", begin) + 1:
                line.add(part[begin:newline])
                yield line.whole
                line, begin = _Line(self.max_bytes), newline
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
                before = unpacker.copy()
                try:
                    part = unpacker.decompress(packed, _CHUNK)
                except zlib.error:
                    self.cut = True
                    yield from _before_damage(before, packed)
                    return
                if part:
                    yield part
                packed = unpacker.unconsumed_tail
                if unpacker.eof and unpacker.unused_data:  # several packed files, one after the other, are one
                    packed, unpacker = unpacker.unused_data, zlib.decompressobj(wbits=31)
        self.cut = not unpacker.eof
