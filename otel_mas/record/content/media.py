"""Replace images, sounds and files in content by digest, media type and size.

Recognized: bytes; `data:` URLs; base64 under the names that providers use for it, or that begins as the common formats
do; any other long base64.

Bytes that stand in for those that were not kept (`stand_in`) have the digest, type and size of these.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

_KEYS: Final = frozenset({"data", "base64", "b64_json", "file_data", "partial_image_b64", "encrypted_content", "bytes"})
_LEAST = 256  # characters; shorter ones are no media
_LONG = 1024
_HEAD = 64  # characters of base64 that show a format
_MAX_DEPTH = 40
_TEXT_BEFORE = 256  # characters of a `data:` URL in front of its data
# First bytes of the common formats.
_MAGIC: Final = (
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
)
_STAND_IN: Final = b"blake2b:"
_DESCRIBED: Final = frozenset({"digest", "mime_type", "size"})
_BASE64: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\r\n")


def without_media(value: Any, depth: int = 0) -> Any:
    """Content with digest, media type and size in place of every image, sound and file."""
    kind = type(value)
    if kind is str:
        return _text(value) if len(value) > _LEAST else value
    if kind is not dict and isinstance(value, bytes | bytearray | memoryview):
        return described(value)
    if depth > _MAX_DEPTH:
        return value
    if kind is dict or isinstance(value, Mapping):
        if value.get("type") == "blob":
            kept = {key: without_media(item, depth + 1) for key, item in value.items() if key != "content"}
            return {
                **described(value.get("content")),
                **{name: item for name, item in kept.items() if item is not None},
            }
        return {key: _under(key, item, depth) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_media(item, depth + 1) for item in value]
    return value


def described(content: Any) -> dict[str, Any]:
    """Digest, media type and size of bytes, base64 or a `data:` URL."""
    mime, data = None, content
    if isinstance(data, str):
        if data.startswith("data:"):
            head, _, data = data.partition(",")
            mime = head[len("data:") :].partition(";")[0] or None
        try:
            data = base64.b64decode(data, altchars=b"-_" if "-" in data or "_" in data else None)
        except (binascii.Error, ValueError):
            data = data.encode("utf-8", "surrogatepass")
    if not isinstance(data, bytes | bytearray | memoryview):
        return {"size": None}
    data = bytes(data)
    if data.startswith(_STAND_IN) and (known := _described_in(data)) is not None:
        return known
    found = {"digest": blake2b(data, digest_size=16).hexdigest(), "size": len(data)}
    mime = mime or _format(data[:_HEAD])
    return found if mime is None else {"mime_type": mime, **found}


def is_described(value: Any) -> bool:
    """Whether a value is what `described` makes of media."""
    if not isinstance(value, Mapping) or not value.keys() <= _DESCRIBED:
        return False
    return isinstance(value.get("digest"), str) and type(value.get("size")) is int


def stand_in(found: Mapping[str, Any]) -> str:
    """Base64 that is recognized as the media of this digest, type and size, whose bytes were not kept."""
    known = {name: value for name, value in found.items() if name in _DESCRIBED and value is not None}
    # Base64 that is shorter is not taken for media in a text.
    return base64.b64encode((_STAND_IN + json.dumps(known).encode()).ljust(_LONG)).decode()


def _described_in(data: bytes) -> dict[str, Any] | None:
    """The description in bytes that `stand_in` made; None of other ones."""
    try:
        found = json.loads(data[len(_STAND_IN) :])
    except ValueError:
        return None
    return dict(found) if is_described(found) else None


def _under(key: Any, value: Any, depth: int) -> Any:
    if type(value) is not str:
        return without_media(value, depth + 1)
    if len(value) <= _LEAST:
        return value
    return described(value) if key in _KEYS and _is_base64(value) else _text(value)


def _text(text: str) -> Any:
    if text.startswith("data:") and "," in text[:_TEXT_BEFORE]:
        return described(text)
    if ";base64," in text:
        return _with_named_urls(text)
    return described(text) if _begins_as_media(text) or _encoded(text) else text


def _with_named_urls(text: str) -> str:
    """A text, such as Markdown with pictures, with digests in place of its `data:` URLs."""
    pieces, at = [], 0
    while (start := text.find("data:", at)) >= 0:
        comma = text.find(";base64,", start, start + _TEXT_BEFORE)
        if comma < 0:
            pieces.append(text[at : start + len("data:")])
            at = start + len("data:")
            continue
        end = comma + len(";base64,")
        while end < len(text) and ord(text[end]) in _BASE64:
            end += 1
        media = described(text[start:end])
        pieces += [text[at:start], f"[{media.get('mime_type', 'data')} {media['digest']}, {media['size']} bytes]"]
        at = end
    return "".join((*pieces, text[at:]))


def _begins_as_media(text: str) -> bool:
    if " " in text[:_HEAD]:
        return False
    try:
        head = base64.b64decode(text[:_HEAD], validate=True)
    except (binascii.Error, ValueError):
        return False
    return (head.startswith(_STAND_IN) or _format(head) is not None) and _is_base64(text)


def _encoded(text: str) -> bool:
    """Whether a text is long base64: a thousand characters of all its kinds without a blank."""
    head = text[:_LEAST]
    if len(text) < _LONG or " " in head or head.islower() or head.isupper() or not any(map(str.isdigit, head)):
        return False
    return any(map(str.islower, head)) and any(map(str.isupper, head)) and _is_base64(text)


def _is_base64(text: str) -> bool:
    try:
        return _BASE64.issuperset(text.encode("ascii"))
    except UnicodeEncodeError:
        return False


def _format(head: bytes) -> str | None:
    if head[:4] == b"RIFF":
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "video/mp4"
    return next((mime for magic, mime in _MAGIC if head.startswith(magic)), None)


__all__ = ["described", "is_described", "stand_in", "without_media"]
