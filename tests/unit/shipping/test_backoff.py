"""Waits grow, vary, end growing, and respect what the server asks."""

from __future__ import annotations

from otel_mas.shipping import Backoff


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(first_s=1, longest_s=8, jitter=lambda: 0.5)

    assert [backoff.next() for _ in range(5)] == [1, 2, 4, 8, 8]


def test_waits_vary_by_half_either_way() -> None:
    assert Backoff(jitter=lambda: 0.0).next() == 0.5
    assert Backoff(jitter=lambda: 1.0).next() == 1.5


def test_the_time_that_a_server_asks_for_is_waited_in_full_and_no_longer_than_an_hour() -> None:
    backoff = Backoff(jitter=lambda: 0.5)

    assert [backoff.next(7.0), backoff.next(1e9)] == [7.0, 3600.0]


def test_a_server_that_asks_for_nothing_is_not_asked_in_a_loop() -> None:
    assert Backoff(jitter=lambda: 0.5).next(0.0) == 1.0


def test_success_begins_anew() -> None:
    backoff = Backoff(jitter=lambda: 0.5)
    backoff.next()
    backoff.next()
    backoff.reset()

    assert backoff.next() == 1
