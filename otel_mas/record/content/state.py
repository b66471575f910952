"""Values written to a state: bounded copies on the app's thread, digests and contents on the writer's.

A value is what was *written*: the new value of a plain channel, the update of one with a reducer. A small one is
copied, a text or bytes kept by reference. Only the size is recorded of a value that is too large to read on the app's
thread, and only `opaque` of one that holds an object without readable fields.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from otel_mas.record.content.canonical import canonical_value
from otel_mas.record.content.snapshot import Copy

if TYPE_CHECKING:
    from otel_mas.record.content.digest import Digester

_MAX_NODES = 256  # of one value: 40 µs on the app's thread
_MAX_SIZE = 1 << 20  # characters or bytes: 1 ms on the writer's
_DIGEST = 32
_MAX_KNOWN = 65_536
_SIZED = (str, bytes, bytearray, memoryview, list, tuple, dict, set, frozenset, deque)
AT_ONCE = frozenset((bool, int, float, type(None)))
"""Types of values that need no copy and weigh nothing."""


class MessageList(list[str]):
    """Digests in place of messages, which are stored by themselves."""

    __slots__ = ()


Known = Callable[[Any], MessageList | None]
"""Returns the digests of a message or of a list of messages; None for anything else."""


class Unread(str):
    """The reason why a value has no digest: `size:5000000` (characters, bytes or items), `large` or `opaque`."""

    __slots__ = ()


_OPAQUE = Unread("opaque")
_LARGE = Unread("large")


class _OpaqueError(Exception):
    """A value holds an object without readable fields."""


class _Value(Copy):
    __slots__ = ("_known",)

    def __init__(self, known: Known) -> None:
        super().__init__(_MAX_NODES)
        self._known = known

    def _other(self, value: Any, depth: int) -> Any:
        known = self._known(value)
        if known is not None:
            return known
        if issubclass(type(value), set | frozenset):  # in one order in every process
            base = set if issubclass(type(value), set) else frozenset
            return sorted(self._items(base.__iter__(value), base.__len__(value), depth), key=repr)
        return super()._other(value, depth)

    def _opaque(self, value: Any) -> Any:
        raise _OpaqueError


def bounded_copy(value: Any, known: Known) -> tuple[Any, int]:
    """Return a copy of one value that later changes do not reach, or why there is none, and its size in bytes.

    Args:
        value: of any kind.
        known: recognizes messages.
    """
    kind = type(value)
    if kind in AT_ONCE:
        return value, 0
    if kind is MessageList:
        return value, _DIGEST * len(value)
    try:
        # Of no other type: the length of a query or a lazy table runs app code.
        size = len(value) if kind in _SIZED else 0
    except Exception:  # a subclass that fails to tell it
        size = 0
    if kind is str or kind is bytes:
        return (value, size) if size <= _MAX_SIZE else (Unread(f"size:{size}"), 0)
    copy = _Value(known)
    try:
        copied = known(value)
        if copied is not None:
            return copied, _DIGEST * len(copied)
        if size > _MAX_NODES:
            return Unread(f"size:{size}"), 0
        copied = copy.of(value)
    except _OpaqueError:
        return _OPAQUE, 0
    if copy.cut or copy.size > _MAX_SIZE:
        return (Unread(f"size:{size}") if size else _LARGE), 0
    return copied, copy.size


class StateDigests:
    """Digests of values, and which of them the store has; on the writer's thread."""

    __slots__ = ("_digester", "_stored")

    def __init__(self, digester: Digester) -> None:
        self._digester = digester
        self._stored: dict[str, None] = {}

    def digests(self, values: Iterable[Any]) -> list[str]:
        """For each value 32 hexadecimal digits, or why it has no digest."""
        digest = self._digester.digest
        return [str(value) if type(value) is Unread else digest(canonical_value(value)) for value in values]

    def is_new(self, digest: str) -> bool:
        """Whether the digest is asked for the first time."""
        if digest in self._stored:
            return False
        if len(self._stored) >= _MAX_KNOWN:
            self._stored.clear()
        self._stored[digest] = None
        return True

    def forget(self) -> None:
        """Forget what is stored: the store may have deleted it."""
        self._stored.clear()


__all__ = ["AT_ONCE", "MessageList", "StateDigests", "Unread", "bounded_copy"]
