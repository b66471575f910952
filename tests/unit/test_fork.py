"""The interpreter's switch interval around a fork."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from otel_mas.fork import SwitchInterval


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
