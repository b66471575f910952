"""Keyed digests of messages: BLAKE2b, 128 bits, the key known only to those who may compare."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

DIGEST_BYTES = 16
_PERSON = b"otel-mas message"


class Digester:
    """Turns canonical bytes into digests; asks for the key once, when the first message arrives.

    Args:
        key: gives the 32 bytes, without waiting for anybody.
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
