"""Moves the log to a destination, step by step: read, withhold, send, acknowledge, advance.

At least once: a crash, or a reply that is lost, between sending and acknowledging sends spans again. Nothing else does.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from otel_mas.store.array_parts import with_split_arrays
from otel_mas.store.framing import LogRow
from otel_mas.store.log import Lease, LeaseLost, Log, Piece, Progress
from otel_mas.store.shipping.backoff import Backoff
from otel_mas.store.shipping.destination import Accepted, Destination, Unavailable
from otel_mas.store.shipping.withhold import Withholder

BATCH_SPANS = 512
BATCH_BYTES = 2 * 2**20
_SPARE_S = 5.0  # that a lease lasts beyond what one request may take
_MOST_SHOWN = 300

logger = logging.getLogger("otel_mas")


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


@dataclass(slots=True)
class _Batch:
    """What has become of the rows of one piece; `settled` rows at its beginning need no more thought."""

    rows: Sequence[LogRow]
    lost: dict[int, str] = field(default_factory=dict)
    doubtful: dict[int, str] = field(default_factory=dict)
    accepted: int = 0
    rejected: int = 0
    probed: bool = False


class Shipper:
    """Ships one store's log to one destination.

    Args:
        log: released while a request is under way, if the caller wants: nothing of it is held then.
        content: whether content may leave (`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`).
        backoff: between failures.
    """

    def __init__(
        self,
        log: Log,
        destination: Destination,
        *,
        content: bool = False,
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
        self._batch = batch_spans, batch_bytes
        self._lease: Lease | None = None
        self._said: set[str] = set()

    def step(self) -> Step:
        """Ship what comes next, if it is our turn and there is something.

        Raises:
            StoreError: the store cannot be used; StoreLocked where it can be later.
        """
        try:
            self._lease = self._log.lease(self.name, self._owner, self._lease_s)
            if self._lease is None:
                return Busy()
            piece = self._log.read(self.name, self.destination.server, *self._batch)
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

    def _ship(self, lease: Lease, piece: Piece) -> Step:
        rows, withheld, unreadable = self._withheld(piece)
        batch = _Batch(rows)
        stopped = self._deliver(lease, batch, 0, len(rows)) if rows else None
        if stopped is None and batch.doubtful and not batch.accepted:
            stopped = (len(rows), Unavailable(next(iter(batch.doubtful.values()))))
        settled = len(rows) if stopped is None else self._settled(batch, stopped[0])
        lost = [key for key in (*batch.lost, *(batch.doubtful if batch.accepted else ())) if key < settled]
        for place in lost:
            self._say(f"skips a span that it refuses: {batch.lost.get(place) or batch.doubtful.get(place)}")
        whole = stopped is None
        progress = Progress(
            shipped=settled - len(lost) - batch.rejected,
            rejected=len(lost) + batch.rejected + (unreadable if whole else 0),
            held_back=piece.held_back if whole else 0,
            elsewhere=piece.elsewhere if whole else 0,
            withheld=sum(withheld[:settled]),
        )
        if whole or settled:
            self._log.advance(lease, piece, piece.upto if whole else rows[settled - 1].key, progress)
        if stopped is None:
            self._backoff.reset()
            return Shipped(progress.shipped)
        if settled:
            self._backoff.reset()
        reason = stopped[1].reason[:_MOST_SHOWN]
        self._log.failed(lease, reason)
        return Waiting(self._backoff.next(stopped[1].after_s), reason)

    def _withheld(self, piece: Piece) -> tuple[list[LogRow], list[int], int]:
        """The rows as they may leave, the values withheld from each, and how many cannot be read at all."""
        rows: list[LogRow] = []
        withheld: list[int] = []
        for row in piece.rows:
            try:
                kept, went = (row, 0) if self._withholder is None else self._withholder.row(row)
            except ValueError as error:  # what cannot be looked into cannot be let out
                self._say(f"skips a span that cannot be read: {error}")
                continue
            rows.append(kept._replace(body=with_split_arrays(kept.body)))
            withheld.append(went)
        return rows, withheld, len(piece.rows) - len(rows)

    def _deliver(self, lease: Lease, batch: _Batch, start: int, end: int) -> tuple[int, Unavailable] | None:
        """Send some rows of a batch, in smaller and smaller parts where they are refused.

        Returns:
            Where it had to stop, and why; None where all are dealt with.
        """
        self._log.renew(lease, self._lease_s)
        outcome = self.destination.send(batch.rows[start:end])
        if isinstance(outcome, Unavailable):
            return start, outcome
        if isinstance(outcome, Accepted):
            batch.accepted += end - start
            batch.rejected += min(outcome.rejected, end - start)
            if outcome.rejected or outcome.message:
                self._say(f"rejected {outcome.rejected} spans: {outcome.message or 'without a reason'}")
            return None
        if not batch.probed:
            batch.probed = True
            refusal = self._probe(lease)
            if refusal is not None:
                return start, refusal
        if end - start == 1:
            (batch.lost if outcome.about_the_data else batch.doubtful)[start] = outcome.reason
            return None
        middle = (start + end) // 2
        return self._deliver(lease, batch, start, middle) or self._deliver(lease, batch, middle, end)

    def _probe(self, lease: Lease) -> Unavailable | None:
        """Whether it refuses everything, these spans or none: then it is the server's settings, or ours."""
        self._log.renew(lease, self._lease_s)
        outcome = self.destination.send(())
        if isinstance(outcome, Accepted):
            return None
        return (
            Unavailable(outcome.reason, outcome.after_s)
            if isinstance(outcome, Unavailable)
            else Unavailable(outcome.reason)
        )

    def _settled(self, batch: _Batch, stopped: int) -> int:
        """How many rows at the beginning are dealt with; a refusal is believed once something was accepted."""
        if batch.accepted:
            return stopped
        return min([stopped, *batch.doubtful])

    def _say(self, what: str) -> None:
        """Once for each thing that goes wrong."""
        if what not in self._said:
            if len(self._said) < 100:
                self._said.add(what)
            logger.warning("otel-mas: %s %s", self.name, what[:_MOST_SHOWN])


__all__ = ["Busy", "Idle", "Shipped", "Shipper", "Step", "Waiting"]
