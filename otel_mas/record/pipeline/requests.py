"""Requests of other threads to the writer's thread: to wake up, to flush, to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

_ALIVE_S: Final = 0.05  # how often a waiting thread looks whether the writer's is still there
_FINISH_S: Final = 0.25  # kept of the time to end, to tell the store what was dropped


class Request:
    """A flush, or the stop: a thread that waits until what was queued before is written."""

    __slots__ = ("deadline", "done", "stop", "timeout_s", "written")

    def __init__(self, timeout_s: float, stop: bool) -> None:
        self.timeout_s = timeout_s
        self.deadline = time.monotonic() + timeout_s
        self.stop = stop
        self.done = threading.Event()
        self.written = False

    @property
    def last_moment(self) -> float:
        """When writing has to end, so that the drops can be counted in the store before the deadline."""
        return self.deadline - min(_FINISH_S, self.timeout_s / 4)


class Requests:
    """The requests that are not answered yet. All but `wake` and `wait` is for the writer's thread."""

    def __init__(self) -> None:
        self._bell: SimpleQueue[Request | None] = SimpleQueue()  # reentrant, unlike threading's events
        self.open: list[Request] = []
        self.stop: Request | None = None

    def wake(self) -> None:
        self._bell.put(None)

    def wait(self, timeout_s: float, stop: bool, is_alive: Callable[[], bool]) -> bool:
        """Make a request and wait for the answer: whether all was written, False where none comes in time."""
        request = Request(timeout_s, stop)
        self._bell.put(request)
        while not request.done.wait(max(0.0, min(_ALIVE_S, request.deadline - time.monotonic()))):
            if time.monotonic() >= request.deadline or not is_alive():
                break
        return request.written

    def listen(self, timeout_s: float) -> None:
        """Wait until somebody wakes the thread."""
        try:
            self._hear(self._bell.get(timeout=timeout_s))
        except Empty:
            return
        self.hear_all()

    def hear_all(self) -> None:
        """Take the requests that have come."""
        try:
            while True:
                self._hear(self._bell.get_nowait())
        except Empty:
            pass

    def _hear(self, request: Request | None) -> None:
        if request is not None:
            self.open.append(request)
            if request.stop:
                self.stop = request

    @property
    def is_over(self) -> bool:
        """Whether the thread has to end now."""
        return self.stop is not None and time.monotonic() > self.stop.last_moment


def answer(requests: list[Request], written: bool) -> None:
    """Tell the waiting threads whether all was written."""
    for request in requests:
        request.written = written
        request.done.set()
    requests.clear()


__all__ = ["Request", "Requests", "answer"]
