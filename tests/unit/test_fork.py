"""Locks in a forked child, and the interpreter's switch interval around a fork."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import pytest

from otel_mas.fork import ForkLock, SwitchInterval


@pytest.fixture
def found() -> Iterator[float]:
    before = sys.getswitchinterval()
    yield before
    sys.setswitchinterval(before)


def test_threads_take_turns_quickly_until_a_fork_is_done(found: float) -> None:
    interval = SwitchInterval()
    interval.shorten()
    assert sys.getswitchinterval() < found / 10
    interval.restore()
    assert sys.getswitchinterval() == found


def test_of_two_forks_at_once_the_last_one_restores_the_interval(found: float) -> None:
    interval = SwitchInterval()
    for _ in range(2):
        interval.shorten()
    interval.restore()
    assert sys.getswitchinterval() < found / 10
    interval.restore()
    assert sys.getswitchinterval() == found


def test_a_child_that_is_forked_beside_another_fork_restores_the_interval(found: float) -> None:
    interval = SwitchInterval()
    for _ in range(2):
        interval.shorten()
    interval.restore(in_child=True)
    assert sys.getswitchinterval() == found


def test_an_interval_that_the_app_sets_meanwhile_stays(found: float) -> None:
    interval = SwitchInterval()
    interval.shorten()
    sys.setswitchinterval(0.03)
    interval.restore()
    assert sys.getswitchinterval() == pytest.approx(0.03)


def test_the_thread_that_forks_lets_go_of_its_lock_in_the_child_too() -> None:
    lock = ForkLock()
    with lock:
        child = os.fork()
        if child == 0:
            lock.__exit__()
            os._exit(_taken(lock))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _taken(lock: ForkLock) -> int:
    """0 where another thread gets the lock."""
    taken = threading.Thread(target=lock.__enter__, daemon=True)
    taken.start()
    taken.join(10)
    return int(taken.is_alive())
