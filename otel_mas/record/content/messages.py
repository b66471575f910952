"""Digests of messages: found by identity for known ones; new ones are canonicalized, hashed and copied once."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, cast

from otel_mas.record.content.canonical import canonical_form
from otel_mas.record.content.digest import Digester
from otel_mas.record.content.media import without_media

MAX_MESSAGES: Final = 4096
"""Number of messages of one list that are read, the newest: 100,000 would take 4 s on the app's thread."""
_MAX_KNOWN = 65_536  # messages known by identity, and digests known to be stored; 30 MB at most

_Key = tuple[int, object]


class MessageAdapter(Protocol):
    """Reads a framework's messages. One kind of object has one adapter."""

    def fingerprint(self, message: Any, /) -> object | None:
        """Something hashable that changes whenever the message does: a tuple of its immutable parts, by reference.

        None where it has mutable parts: the message is then hashed anew each time. Called for every message of every
        call.
        """

    def knows(self, value: Any, /) -> bool:
        """Whether it is one of the framework's messages."""

    def read(self, message: Any, /) -> tuple[str, Sequence[Mapping[str, Any]]]:
        """Role and parts as in GenAI semantic conventions, copied, unredacted and with media."""


class _Alive(weakref.ref[Any]):
    """A known message and its key."""

    __slots__ = ("key",)
    key: _Key


class MessageDigests:
    """The digests of messages, and which of these the store has.

    A message is known by its identity and its fingerprint together. A weak reference takes the entry away when the
    message dies, before its id can be another's; messages that cannot be weakly referenced are hashed anew.

    Args:
        digester: hashes canonical bytes.
        announce: called with a span's key, the digest and a snapshot of a message that has not been handed to the
            store yet; returns False where it could not take it, and is then asked again the next time.
    """

    __slots__ = ("__weakref__", "_announce", "_announced", "_digester", "_gone", "_known", "_refs")

    def __init__(self, digester: Digester, announce: Callable[[tuple[int, int], str, dict[str, Any]], bool]) -> None:
        self._digester = digester
        self._announce = announce
        self._known: dict[_Key, str] = {}
        self._refs: dict[_Key, _Alive] = {}
        self._gone = _forgetter(weakref.ref(self))
        self._announced: dict[str, None] = {}

    def digests(
        self, key: tuple[Any, ...], messages: Sequence[Any], adapter: MessageAdapter, *, remember: bool = True
    ) -> tuple[str, ...]:
        """The digest of each message, in order, as 32 hexadecimal digits.

        Args:
            key: begins with the trace id and the span id of the span that has them: its context.
            messages: the framework's objects.
            adapter: reads them.
            remember: whether the same objects are likely to come again. Most outputs of a model are not.
        """
        if not remember:
            return tuple([self._learn(key, message, adapter, None) for message in messages])
        fingerprints = list(map(adapter.fingerprint, messages))
        try:
            # One pass in C: 50 known messages cost microseconds, and most are known.
            found = tuple(map(self._known.get, zip(map(id, messages), fingerprints, strict=False)))
        except TypeError:  # an unhashable fingerprint
            found = (None,) * len(messages)
        if None not in found:
            return cast("tuple[str, ...]", found)
        return tuple(
            [
                self._learn(key, message, adapter, fingerprint) if known is None else known
                for message, fingerprint, known in zip(messages, fingerprints, found, strict=True)
            ]
        )

    def forget(self) -> None:
        """Forget what is stored: the store may have deleted it, or this is another process."""
        self._announced.clear()
        self._known.clear()
        self._refs.clear()

    def _learn(self, key: tuple[Any, ...], message: Any, adapter: MessageAdapter, fingerprint: object | None) -> str:
        role, parts = adapter.read(message)
        digest = self._digester.digest(canonical_form(role, parts))
        if digest not in self._announced:
            if not self._announce((key[0], key[1]), digest, {"role": role, "parts": list(map(without_media, parts))}):
                return digest
            if len(self._announced) >= _MAX_KNOWN:
                _drop_oldest_half(self._announced)
            self._announced[digest] = None
        if fingerprint is not None:
            self._remember((id(message), fingerprint), message, digest)
        return digest

    def _remember(self, key: _Key, message: Any, digest: str) -> None:
        if len(self._known) >= _MAX_KNOWN:
            _drop_oldest_half(self._known, self._refs)
        try:
            alive = _Alive(message, self._gone)
            alive.key = key
            self._refs[key] = alive
        except TypeError:  # cannot be weakly referenced, or the fingerprint cannot be hashed: not known, then
            return
        self._known[key] = digest


def _drop_oldest_half(known: dict[Any, Any], *others: dict[Any, Any]) -> None:
    for key in list(known)[: len(known) // 2]:  # in one step of C: a message that dies takes its entry away
        for one in (known, *others):
            one.pop(key, None)


def _forgetter(owner: weakref.ref[MessageDigests]) -> Callable[[_Alive], None]:
    """A callback that forgets a message that has died."""

    def forget(gone: _Alive) -> None:
        digests = owner()
        if digests is not None:
            digests._known.pop(gone.key, None)
            digests._refs.pop(gone.key, None)

    return forget


__all__ = ["MAX_MESSAGES", "MessageAdapter", "MessageDigests"]
