"""The shipper of one destination, step by step: read the log, withhold, send, advance the cursor.

Delivery is at least once: only a crash or a lost reply between sending and advancing sends spans again.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from otel_mas.errors.log import logger
from otel_mas.otlp.framing import LogRow
from otel_mas.shipping.backoff import Backoff
from otel_mas.shipping.delivery import Delivery, sender
from otel_mas.shipping.destination import Destination
from otel_mas.shipping.preparation import Preparation
from otel_mas.store.log import Lease, LeaseLost, Log, LogChunk, Progress

BATCH_SPANS = 1024
BATCH_BYTES = 2 * 2**20
_SPARE_S = 5.0  # of a lease, beyond the timeout of one request
_MAX_SHOWN = 300
_MAX_WARNINGS = 100
_FAILURES_BEFORE_SUSPICION = 2


@dataclass(frozen=True, slots=True)
class Shipped:
    """A chunk of the log is delivered or rejected; there may be more."""

    spans: int


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is left to ship."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The destination accepts nothing: try again after so many seconds."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Another process ships to this destination."""


Step = Shipped | Idle | Waiting | Busy


class Shipper:
    """Ships one store's log to one destination.

    Args:
        log: no transaction is open while a request is under way.
        content: bytes of each attribute with content that leaves along with spans; 0 withholds all content.
        backoff: between failures.
    """

    def __init__(
        self,
        log: Log,
        destination: Destination,
        *,
        content: int = 0,
        backoff: Backoff | None = None,
        batch_spans: int = BATCH_SPANS,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self.destination = destination
        self.name = destination.name
        self._log = log
        self._preparation = Preparation(content)
        self._backoff = backoff or Backoff()
        self._owner = secrets.token_hex(8)
        self._bounds = batch_spans, batch_bytes, content
        self._lease: Lease | None = None
        self._warned: set[str] = set()
        self._failures = _Failures()
        self._last_accepted: LogRow | None = None
        self.hurry = False
        """Set, from any thread, when the process ends: failures are not bisected any more."""

    def step(self) -> Step:
        """Ship the next chunk, if the lease can be had and there is one.

        Raises:
            StoreError: the store cannot be used; StoreLocked where it can be later.
        """
        try:
            self._lease = self._log.lease(self.name, self._owner, self._lease_s)
            if self._lease is None:
                return Busy()
            chunk = self._log.read(self.name, self.destination.server, *self._bounds)
            if chunk is None:
                return Idle()
            return self._ship(self._lease, chunk)
        except LeaseLost:
            self._lease = None
            return Busy()

    def close(self) -> None:
        """Give the lease back, and close the destination."""
        try:
            if self._lease is not None:
                self._log.give_back(self._lease)
                self._lease = None
        finally:
            self.destination.close()

    @property
    def _lease_s(self) -> float:
        return self.destination.timeout_s + _SPARE_S

    def _ship(self, lease: Lease, chunk: LogChunk) -> Step:
        rows, withheld, unreadable = self._prepared(chunk)
        delivery = Delivery(
            rows,
            sender(self.destination, lambda: self._log.renew(lease, self._lease_s)),
            suspicious=self._failures.suspicious(rows),
            last_accepted=self._last_accepted,
            hurry=lambda: self.hurry,
        )
        stopped = delivery.run()
        self._last_accepted = delivery.last_accepted
        settled = len(rows) if stopped is None else stopped.position
        set_aside = [
            (rows[position], reason) for position, reason in sorted(delivery.rejected.items()) if position < settled
        ]
        for reason in (*delivery.messages, *(f"skips a span that it refuses: {reason}" for _, reason in set_aside)):
            self._warn(reason)
        whole = stopped is None
        set_aside += unreadable if whole else []
        progress = Progress(
            shipped=max(
                0, settled - sum(position < settled for position in delivery.rejected) - delivery.partly_rejected
            ),
            rejected=len(set_aside) + delivery.partly_rejected,
            not_consented=chunk.not_consented if whole else 0,
            exported_by_app=chunk.exported_by_app if whole else 0,
            withheld=sum(withheld[:settled]),
            set_aside=tuple((row.key, reason[:_MAX_SHOWN]) for row, reason in set_aside),
        )
        if whole or settled:
            self._log.advance(lease, chunk, chunk.upto if whole else rows[settled - 1].key, progress)
            self._backoff.reset()
        if stopped is None:
            self._failures.reset()
            return Shipped(progress.shipped)
        self._failures.add(rows[stopped.position])
        reason = stopped.cause.reason[:_MAX_SHOWN]
        self._log.failed(lease, reason)
        return Waiting(self._backoff.next(stopped.cause.after_s), reason)

    def _prepared(self, chunk: LogChunk) -> tuple[list[LogRow], list[int], list[tuple[LogRow, str]]]:
        """The rows as they may leave, the number of values withheld from each, and unreadable rows with reasons."""
        rows: list[LogRow] = []
        withheld: list[int] = []
        unreadable: list[tuple[LogRow, str]] = []
        for row in chunk.rows:
            try:
                kept, number = self._preparation.row(row)
            except ValueError as error:
                self._warn(f"skips a span that cannot be read: {error}")
                unreadable.append((row, str(error)))
                continue
            rows.append(kept)
            withheld.append(number)
        return rows, withheld, unreadable

    def _warn(self, problem: str) -> None:
        if problem not in self._warned:
            if len(self._warned) < _MAX_WARNINGS:
                self._warned.add(problem)
            logger.warning("otel-mas: %s %s", self.name, problem[:_MAX_SHOWN])


class _Failures:
    """Number of times in a row that a delivery had to stop at the same span."""

    def __init__(self) -> None:
        self._key: int | None = None
        self._count = 0

    def suspicious(self, rows: Sequence[LogRow]) -> bool:
        return bool(rows) and rows[0].key == self._key and self._count >= _FAILURES_BEFORE_SUSPICION

    def add(self, row: LogRow) -> None:
        self._count = self._count + 1 if row.key == self._key else 1
        self._key = row.key

    def reset(self) -> None:
        self._key = None
