"""Files that are compressed with zstd: as a whole, or message by message, as a Collector's file exporter does it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

MAGIC = b"\x28\xb5\x2f\xfd"
_LENGTH = 4  # bytes before each message
_CHUNK = 2**18
_LARGEST_WINDOW = 2**27
LARGEST_MESSAGE = 2**26
"""Bytes of one message, decompressed and compressed: a few bytes can stand for gigabytes."""


class NotInstalled(ValueError):
    """The library that decompresses zstd is missing."""


class Cut(Exception):
    """The file ends in the middle of a message, or its bytes are no zstd; `where` names the message."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


def is_stream(head: bytes) -> bool:
    """Whether a file that begins like this is compressed as a whole."""
    return head.startswith(MAGIC)


def is_framed(head: bytes) -> bool:
    """Whether a file that begins like this has messages of which each is compressed, behind its length."""
    return head[_LENGTH : _LENGTH + len(MAGIC)] == MAGIC


def decompressed(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a file that is compressed as a whole, in chunks.

    Raises:
        Cut: what is left is not zstd.
    """
    library = _library()
    reader = library.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).stream_reader(file, read_across_frames=True)
    while True:
        try:
            chunk = reader.read(_CHUNK)
        except library.ZstdError as error:
            raise Cut(str(error)) from None
        if not chunk:
            return
        yield chunk


def messages(file: IO[bytes]) -> Iterator[bytes]:
    """The messages of a file of which each is compressed.

    Raises:
        Cut: the next message is not whole, or larger than `LARGEST_MESSAGE`.
    """
    library = _library()
    number = 0
    while length := file.read(_LENGTH):
        number += 1
        size = int.from_bytes(length, "big")
        packed = file.read(size) if len(length) == _LENGTH and size <= LARGEST_MESSAGE else b""
        if not packed or len(packed) < size:
            raise Cut(f"in message {number}")
        try:
            yield _message(library, packed)
        except (library.ZstdError, ValueError) as error:
            raise Cut(f"in message {number} ({error})") from None


def _message(library: Any, packed: bytes) -> bytes:
    declared = library.frame_content_size(packed)  # -1 where the frame does not say
    decompressor = library.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    whole: bytes = decompressor.stream_reader(packed).read(LARGEST_MESSAGE + 1)
    if max(declared, len(whole)) > LARGEST_MESSAGE:
        raise ValueError(f"larger than {LARGEST_MESSAGE >> 20} MiB")
    if len(whole) < declared:
        raise ValueError("the compressed message is cut")
    return whole


def _library() -> Any:
    try:
        import zstandard
    except ImportError:
        raise NotInstalled("it is compressed with zstd: `pip install 'otel-mas[zstd]'` to read it") from None
    return zstandard


__all__ = ["LARGEST_MESSAGE", "MAGIC", "Cut", "NotInstalled", "decompressed", "is_framed", "is_stream", "messages"]
