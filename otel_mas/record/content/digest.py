"""Keyed digests of messages: BLAKE2b, 128 bits."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

DIGEST_BYTES = 16
_PERSON = b"otel-mas message"


class Digester:
    """Hashes canonical bytes; reads the key once, for the first message.

    Args:
        key: returns the 32 bytes without waiting.
    """

    __slots__ = ("_key", "_source")

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._source = key
        self._key: bytes | None = None

    def digest(self, canonical: bytes) -> str:
        """The digest of a message's canonical form, as 32 hexadecimal digits."""
        key = self._key
        if key is None:
            key = self._source()
            if self._key is None:  # not rekeyed meanwhile
                self._key = key
        return blake2b(canonical, digest_size=DIGEST_BYTES, key=key, person=_PERSON).hexdigest()

    def rekey(self, key: bytes) -> None:
        """Use this key from now on."""
        self._key = key


__all__ = ["DIGEST_BYTES", "Digester"]
