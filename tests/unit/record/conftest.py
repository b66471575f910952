"""A store in memory, which can be locked, full, or broken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from otel_mas.errors import StoreError
from otel_mas.model.dropped import Dropped
from otel_mas.store.rows import Batch


class MemoryStore:
    """Implements what the writer needs of `otel_mas.store.StoreWriter`."""

    def __init__(self) -> None:
        self.digest_key = bytes(range(32))
        self.store_id = "memory"
        self.batches: list[Batch] = []
        self.resources: list[tuple[dict[str, Any], str, bytes]] = []
        self.scopes: list[tuple[Any, ...]] = []
        self.finished: tuple[Sequence[Dropped], int] | None = None
        self.closed = False
        self.interrupted = 0
        self.released = 0
        self.retained = 0
        self.lost_messages: frozenset[bytes] = frozenset()
        self.failing: Callable[[], StoreError] | None = None
        self.tried = threading.Event()

    def _may_fail(self) -> None:
        self.tried.set()
        if self.failing is not None:
            raise self.failing()

    def resource(self, attributes: Mapping[str, Any], schema_url: str, body: bytes) -> int:
        self._may_fail()
        self.resources.append((dict(attributes), schema_url, body))
        return len(self.resources)

    def scope(self, name: str, version: str, attributes: Mapping[str, Any], schema_url: str) -> int:
        self.scopes.append((name, version, dict(attributes), schema_url))
        return len(self.scopes)

    def verify(self) -> None: ...

    def is_settled(self) -> bool:
        return True

    def write(self, batch: Batch) -> None:
        self._may_fail()
        self.batches.append(batch)

    def forgotten(self) -> frozenset[bytes]:
        lost, self.lost_messages = self.lost_messages, frozenset()
        return lost

    def retain(self) -> int:
        self.retained += 1
        return 0

    def finish(self, dropped: Sequence[Dropped], withheld: int) -> None:
        self._may_fail()
        self.finished = dropped, withheld

    def interrupt(self, after_s: float = 0.0) -> None:
        self.interrupted += 1

    def release(self) -> None:
        self.released += 1

    def close(self) -> None:
        self.closed = True

    def names(self) -> list[str]:
        """Names of the spans written, in order."""
        return [row.name for batch in self.batches for row in batch.spans]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
