"""Sending again what a destination has refused for good: its limits, or its version, may be others by now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from otel_mas.errors import DestinationError
from otel_mas.otlp.framing import LogRow
from otel_mas.shipping.backoff import Backoff
from otel_mas.shipping.delivery import sender
from otel_mas.shipping.destination import Accepted, Destination, Refused, Unavailable
from otel_mas.shipping.preparation import Preparation
from otel_mas.store.set_aside import SetAside

_ATTEMPTS = 5
_MAX_REASON = 300


@dataclass(slots=True)
class Retried:
    """Counts of spans: accepted now, refused again, and no longer in the store."""

    accepted: int = 0
    refused: int = 0
    gone: int = 0


class Retry:
    """Sends the spans that a destination refused one by one: so each gets its own answer, and none holds up another.

    Args:
        content: as of a `Shipper`.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        log: SetAside,
        destination: Destination,
        *,
        content: int = 0,
        backoff: Backoff | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._log = log
        self._name = destination.name
        self._send = sender(destination, lambda: None)
        self._content = content
        self._preparation = Preparation(content)
        self._backoff = backoff or Backoff()
        self._sleep = sleep

    def run(self, trace: str = "") -> Retried:
        """Send all, or those of one trace, by the beginning of its id.

        Raises:
            DestinationError: the destination is down; what it has not answered stays set aside.
        """
        done = Retried()
        for key in self._log.keys(self._name, trace):
            row = self._log.row(key, self._content)
            if row is None:
                done.gone += 1
                continue
            try:
                reason = self._rejection(self._preparation.row(row)[0])
            except ValueError as error:
                reason = str(error)
            if reason is None:
                self._log.accepted(self._name, key)
                done.accepted += 1
            else:
                self._log.refused_again(self._name, key, reason[:_MAX_REASON])
                done.refused += 1
        return done

    def _rejection(self, row: LogRow) -> str | None:
        """Send a span; returns the reason where it is refused again."""
        self._backoff.reset()
        reason = ""
        for _ in range(_ATTEMPTS):
            outcome = self._send((row,))
            if isinstance(outcome, Accepted):
                return (outcome.message or "rejected without a reason") if outcome.rejected else None
            reason = outcome.reason
            waited_for = isinstance(outcome, Unavailable) and (outcome.overloaded or outcome.after_s is not None)
            if not waited_for and isinstance(self._send(()), Accepted):
                return reason  # it fails of this span alone
            if isinstance(outcome, Refused):
                break
            self._sleep(self._backoff.next(outcome.after_s))
        raise DestinationError(f"{self._name} accepts nothing now: {reason}")


__all__ = ["Retried", "Retry"]
