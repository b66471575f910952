"""The part of `otel_mas.store.StoreWriter` that recording uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from otel_mas.model.dropped import Dropped
    from otel_mas.store.rows import Batch


class Keys(Protocol):
    """The store's keys of resources and scopes."""

    def resource(self, attributes: Mapping[str, Any], schema_url: str, body: bytes) -> int: ...
    def scope(self, name: str, version: str, attributes: Mapping[str, Any], schema_url: str) -> int: ...


class Store(Keys, Protocol):
    """A store that is open for writing."""

    digest_key: bytes
    store_id: str

    def verify(self) -> None: ...
    def is_settled(self) -> bool: ...
    def write(self, batch: Batch) -> None: ...
    def forgotten(self) -> frozenset[bytes]: ...
    def retain(self) -> int: ...
    def finish(self, dropped: Sequence[Dropped], withheld: int) -> None: ...
    def interrupt(self, after_s: float = 0.0) -> None: ...
    def release(self) -> None: ...
    def close(self) -> None: ...


__all__ = ["Keys", "Store"]
