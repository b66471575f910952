"""Delivery of one batch: sent whole, and where that fails by bisection, until the spans that fail are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from otel_mas.otlp.framing import LogRow
from otel_mas.privacy.redact import redact_text
from otel_mas.shipping.destination import Accepted, Destination, Outcome, Refused, Unavailable

_MAX_UNPROVEN = 3


class Stopped(NamedTuple):
    """The row at which a delivery had to stop; those before are delivered or rejected."""

    position: int
    cause: Unavailable


@dataclass(slots=True)
class Delivery:
    """Delivers rows, once.

    A span is rejected where the destination blames the data; or where it fails alone, the destination then accepts a
    span that it has accepted before, and the span fails once more. So a destination that is down loses nothing, even
    where it answers an empty request.

    Args:
        send: sends rows; an empty request asks whether the destination is up.
        suspicious: the same rows have failed several times in a row. "Unavailable" is then taken for a refusal, unless
            an empty request gets the same answer.
        last_accepted: a row that the destination has accepted before.
        hurry: whether there is no time to bisect.
    """

    rows: Sequence[LogRow]
    send: Callable[[Sequence[LogRow]], Outcome]
    suspicious: bool = False
    last_accepted: LogRow | None = None
    hurry: Callable[[], bool] = lambda: False
    rejected: dict[int, str] = field(default_factory=dict)
    """Reasons by position."""
    partly_rejected: int = 0
    """Number of spans that the destination rejected out of accepted requests, without saying which."""
    messages: list[str] = field(default_factory=list)
    """The destination's messages about those."""
    _unproven: dict[int, str] = field(default_factory=dict)
    _probed: bool = False

    def run(self) -> Stopped | None:
        """Deliver all rows. Returns where it had to stop; None where every row is delivered or rejected."""
        stopped = self._deliver(0, len(self.rows)) if self.rows else None
        if not self._unproven:
            return stopped
        position = min(self._unproven)
        return Stopped(position, Unavailable(self._unproven[position]))

    def _deliver(self, start: int, end: int) -> Stopped | None:
        outcome = self.send(self.rows[start:end])
        if isinstance(outcome, Accepted):
            return self._accepted(outcome, start, end)
        if isinstance(outcome, Unavailable) and not self._may_be_the_data(outcome):
            return Stopped(start, outcome)
        if not self._probed:
            self._probed = True
            down = _as_unavailable(self.send(()))
            if down is not None:
                return Stopped(start, down)
        if end - start == 1:
            return self._single_failed(start, outcome)
        middle = (start + end) // 2
        return self._deliver(start, middle) or self._deliver(middle, end)

    def _accepted(self, outcome: Accepted, start: int, end: int) -> Stopped | None:
        self.last_accepted = self.rows[end - 1]
        rejected = max(0, min(outcome.rejected, end - start))
        self.partly_rejected += rejected
        if rejected or outcome.message:
            self.messages.append(f"rejected {rejected} spans: {outcome.message or 'without a reason'}")
        unproven, self._unproven = self._unproven, {}
        for position in unproven:
            stopped = self._retry(position)
            if stopped is not None:
                return stopped
        return None

    def _single_failed(self, position: int, outcome: Refused | Unavailable) -> Stopped | None:
        if isinstance(outcome, Refused) and outcome.about_the_data:
            self.rejected[position] = outcome.reason
            return None
        if self.last_accepted is None:  # nothing to compare it with yet
            self._unproven[position] = outcome.reason
            return Stopped(position, Unavailable(outcome.reason)) if len(self._unproven) >= _MAX_UNPROVEN else None
        down = _as_unavailable(self.send((self.last_accepted,)))
        return Stopped(position, down) if down is not None else self._retry(position)

    def _retry(self, position: int) -> Stopped | None:
        """Send a span that failed alone again, while the destination accepts others."""
        outcome = self.send(self.rows[position : position + 1])
        if isinstance(outcome, Unavailable) and not self._may_be_the_data(outcome):
            return Stopped(position, outcome)
        if not isinstance(outcome, Accepted):
            self.rejected[position] = outcome.reason
        return None

    def _may_be_the_data(self, outcome: Unavailable) -> bool:
        """Whether the spans may be the cause. A destination that asks for time is overloaded by others."""
        return self.suspicious and outcome.after_s is None and not outcome.overloaded and not self.hurry()


def sender(destination: Destination, before: Callable[[], None]) -> Callable[[Sequence[LogRow]], Outcome]:
    """Sends to a destination, after a call of `before`; secrets are redacted from its answers."""

    def send(rows: Sequence[LogRow]) -> Outcome:
        before()
        try:
            return _without_secrets(destination.send(rows))
        except Exception as error:  # a destination of another package may break the port's rules
            return Unavailable(redact_text(f"{destination.name} failed: {type(error).__name__}: {error}"))

    return send


def _without_secrets(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Accepted):
        return replace(outcome, message=redact_text(outcome.message))
    return replace(outcome, reason=redact_text(outcome.reason))


def _as_unavailable(outcome: Outcome) -> Unavailable | None:
    """The outcome as unavailability; None where it is accepted."""
    if isinstance(outcome, Accepted):
        return None
    return outcome if isinstance(outcome, Unavailable) else Unavailable(outcome.reason)
