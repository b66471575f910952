"""The colours of a screenshot: enough of PNG to count them."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

_CHANNELS = {2: 3, 6: 4}


def colours(png: bytes) -> Counter[tuple[int, int, int]]:
    """How many pixels have each colour."""
    wide, channels = _header(png)
    found: Counter[tuple[int, int, int]] = Counter()
    for line in _lines(png, wide, channels):
        found.update(zip(line[0::channels], line[1::channels], line[2::channels], strict=True))
    return found


def brightness(counted: Counter[tuple[int, int, int]]) -> float:
    """The mean, from 0 (black) to 255 (white)."""
    return sum(sum(colour) / 3 * number for colour, number in counted.items()) / counted.total()


def _header(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    wide, _, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert depth == 8
    return wide, _CHANNELS[kind]


def _lines(png: bytes, wide: int, channels: int) -> Iterator[bytearray]:
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    raw = zlib.decompress(data)
    size = wide * channels
    above = bytearray(size)
    for start in range(0, len(raw), size + 1):
        line = bytearray(raw[start + 1 : start + 1 + size])
        _unfilter(raw[start], line, above, channels)
        yield line
        above = line


def _unfilter(kind: int, line: bytearray, above: bytearray, back: int) -> None:
    for i in range(len(line)):
        left = line[i - back] if i >= back else 0
        up = above[i]
        corner = above[i - back] if i >= back else 0
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) // 2
        elif kind == 4:
            guess = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
        else:
            return
        line[i] = (line[i] + guess) & 0xFF
