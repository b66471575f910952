"""Waiting that faults cause: pauses, slots of a starved resource, a lock that something else holds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from otel_mas.faults.fault import Fault
from otel_mas.faults.injection import Hit, Injection
from otel_mas.fork import ForkLock
from otel_mas.semconv.enums import FaultKind

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_POLL: Final = 0.002  # seconds between two looks, where an event loop waits
_lock = ForkLock()
_slots: WeakKeyDictionary[Injection, dict[Fault, threading.Semaphore]] = WeakKeyDictionary()
_released: WeakKeyDictionary[Injection, dict[Fault, float]] = WeakKeyDictionary()
# The starved resources of which the code here has a slot: what it calls needs none of its own, and cannot deadlock.
_held: ContextVar[frozenset[Fault]] = ContextVar("otel-mas slots", default=frozenset())


@contextmanager
def waiting(hits: Iterable[Hit], span: Span | None = None) -> Iterator[None]:
    """Wait as the faults say; keep what was waited for while the code inside runs.

    Args:
        hits: the faults.
        span: of what waits; the current one by default.
    """
    with ExitStack() as stack:
        for hit in hits:
            if hit.fault.kind == FaultKind.LOCK_HELD:
                left = _left(hit)
                if left > 0:
                    sleep(left)
                    hit.record("start", span=span)
            elif hit.fault not in _held.get():
                stack.enter_context(_slot(hit, span))
        yield


@asynccontextmanager
async def awaiting(hits: Iterable[Hit], span: Span | None = None) -> AsyncIterator[None]:
    """`waiting` without blocking the event loop."""
    async with AsyncExitStack() as stack:
        for hit in hits:
            if hit.fault.kind == FaultKind.LOCK_HELD:
                left = _left(hit)
                if left > 0:
                    await asyncio.sleep(left)
                    hit.record("start", span=span)
            elif hit.fault not in _held.get():
                await stack.enter_async_context(_awaited_slot(hit, span))
        yield


def _left(hit: Hit) -> float:
    """Seconds until the lock is released: it is taken when the first comes that needs it."""
    with _lock:
        return _released.setdefault(hit.injection, {}).setdefault(hit.fault, monotonic() + hit.fault.seconds) - (
            monotonic()
        )


def _semaphore(hit: Hit) -> threading.Semaphore:
    with _lock:
        slots = _slots.setdefault(hit.injection, {})
        if hit.fault not in slots:
            slots[hit.fault] = threading.Semaphore(hit.fault.limit or 1)
        return slots[hit.fault]


@contextmanager
def _slot(hit: Hit, span: Span | None) -> Iterator[None]:
    slots = _semaphore(hit)
    got = slots.acquire(blocking=False)
    if not got:
        got = slots.acquire(timeout=hit.fault.seconds)
        hit.record("start", span=span)
    before = _held.get()
    _held.set(before | {hit.fault})
    try:
        yield
    finally:
        _held.set(before)
        if got:
            slots.release()


@asynccontextmanager
async def _awaited_slot(hit: Hit, span: Span | None) -> AsyncIterator[None]:
    slots = _semaphore(hit)
    got = slots.acquire(blocking=False)
    if not got:
        until = monotonic() + hit.fault.seconds
        while not (got := slots.acquire(blocking=False)) and monotonic() < until:
            await asyncio.sleep(_POLL)
        hit.record("start", span=span)
    before = _held.get()
    _held.set(before | {hit.fault})
    try:
        yield
    finally:
        _held.set(before)
        if got:
            slots.release()


__all__ = ["awaiting", "waiting"]
