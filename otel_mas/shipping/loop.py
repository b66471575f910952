"""Step after step: for ever, or until nothing is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from otel_mas.errors import NotAStore, StoreLocked, StoreReplaced
from otel_mas.shipping.shipper import Busy, Idle, Shipped, Shipper, Step, Waiting

POLL_S = 1.0
_BUSY_POLL_S = 0.2


class Loop:
    """Ships for as long as it is wanted. `stop` and `wake` may be called from other threads.

    Args:
        said: told each new thing that keeps it from shipping, once in a row.
        poll_s: how often to look for what other processes have committed.
    """

    def __init__(
        self,
        shipper: Shipper,
        *,
        said: Callable[[str], None] = lambda reason: None,
        poll_s: float = POLL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shipper = shipper
        self._said = said
        self._poll_s = poll_s
        self._clock = clock
        self._stopped = threading.Event()
        self._woken = threading.Event()
        self._last_said = ""
        self.shipped = 0

    def stop(self) -> None:
        """End after the step that is under way, which looks for no culprits any more."""
        self._shipper.in_haste = True
        self._stopped.set()
        self._woken.set()

    def wake(self) -> None:
        """Something has been committed."""
        self._woken.set()

    def for_ever(self) -> None:
        """Until it is told to stop."""
        while not self._stopped.is_set():
            self._woken.clear()
            step = self._step()
            if isinstance(step, Waiting):
                self._stopped.wait(step.seconds)
            elif not isinstance(step, Shipped) and not self._stopped.is_set():
                self._woken.wait(self._poll_s)

    def until_empty(self, patience_s: float, deadline: float | None = None) -> str | None:
        """Until nothing is left, whoever ships it.

        Args:
            patience_s: how long to try again while nothing gets through.
            deadline: by the clock, when to end in any case.

        Returns:
            None where nothing is left; else what keeps it from being shipped.
        """
        failing_since: float | None = None
        while True:
            step = self._step()
            if isinstance(step, Idle):
                return None
            if isinstance(step, Shipped):
                failing_since = None
            now = self._clock()
            reason, pause = _why(step)
            failing_since = now if isinstance(step, Waiting) and failing_since is None else failing_since
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
            None where nothing is left, or somebody else is at it; else what is in the way.
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
            self._last_said = ""
        elif isinstance(step, Waiting) and step.reason != self._last_said:
            self._last_said = step.reason
            self._said(step.reason)
        return step


def _why(step: Step) -> tuple[str, float]:
    if isinstance(step, Waiting):
        return step.reason, step.seconds
    if isinstance(step, Busy):
        return "another process ships there", _BUSY_POLL_S
    return "not all is shipped yet", 0.0
