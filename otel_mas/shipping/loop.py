"""Shipping step after step: until told to stop, or until nothing is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from otel_mas.errors import NotAStore, StoreLocked, StoreReplaced
from otel_mas.shipping.shipper import Busy, Idle, Shipped, Shipper, Step, Waiting

POLL_S = 1.0
_BUSY_POLL_S = 0.2


class ShippingLoop:
    """Repeats the steps of a shipper. `stop` and `wake` may be called from other threads.

    Args:
        on_waiting: called with each new reason why it cannot ship, once in a row.
        poll_s: how often to look for spans that other processes have committed.
    """

    def __init__(
        self,
        shipper: Shipper,
        *,
        on_waiting: Callable[[str], None] = lambda reason: None,
        poll_s: float = POLL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shipper = shipper
        self._on_waiting = on_waiting
        self._poll_s = poll_s
        self._clock = clock
        self._stopped = threading.Event()
        self._woken = threading.Event()
        self._last_reason = ""
        self.shipped = 0

    def stop(self) -> None:
        """End after the step that is under way, which looks for no rejected spans any more."""
        self._shipper.hurry = True
        self._stopped.set()
        self._woken.set()

    def wake(self) -> None:
        """Look at once for spans that have been committed."""
        self._woken.set()

    def run(self) -> None:
        """Ship until `stop`."""
        while not self._stopped.is_set():
            self._woken.clear()
            step = self._step()
            if isinstance(step, Waiting):
                self._stopped.wait(step.seconds)
            elif not isinstance(step, Shipped) and not self._stopped.is_set():
                self._woken.wait(self._poll_s)

    def run_until_empty(self, patience_s: float, deadline: float | None = None) -> str | None:
        """Ship until nothing is left, whichever process ships it.

        Args:
            patience_s: how long to try again while nothing gets through.
            deadline: by the clock, when to end in any case.

        Returns:
            None where nothing is left; else the reason why it is not shipped.
        """
        failing_since: float | None = None
        while True:
            step = self._step()
            if isinstance(step, Idle):
                return None
            now = self._clock()
            reason, pause = _reason(step)
            if isinstance(step, Shipped):
                failing_since = None
            elif isinstance(step, Waiting) and failing_since is None:
                failing_since = now
            out_of_patience = failing_since is not None and now + pause - failing_since > patience_s
            if out_of_patience or self._stopped.is_set() or (deadline is not None and now + pause >= deadline):
                return reason
            if pause:
                self._stopped.wait(pause)

    def drain(self, deadline: float) -> str | None:
        """Ship what is there now, without waiting for anything; also after `stop`.

        Args:
            deadline: by the clock, when no further step is taken.

        Returns:
            None where nothing is left, or another process ships it; else the reason why it is not shipped.
        """
        step: Step = Shipped(0)
        while isinstance(step, Shipped):
            if self._clock() >= deadline:
                return "there was no time"
            step = self._step()
        return step.reason if isinstance(step, Waiting) else None

    def _step(self) -> Step:
        try:
            step = self._shipper.step()
        except (NotAStore, StoreLocked, StoreReplaced) as error:  # there may be a store again
            step = Waiting(self._poll_s, str(error))
        if isinstance(step, Shipped):
            self.shipped += step.spans
            self._last_reason = ""
        elif isinstance(step, Waiting) and step.reason != self._last_reason:
            self._last_reason = step.reason
            self._on_waiting(step.reason)
        return step


def _reason(step: Step) -> tuple[str, float]:
    """Why a step has not shipped all, and the seconds until the next one."""
    if isinstance(step, Waiting):
        return step.reason, step.seconds
    if isinstance(step, Busy):
        return "another process ships there", _BUSY_POLL_S
    return "not all is shipped yet", 0.0
