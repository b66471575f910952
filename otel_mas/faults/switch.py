"""Switching injection on and off: hooks go in with the first injection, and out with the last."""

from __future__ import annotations

from types import TracebackType

from otel_mas.config import Settings
from otel_mas.errors import ConfigError
from otel_mas.faults.fault import Fault
from otel_mas.faults.hook_tables import HOOKS
from otel_mas.faults.injection import Injection, active, set_active
from otel_mas.fork import ForkLock

OFF = "off"
"""Value of OTEL_MAS_FAULTS that forbids injection."""

_lock = ForkLock()


class inject:  # noqa: N801 (used as a function)
    """Inject faults into this process, from the beginning of a `with` block to its end.

    The app is not changed. The same seed hits the same places again, whatever the timing. Blocks may be nested, and
    hold for all threads and event loops.

    Args:
        faults: `Fault`s, or their text: `"tool_error:tool=search"`.
        seed: of every decision.

    Raises:
        ConfigError: A fault is none, or OTEL_MAS_FAULTS=off forbids injection.
    """

    def __init__(self, *faults: Fault | str, seed: int = 0) -> None:
        if Settings.from_env().faults == OFF:
            raise forbidden()
        if not faults:
            raise ConfigError("there is no fault to inject; give one or more, like Fault('tool_error', tool='search')")
        if not isinstance(seed, int):
            raise ConfigError(f"seed is {seed!r}; it must be a whole number")
        self._injection = Injection([one if isinstance(one, Fault) else Fault.parse(str(one)) for one in faults], seed)

    def __enter__(self) -> Injection:
        start(self._injection)
        return self._injection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        stop(self._injection)


def forbidden() -> ConfigError:
    """The error of who asks for faults where the environment forbids them."""
    return ConfigError("OTEL_MAS_FAULTS=off forbids the injection of faults; unset it to allow them")


def start(injection: Injection) -> None:
    """Begin to inject."""
    with _lock:
        injection.begin()
        first = not active()
        set_active((*active(), injection))
        if first:
            HOOKS.put()


def stop(injection: Injection) -> None:
    """Stop injecting; with the last one the hooks are taken out."""
    with _lock:
        set_active(one for one in active() if one is not injection)
        if not active():
            HOOKS.take_out()


__all__ = ["OFF", "forbidden", "inject", "start", "stop"]
