"""Progress of a long question to a server, for whoever listens: the command line, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str], None]
"""Takes a line that replaces the one before; an empty one at the end."""

_listener: ContextVar[Listener | None] = ContextVar("otel_mas_progress", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Report all progress in this block to the listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def reporting() -> Iterator[Listener]:
    """Yield a function to call with each line of one piece of work; the last line is erased at its end."""
    report = _listener.get() or (lambda line: None)
    try:
        yield report
    finally:
        report("")
