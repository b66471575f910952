"""Waits grow, vary over all of their length, end growing, and respect what the server asks."""

from __future__ import annotations

from otel_mas.shipping import Backoff


def test_the_longest_waits_double_up_to_the_longest_of_all() -> None:
    backoff = Backoff(first_s=1, longest_s=8, jitter=lambda: 1.0)

    assert [backoff.next() for _ in range(5)] == [1, 2, 4, 8, 8]


def test_waits_are_anything_from_a_tenth_of_a_second() -> None:
    backoff = Backoff(longest_s=8)
    for _ in range(4):
        backoff.next()
    waits = [backoff.next() for _ in range(1000)]

    assert 0.1 <= min(waits) < 1
    assert 7 < max(waits) <= 8


def test_no_wait_is_shorter_than_a_tenth_of_a_second() -> None:
    backoff = Backoff(jitter=lambda: 0.0)

    assert [backoff.next() for _ in range(3)] == [0.1, 0.1, 0.1]


def test_the_time_that_a_server_asks_for_is_waited_in_full_and_no_longer_than_an_hour() -> None:
    backoff = Backoff(jitter=lambda: 0.5)

    assert [backoff.next(7.0), backoff.next(1e9)] == [7.5, 3600.5]
    assert Backoff(jitter=lambda: 0.0).next(7.0) == 7.0


def test_a_server_that_asks_for_nothing_is_not_asked_in_a_loop() -> None:
    assert Backoff(jitter=lambda: 0.0).next(0.0) == 0.1


def test_success_begins_anew() -> None:
    backoff = Backoff(jitter=lambda: 1.0)
    backoff.next()
    backoff.next()
    backoff.reset()

    assert backoff.next() == 1
