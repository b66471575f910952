"""Requests of other threads to the writer's thread: to wake up, to flush, to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

_ALIVE_S: Final = 0.05  # how often a waiting thread looks whether the writer's is still there
_FINISH_S: Final = 0.25  # kept of the time to end, to tell the store what was dropped
_LOADED_S: Final = 10.0  # that spans get beyond the time to end while other processes use the processor
_LEAST_SHARE: Final = 1 / 12  # of a processor: a process that uses less waits for something else


class Request:
    """A flush, or the stop: a thread that waits until what was queued before is written."""

    __slots__ = ("began", "cpu_began", "cpu_s", "deadline", "done", "stop", "timeout_s", "written")

    def __init__(self, timeout_s: float, stop: bool, cpu_s: float | None = None) -> None:
        self.timeout_s = timeout_s
        self.cpu_s = timeout_s if cpu_s is None else cpu_s
        self.began = time.monotonic()
        self.cpu_began = time.process_time()
        self.deadline = self.began + timeout_s
        self.stop = stop
        self.done = threading.Event()
        self.written = False

    @property
    def last_moment(self) -> float:
        """When writing has to end, so that the drops can be counted in the store before the deadline."""
        return self.deadline - self._reserve_s

    @property
    def _reserve_s(self) -> float:
        return min(_FINISH_S, self.timeout_s / 4)

    def is_over_for_spans(self, *, reserve: bool = True) -> bool:
        """Whether spans may not be written any more: the time has passed, and that not for lack of a processor.

        Args:
            reserve: whether the time to tell the store what was dropped is kept.
        """
        kept_s = self._reserve_s if reserve else 0.0
        now = time.monotonic()
        late_s = now - (self.deadline - kept_s)
        if not 0 < late_s < _LOADED_S:
            return late_s > 0
        used_s = time.process_time() - self.cpu_began
        return used_s > self.cpu_s - kept_s or used_s < _LEAST_SHARE * (now - self.began)


class Requests:
    """The requests that are not answered yet. All but `wake` and `wait` is for the writer's thread."""

    def __init__(self) -> None:
        self._bell: SimpleQueue[Request | None] = SimpleQueue()  # reentrant, unlike threading's events
        self.open: list[Request] = []
        self.stop: Request | None = None

    def wake(self) -> None:
        self._bell.put(None)

    def wait(self, request: Request, is_alive: Callable[[], bool], is_working: Callable[[], bool]) -> bool:
        """Make a request and wait for the answer: whether all was written, False where none comes in time.

        Args:
            request: a flush, or the stop.
            is_alive: whether the thread is there to answer.
            is_working: whether the thread waits for nothing else than the processor.
        """
        self._bell.put(request)
        while not request.done.wait(max(0.0, min(_ALIVE_S, request.deadline - time.monotonic()))):
            if time.monotonic() >= request.deadline or not is_alive():
                break
        while request.stop and is_alive() and is_working() and not request.is_over_for_spans(reserve=False):
            if request.done.wait(_ALIVE_S):
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
        """Whether the thread has no time left for content, for retention, and for waiting."""
        return self.stop is not None and time.monotonic() > self.stop.last_moment

    @property
    def is_over_for_spans(self) -> bool:
        """Whether the thread has to end now."""
        return self.stop is not None and self.stop.is_over_for_spans()


def answer(requests: list[Request], written: bool) -> None:
    """Tell the waiting threads whether all was written."""
    for request in requests:
        request.written = written
        request.done.set()
    requests.clear()


__all__ = ["Request", "Requests", "answer"]
