"""A span that is never taken is found and set aside; a destination that is down, paused or overloaded loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from otel_mas.otlp.framing import LogRow
from otel_mas.shipping import Accepted, Idle, Outcome, Refused, Shipped, Shipper, Unavailable, Waiting
from tests.unit.shipping.test_shipper import steps

Answer = Callable[[Sequence[LogRow]], Outcome]


def failing_with(*poison: bytes) -> Answer:
    return lambda rows: Unavailable("503 key is too long") if any(row.body in poison for row in rows) else Accepted()


def until_idle(shipper: Shipper, most: int = 60) -> int:
    """How often it had to wait."""
    waits = 0
    for _ in range(most):
        step = shipper.step()
        if isinstance(step, Idle):
            return waits
        waits += isinstance(step, Waiting)
    raise AssertionError("it goes on waiting")


@pytest.mark.parametrize("places", [(0,), (3,), (7,), (0, 1), (2, 5), (6, 7)])
def test_a_span_that_is_never_accepted_is_set_aside_and_the_others_arrive(
    harbour: Any, fake: Any, places: tuple[int, ...]
) -> None:
    shipper = harbour.shipper(there := fake())
    bodies = harbour.write(8)
    there.answer = failing_with(*(bodies[place] for place in places))

    assert until_idle(shipper) <= 4
    assert set(there.taken) == set(bodies) - {bodies[place] for place in places}
    status = harbour.status()
    assert (status.shipped, status.rejected) == (8 - len(places), len(places))
    assert [one.reason for one in status.rejections] == ["503 key is too long"] * len(places)
    assert all(len(one.span_id) == 16 and len(one.trace_id) == 32 for one in status.rejections)


def test_a_span_alone_is_set_aside_where_others_were_accepted_before_and_still_are(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(there := fake())
    (good,) = harbour.write(1)
    assert steps(shipper) == [Shipped(1), Idle()]
    (bad,) = harbour.write(1)
    there.answer = failing_with(bad)

    assert until_idle(shipper) == 2
    assert set(there.taken) == {good}
    assert harbour.status().rejected == 1


def test_a_span_alone_waits_while_there_is_nothing_to_compare_it_with(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(there := fake())
    bodies = harbour.write(1)
    there.answer = failing_with(bodies[0])
    assert all(isinstance(shipper.step(), Waiting) for _ in range(10))
    assert harbour.status().rejected == 0

    bodies += harbour.write(1)
    assert until_idle(shipper) == 0
    assert there.taken == bodies[1:]
    assert harbour.status().rejected == 1


@pytest.mark.parametrize(
    "down",
    [
        lambda rows: Unavailable("down"),
        lambda rows: Unavailable("storage is down") if rows else Accepted(),
        lambda rows: Refused("500 storage is down") if rows else Accepted(),
        lambda rows: Unavailable("429", overloaded=True) if rows else Accepted(),
        lambda rows: Unavailable("paused", 5.0) if rows else Accepted(),
        lambda rows: Refused("401"),
    ],
    ids=["down", "only empty requests pass", "its own error", "overloaded", "paused", "no token"],
)
def test_a_destination_that_takes_nothing_loses_nothing(harbour: Any, fake: Any, down: Answer) -> None:
    shipper = harbour.shipper(there := fake(), batch_spans=64)
    before = harbour.write(1)
    assert steps(shipper) == [Shipped(1), Idle()]
    bodies = harbour.write(100)
    there.answer = down

    for _ in range(20):
        there.asked.clear()
        assert isinstance(shipper.step(), Waiting)
        assert len(there.asked) < 20  # it is not stormed with single spans
    there.answer = lambda rows: Accepted()
    until_idle(shipper)
    assert there.taken == before + bodies
    assert harbour.status().rejected == 0


def test_a_destination_that_goes_down_while_culprits_are_looked_for_loses_nothing(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(there := fake())
    bodies = harbour.write(16)
    there.answer = poisoned = failing_with(bodies[4])
    while there.asked.count(0) < 1:
        shipper.step()
        there.answer = lambda rows: (
            poisoned(rows) if len(there.asked) < 6 or not rows else Unavailable("storage went down")
        )
    for _ in range(8):
        shipper.step()
    assert harbour.status().rejected <= 1

    there.answer = poisoned
    until_idle(shipper)
    assert set(there.taken) == set(bodies) - {bodies[4]}
    assert harbour.status().rejected == 1


def test_no_culprit_is_looked_for_while_the_process_ends(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(there := fake())
    bodies = harbour.write(8)
    there.answer = failing_with(bodies[3])
    shipper.hurry = True

    assert all(isinstance(shipper.step(), Waiting) for _ in range(5))
    assert set(there.asked) == {8}


def test_a_destination_that_raises_is_one_that_fails(harbour: Any, fake: Any) -> None:
    def raising(rows: Sequence[LogRow]) -> Outcome:
        if any(row.body == bodies[1] for row in rows):
            raise RuntimeError("cannot encode")
        return Accepted()

    shipper = harbour.shipper(there := fake(raising))
    bodies = harbour.write(3)

    until_idle(shipper)
    assert set(there.taken) == {bodies[0], bodies[2]}
    assert "RuntimeError: cannot encode" in harbour.status().rejections[0].reason


def test_a_span_whose_body_cannot_be_read_is_among_the_rejections(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(fake())
    harbour.write(1, body=b"\xff\xff")

    until_idle(shipper)
    assert [len(one.span_id) for one in harbour.status().rejections] == [16]


@pytest.mark.parametrize("about_the_data", [True, False])
def test_a_secret_in_an_answer_is_not_stored(harbour: Any, fake: Any, about_the_data: bool) -> None:
    shipper = harbour.shipper(there := fake())
    harbour.write(1)
    there.answer = lambda _: Refused(f"bad key sk-live-{'SECRET' * 4}", about_the_data)
    shipper.step()
    status = harbour.status()
    kept = [one.reason for one in status.rejections] or [status.error]
    assert kept == ["bad key [redacted]"]


def test_no_more_spans_are_rejected_than_were_sent(harbour: Any, fake: Any, caplog: pytest.LogCaptureFixture) -> None:
    shipper = harbour.shipper(there := fake())
    harbour.write(3)
    there.answer = lambda _: Accepted(2**63 - 1, "too old")
    shipper.step()
    assert (harbour.status().shipped, harbour.status().rejected) == (0, 3)
    assert "rejected 3 spans: too old" in caplog.text
