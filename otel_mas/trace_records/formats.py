"""Records as JSON lines and as MessagePack: fields → bytes → fields, whatever they hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

import orjson

from otel_mas.errors import MissingExtra
from otel_mas.trace_records.values import MAX_DEPTH, tagged, untagged

MAX_RECORD_BYTES: Final = 2**28
"""Bytes of one record in MessagePack: each is held as a whole."""
_CHUNK: Final = 2**18
_DIGITS: Final = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_LONG: Final = b"0" * 20
"""Digits of an integer that 64 bits may not hold, all made the same by `_DIGITS`."""
TAG: Final = b'"$'
"""The beginning of a tag, or of a name that looks like one."""
_INT = 1
"""MessagePack's extension type for an integer beyond 64 bits, as ASCII hex digits."""


class Readable(Protocol):
    """Anything that bytes can be read from."""

    def read(self, size: int, /) -> bytes: ...


def json_line(fields: Mapping[str, Any]) -> bytes:
    """One line of JSON, without a newline."""
    try:
        line = orjson.dumps(fields)
    except TypeError:  # it holds what JSON has no form for
        line = TAG
    # A float that is no number would be written as null.
    if TAG in line or (b"null" in line and orjson.loads(line) != fields):
        return orjson.dumps({name: tagged(value) for name, value in fields.items()})
    return line


def of_json_line(line: bytes | str) -> Any:
    """The value of a line of JSON. Raises ValueError where it is none."""
    data = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
    try:
        found = orjson.loads(data) if _LONG not in data.translate(_DIGITS) else _of_any_json(data)
    except orjson.JSONDecodeError:
        found = _of_any_json(data)
    return untagged(found) if TAG in data else found


def parsed(value: Any) -> Any:
    """The value that JSON text holds; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return of_json_line(value)
    except ValueError:
        return value


def has_few_levels(line: bytes | str) -> bool:
    """Whether JSON is surely not nested deeper than a record holds."""
    if isinstance(line, str):
        return line.count("[") + line.count("{") <= MAX_DEPTH
    return line.count(b"[") + line.count(b"{") <= MAX_DEPTH


def _of_any_json(data: bytes) -> Any:
    """JSON with what orjson refuses (NaN, lone surrogates) or makes floats of (long integers)."""
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def packer() -> Callable[[Mapping[str, Any]], bytes]:
    """A function that makes maps of MessagePack, one after the other, on one thread.

    Raises:
        MissingExtra: the package msgpack is not installed.
    """
    pack: Callable[[Mapping[str, Any]], bytes] = (
        _msgpack().Packer(default=_extended, unicode_errors="surrogatepass").pack
    )
    return pack


def packed(fields: Mapping[str, Any]) -> bytes:
    """A map of MessagePack. Raises `MissingExtra` without the package msgpack."""
    return packer()(fields)


def unpacked(data: bytes) -> Any:
    """The value of bytes of MessagePack.

    Raises:
        ValueError: they are none.
        MissingExtra: the package msgpack is not installed.
    """
    library = _msgpack()
    try:
        return library.unpackb(data, **_READING)
    except (library.UnpackException, RecursionError) as error:
        raise ValueError(str(error) or type(error).__name__) from None


def unpacked_stream(file: Readable) -> Iterator[Any]:
    """The values of a file of MessagePack, one after the other; of bytes that are none, ValueError."""
    library = _msgpack()
    unpacker = library.Unpacker(max_buffer_size=MAX_RECORD_BYTES, **_READING)
    while chunk := file.read(_CHUNK):
        try:
            unpacker.feed(chunk)
            yield from unpacker
        except (library.UnpackException, RecursionError) as error:
            raise ValueError(str(error) or type(error).__name__) from None
    try:
        left = unpacker.read_bytes(1)
    except ValueError:  # it has begun to read an object
        raise ValueError("the last record is cut") from None
    if left:
        raise ValueError("the last record is cut")


def _extended(value: Any) -> Any:
    if isinstance(value, int):
        return _msgpack().ExtType(_INT, hex(value).encode())
    raise TypeError(f"a {type(value).__name__} has no form in MessagePack")


def _of_extended(code: int, data: bytes) -> Any:
    if code == _INT:
        return int(data, 16)
    raise ValueError(f"extension type {code} of MessagePack is not known")


_READING: Final[Mapping[str, Any]] = {
    "ext_hook": _of_extended,
    "unicode_errors": "surrogatepass",
    "strict_map_key": True,
}


def _msgpack() -> Any:
    try:
        import msgpack  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtra("msgpack is not installed: pip install 'otel-mas[msgpack]'") from None
    return msgpack
