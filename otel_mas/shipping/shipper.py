"""Moves the log to a destination, step by step: read, withhold, send, acknowledge, advance.

At least once: a crash, or a reply that is lost, between sending and acknowledging sends spans again. Nothing else does.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from otel_mas.errors.log import logger
from otel_mas.otlp.array_parts import with_split_arrays
from otel_mas.otlp.framing import LogRow
from otel_mas.privacy.withhold import Withholder
from otel_mas.shipping.backoff import Backoff
from otel_mas.shipping.delivery import Delivery, sender
from otel_mas.shipping.destination import Destination
from otel_mas.store.log import Lease, LeaseLost, Log, LogChunk, Progress

BATCH_SPANS = 512
BATCH_BYTES = 2 * 2**20
_SPARE_S = 5.0  # that a lease lasts beyond what one request may take
_MOST_SHOWN = 300
_FAILURES_BEFORE_SUSPICION = 2


@dataclass(frozen=True, slots=True)
class Shipped:
    """A piece of the log is dealt with; there may be more."""

    spans: int


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is left to ship."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The destination does not take anything: try again after so many seconds."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Another process ships to this destination."""


Step = Shipped | Idle | Waiting | Busy


class Shipper:
    """Ships one store's log to one destination.

    Args:
        log: released while a request is under way, if the caller wants: nothing of it is held then.
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
        self._withholder = None if content else Withholder()
        self._backoff = backoff or Backoff()
        self._owner = secrets.token_hex(8)
        self._bounds = batch_spans, batch_bytes, content
        self._lease: Lease | None = None
        self._said: set[str] = set()
        self._failures = _Failures()
        self._taken: LogRow | None = None
        self.hurry = False
        """Set, from any thread, when the process ends: failures are not bisected any more."""

    def step(self) -> Step:
        """Ship what comes next, if it is our turn and there is something.

        Raises:
            StoreError: the store cannot be used; StoreLocked where it can be later.
        """
        try:
            self._lease = self._log.lease(self.name, self._owner, self._lease_s)
            if self._lease is None:
                return Busy()
            piece = self._log.read(self.name, self.destination.server, *self._bounds)
            if piece is None:
                return Idle()
            return self._ship(self._lease, piece)
        except LeaseLost:
            self._lease = None
            return Busy()

    def close(self) -> None:
        """Let others ship, and close the destination."""
        try:
            if self._lease is not None:
                self._log.give_back(self._lease)
                self._lease = None
        finally:
            self.destination.close()

    @property
    def _lease_s(self) -> float:
        return self.destination.timeout_s + _SPARE_S

    def _ship(self, lease: Lease, piece: LogChunk) -> Step:
        rows, withheld, unreadable = self._withheld(piece)
        delivery = Delivery(
            rows,
            sender(self.destination, lambda: self._log.renew(lease, self._lease_s)),
            suspicious=self._failures.suspicious(rows),
            last_accepted=self._taken,
            hurry=lambda: self.hurry,
        )
        stopped = delivery.run()
        self._taken = delivery.last_accepted
        settled = len(rows) if stopped is None else stopped.position
        set_aside = [(rows[place], reason) for place, reason in sorted(delivery.rejected.items()) if place < settled]
        for reason in (*delivery.messages, *(f"skips a span that it refuses: {reason}" for _, reason in set_aside)):
            self._say(reason)
        whole = stopped is None
        set_aside += unreadable if whole else []
        progress = Progress(
            shipped=max(0, settled - sum(place < settled for place in delivery.rejected) - delivery.partly_rejected),
            rejected=len(set_aside) + delivery.partly_rejected,
            not_consented=piece.not_consented if whole else 0,
            exported_by_app=piece.exported_by_app if whole else 0,
            withheld=sum(withheld[:settled]),
            set_aside=tuple((row.key, reason[:_MOST_SHOWN]) for row, reason in set_aside),
        )
        if whole or settled:
            self._log.advance(lease, piece, piece.upto if whole else rows[settled - 1].key, progress)
            self._backoff.reset()
        if stopped is None:
            self._failures.none()
            return Shipped(progress.shipped)
        self._failures.one_more(rows[stopped.position])
        reason = stopped.cause.reason[:_MOST_SHOWN]
        self._log.failed(lease, reason)
        return Waiting(self._backoff.next(stopped.cause.after_s), reason)

    def _withheld(self, piece: LogChunk) -> tuple[list[LogRow], list[int], list[tuple[LogRow, str]]]:
        """The rows as they may leave, the values withheld from each, and the rows that cannot be read, with reasons."""
        rows: list[LogRow] = []
        withheld: list[int] = []
        unreadable: list[tuple[LogRow, str]] = []
        for row in piece.rows:
            try:
                kept, went = (row, 0) if self._withholder is None else self._withholder.row(row)
            except ValueError as error:  # what cannot be looked into cannot be let out
                self._say(f"skips a span that cannot be read: {error}")
                unreadable.append((row, str(error)))
                continue
            rows.append(kept._replace(body=with_split_arrays(kept.body)))
            withheld.append(went)
        return rows, withheld, unreadable

    def _say(self, what: str) -> None:
        """Once for each thing that goes wrong."""
        if what not in self._said:
            if len(self._said) < 100:
                self._said.add(what)
            logger.warning("otel-mas: %s %s", self.name, what[:_MOST_SHOWN])


class _Failures:
    """Number of times in a row that a delivery had to stop at the same span."""

    def __init__(self) -> None:
        self._key: int | None = None
        self._count = 0

    def suspicious(self, rows: Sequence[LogRow]) -> bool:
        return bool(rows) and rows[0].key == self._key and self._count >= _FAILURES_BEFORE_SUSPICION

    def one_more(self, row: LogRow) -> None:
        self._count = self._count + 1 if row.key == self._key else 1
        self._key = row.key

    def none(self) -> None:
        self._key = None


__all__ = ["Busy", "Idle", "Shipped", "Shipper", "Step", "Waiting"]
