"""A line of progress on the terminal, where a request to a server takes more than a second."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TextIO

SHOWN_AFTER_S = 1.0
_ERASE = "\r\x1b[K"


@contextmanager
def progress() -> Iterator[None]:
    """Show the progress of sources in this block, where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from otel_mas.sources.progress import listening

    with listening(_Line(sys.stderr)):
        yield


class _Line:
    """Shows the latest line, once there has been one for a second."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = Lock()
        self._timer: Timer | None = None
        self._line = ""
        self._shown = False

    def __call__(self, line: str) -> None:
        with self._lock:
            self._line = line
            if not line:
                self._end()
            elif self._timer is None:
                self._timer = Timer(SHOWN_AFTER_S, self._begin)
                self._timer.daemon = True
                self._timer.start()
            elif self._shown:
                self._write(f"{_ERASE}otel-mas: {line}")

    def _begin(self) -> None:
        with self._lock:
            if self._line:
                self._shown = True
                self._write(f"otel-mas: {self._line}")

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._shown:
            self._write(_ERASE)
        self._timer, self._shown = None, False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
