"""Frozen clock, random numbers and UUIDs of a replay: each replay of a recording sees the same ones.

The clock stands at the recording's start, for `time` and `datetime`, however they were imported (time-machine, which
replaces the functions in C). It goes on for our own code, OpenTelemetry's and logging's, so that the replay is recorded
as it is; `monotonic` and `perf_counter`, which event loops and timeouts use, are never frozen.
"""

from __future__ import annotations

import os
import random
import sys
import time
import uuid
from collections.abc import Callable
from random import Random, SystemRandom
from typing import Any, Final

from otel_mas.errors import MissingExtra

_REAL: Final = frozenset(("otel_mas", "opentelemetry", "logging"))
"""Packages whose code sees the real clock."""
_OWN: Final = "time_machine"
_OTEL_IDS: Final = "opentelemetry.sdk.trace.id_generator"


class Freeze:
    """A frozen clock, seeded random numbers and UUIDs, from `start` to `stop`. One at a time in a process.

    Args:
        at_ns: the instant, nanoseconds since the Unix epoch; also the seed.

    Raises:
        MissingExtra: time-machine is not installed.
    """

    def __init__(self, at_ns: int) -> None:
        self._at_ns = at_ns
        self._travel = _travel(at_ns)
        self._random_state: Any = None
        self._replaced: list[tuple[Any, str, Any]] = []

    def start(self) -> None:
        """Freeze.

        Raises:
            MissingExtra: The installed time-machine is of a version that this does not know.
        """
        traveller = self._travel.start()
        real = sys.modules[_OWN].escape_hatch.time.time_ns
        traveller.time_ns = _clock(self._at_ns, real)
        if time.time_ns() == self._at_ns or _seen_by_app() != self._at_ns:
            self._travel.stop()
            raise MissingExtra("--freeze needs another time-machine: pip install otel-mas[replay]")
        self._random_state = random.getstate()
        random.seed(self._at_ns)
        self._replace(uuid, "os", _Os(Random(self._at_ns)))
        if _OTEL_IDS in sys.modules:  # its ids would repeat those of the replay before
            self._replace(sys.modules[_OTEL_IDS], "random", SystemRandom())

    def stop(self) -> None:
        """Put everything back."""
        for module, name, value in reversed(self._replaced):
            setattr(module, name, value)
        self._replaced.clear()
        random.setstate(self._random_state)
        self._travel.stop()

    def _replace(self, module: Any, name: str, value: Any) -> None:
        self._replaced.append((module, name, getattr(module, name)))
        setattr(module, name, value)


def _travel(at_ns: int) -> Any:
    try:
        import time_machine
    except ImportError:
        raise MissingExtra("--freeze needs time-machine: pip install otel-mas[replay]") from None
    return time_machine.travel(at_ns / 1e9, tick=False)


def _clock(at_ns: int, real: Callable[[], int]) -> Callable[[], int]:
    def time_ns() -> int:
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_globals.get("__name__") == _OWN:
            frame = frame.f_back
        package = str(frame.f_globals.get("__name__") or "").partition(".")[0]
        return real() if package in _REAL else at_ns

    return time_ns


def _seen_by_app() -> int:
    """The time as code of another package sees it."""
    found: int = eval("time_ns()", {"time_ns": time.time_ns, "__name__": "app"})
    return found


class _Os:
    """`os` as `uuid` uses it, with random bytes that repeat."""

    def __init__(self, seeded: Random) -> None:
        self._random = seeded

    def urandom(self, size: int) -> bytes:
        """Bytes of the seeded generator."""
        return self._random.randbytes(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


__all__ = ["Freeze"]
