"""Tell how far a long question to a server has come, to whoever listens: the command line, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str], None]
"""Takes a line that replaces the one before; an empty one at the end."""

_listener: ContextVar[Listener | None] = ContextVar("otel_mas_progress", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let the listener know of all progress in this block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def telling() -> Iterator[Listener]:
    """Yield a function to call with each line of one piece of work; the last line is erased at its end."""
    tell = _listener.get() or _nobody
    try:
        yield tell
    finally:
        tell("")


def _nobody(line: str) -> None:
    pass
