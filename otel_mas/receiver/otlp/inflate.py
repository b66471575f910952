"""Decompression of requests up to a bound: a few kilobytes of gzip can hold gigabytes."""

from __future__ import annotations

import zlib

from otel_mas.receiver.otlp.outcome import Reason, Refused

_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_GZIP_MAGIC, _ZLIB_CMF = b"\x1f\x8b", 0x78


def inflate(body: bytes, encoding: str, most: int) -> bytes:
    """The request without its compression.

    Args:
        body: as it was sent.
        encoding: `gzip`, `deflate`, `identity`, or nothing.
        most: bytes that it may have then.

    Raises:
        Refused: it is larger, or not compressed like this, or the encoding is another one.
    """
    if encoding in ("", "identity"):
        return _bounded(body, most)
    bits = _WINDOW_BITS.get(encoding)
    if bits is None:
        raise Refused(Reason.UNSUPPORTED, f"the encoding {encoding[:40]!r} is not known: use gzip, or none")
    parts: list[bytes] = []
    size = 0
    while body:
        part, body = _member(body, bits, most - size)
        size += len(part)
        parts.append(part)
        if encoding != "gzip":
            break
    return parts[0] if len(parts) == 1 else b"".join(parts)


def compression_of(message: bytes) -> str:
    """How a gRPC message is compressed, by its first bytes: none of an OTLP request begins like that."""
    if message[:2] == _GZIP_MAGIC:
        return "gzip"
    if message[:1] == b"\x78" and len(message) > 1 and (_ZLIB_CMF << 8 | message[1]) % 31 == 0:
        return "deflate"
    return ""


def _member(body: bytes, bits: int, most: int) -> tuple[bytes, bytes]:
    """One member of a gzip stream, and what follows it."""
    stream = zlib.decompressobj(bits)
    try:
        found = _bounded(stream.decompress(body, most + 1), most)
    except zlib.error as error:
        raise Refused(Reason.MALFORMED, f"the request cannot be decompressed: {error}") from None
    if not stream.eof:
        raise Refused(Reason.MALFORMED, "the request cannot be decompressed: it ends in the middle")
    return found, stream.unused_data


def _bounded(body: bytes, most: int) -> bytes:
    if len(body) > most:
        raise Refused(
            Reason.TOO_LARGE,
            f"the request is larger than {most:,} bytes: send fewer spans at a time, or raise "
            "OTEL_MAS_RECEIVE_REQUEST_BYTES",
        )
    return body


__all__ = ["compression_of", "inflate"]
