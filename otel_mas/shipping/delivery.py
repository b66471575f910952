"""One batch on its way: sent whole, and where that fails in smaller and smaller parts, until the culprits are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from otel_mas.otlp.framing import LogRow
from otel_mas.privacy.redact import redact_text
from otel_mas.shipping.destination import Accepted, Destination, Outcome, Refused, Unavailable

_MOST_UNPROVEN = 3


class Stopped(NamedTuple):
    """The row at which a delivery had to stop, and why; the rows before are dealt with."""

    place: int
    cause: Unavailable


@dataclass(slots=True)
class Delivery:
    """Delivers some rows, once.

    A span is set aside where the destination says that it is about the data; or where it fails alone, a span that the
    destination has taken before is then taken, and it fails once more. So a destination that is down loses nothing,
    also where it answers an empty request.

    Args:
        send: sends rows; without any, asks whether the destination would take some.
        suspicious: the same rows could not be delivered several times in a row. An answer that says "later" is then
            taken for a refusal, unless an empty request has the same answer.
        taken: a row that the destination has taken before.
        in_haste: whether there is no time to look for culprits.
    """

    rows: Sequence[LogRow]
    send: Callable[[Sequence[LogRow]], Outcome]
    suspicious: bool = False
    taken: LogRow | None = None
    in_haste: Callable[[], bool] = lambda: False
    rejected: dict[int, str] = field(default_factory=dict)
    """Reasons by place."""
    partly_rejected: int = 0
    """Spans that the destination says it rejected of those that it took, and not which."""
    messages: list[str] = field(default_factory=list)
    """The destination's answer for those."""
    _unproven: dict[int, str] = field(default_factory=dict)
    _probed: bool = False

    def run(self) -> Stopped | None:
        """Deliver all rows. Returns where it had to stop; None where every row is dealt with."""
        stopped = self._deliver(0, len(self.rows)) if self.rows else None
        if not self._unproven:
            return stopped
        place = min(self._unproven)
        return Stopped(place, Unavailable(self._unproven[place]))

    def _deliver(self, start: int, end: int) -> Stopped | None:
        outcome = self.send(self.rows[start:end])
        if isinstance(outcome, Accepted):
            return self._accepted(outcome, start, end)
        if isinstance(outcome, Unavailable) and not self._suspects(outcome):
            return Stopped(start, outcome)
        if not self._probed:
            self._probed = True
            down = _as_unavailable(self.send(()))
            if down is not None:
                return Stopped(start, down)
        if end - start == 1:
            return self._alone(start, outcome)
        middle = (start + end) // 2
        return self._deliver(start, middle) or self._deliver(middle, end)

    def _accepted(self, outcome: Accepted, start: int, end: int) -> Stopped | None:
        self.taken = self.rows[end - 1]
        rejected = max(0, min(outcome.rejected, end - start))
        self.partly_rejected += rejected
        if rejected or outcome.message:
            self.messages.append(f"rejected {rejected} spans: {outcome.message or 'without a reason'}")
        unproven, self._unproven = self._unproven, {}
        for place in unproven:
            stopped = self._once_more(place)
            if stopped is not None:
                return stopped
        return None

    def _alone(self, place: int, outcome: Refused | Unavailable) -> Stopped | None:
        """A span that fails by itself."""
        if isinstance(outcome, Refused) and outcome.about_the_data:
            self.rejected[place] = outcome.reason
            return None
        if self.taken is None:  # nothing to compare it with yet
            self._unproven[place] = outcome.reason
            return Stopped(place, Unavailable(outcome.reason)) if len(self._unproven) >= _MOST_UNPROVEN else None
        down = _as_unavailable(self.send((self.taken,)))
        return Stopped(place, down) if down is not None else self._once_more(place)

    def _once_more(self, place: int) -> Stopped | None:
        """Send a span that failed alone again, while the destination takes others."""
        outcome = self.send(self.rows[place : place + 1])
        if isinstance(outcome, Unavailable) and not self._suspects(outcome):
            return Stopped(place, outcome)
        if not isinstance(outcome, Accepted):
            self.rejected[place] = outcome.reason
        return None

    def _suspects(self, outcome: Unavailable) -> bool:
        """Whether the spans may be why it is not available. One that asks for patience says that it is not them."""
        return self.suspicious and outcome.after_s is None and not outcome.overloaded and not self.in_haste()


def sender(destination: Destination, before: Callable[[], None]) -> Callable[[Sequence[LogRow]], Outcome]:
    """Sends to a destination; `before` is called before each request. No secret is in the answer's text."""

    def send(rows: Sequence[LogRow]) -> Outcome:
        before()
        try:
            return _without_secrets(destination.send(rows))
        except Exception as error:  # a destination of somebody else's may not keep to the port
            return Unavailable(redact_text(f"{destination.name} failed: {type(error).__name__}: {error}"))

    return send


def _without_secrets(outcome: Outcome) -> Outcome:
    if isinstance(outcome, Accepted):
        return replace(outcome, message=redact_text(outcome.message))
    return replace(outcome, reason=redact_text(outcome.reason))


def _as_unavailable(outcome: Outcome) -> Unavailable | None:
    """Why the destination takes nothing now; None where it does."""
    if isinstance(outcome, Accepted):
        return None
    return outcome if isinstance(outcome, Unavailable) else Unavailable(outcome.reason)


__all__ = ["Delivery", "Stopped", "sender"]
