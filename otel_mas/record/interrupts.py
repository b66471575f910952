"""Hold back the first Ctrl-C while the process ends, until all is written; a second one ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from otel_mas.errors.log import logger


@contextmanager
def first_interrupt_held() -> Iterator[None]:
    """Hold back the first SIGINT until the end of the block; a second one has its usual effect within it.

    A handler of the app's is run at the end. Python's own is not: KeyboardInterrupt has nothing left to end.
    """
    handler = signal.getsignal(signal.SIGINT)
    if handler in (None, signal.SIG_IGN) or threading.current_thread() is not threading.main_thread():
        yield
        return
    held = False

    def hold(*_: Any) -> None:
        nonlocal held
        if held:
            signal.signal(signal.SIGINT, handler)
            signal.raise_signal(signal.SIGINT)
        held = True
        logger.warning("otel-mas: what was recorded last is being written; Ctrl-C again ends at once without it")

    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if held and handler is not signal.default_int_handler:
        signal.raise_signal(signal.SIGINT)


__all__ = ["first_interrupt_held"]
