"""The log of a store for others: spans as they begin and end, from a cursor on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Self

from otel_mas.api.follow import POLL_S
from otel_mas.model import Changes
from otel_mas.sources import Tail


class SpanTail:
    """Changes of a store, with `for` or `async for`, until it is closed: docs/stream.md."""

    def __init__(self, tail: Tail, cursor: str) -> None:
        self._tail = tail
        self._closed = False
        self._states: tuple[frozenset[str], frozenset[str]] = frozenset(), frozenset()
        self.cursor = cursor
        """Position after what was given last; keep it to go on from there."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Changes]:
        while not self._closed:
            changes = self.poll()
            if changes is not None:
                yield changes
            if changes is None or not changes.more:
                time.sleep(POLL_S)

    async def __aiter__(self) -> AsyncIterator[Changes]:
        while not self._closed:
            changes = await asyncio.to_thread(self.poll)
            if changes is not None:
                yield changes
            if changes is None or not changes.more:
                await asyncio.sleep(POLL_S)

    def poll(self) -> Changes | None:
        """Spans that began or ended since the last time, or traces that stopped; None without. Waits for nothing."""
        changes = self._tail.changes()
        if changes is None:
            return None
        same = changes.cursor == self.cursor and (changes.running, changes.stopped) == self._states
        if same and not (changes.opened or changes.ended or changes.lost):
            return None
        self.cursor, self._states = changes.cursor, (changes.running, changes.stopped)
        return changes

    def close(self) -> None:
        """Let go of the store; a loop over it ends."""
        if not self._closed:
            self._closed = True
            self._tail.close()


__all__ = ["SpanTail"]
