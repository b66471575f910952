"""Spans that a backend accepted and lost are sent again, and nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.errors import DestinationError, TraceNotFound
from otel_mas.shipping import Accepted, Idle, Resend, Selection, Shipped, Shipper, Unavailable
from tests.unit.shipping.test_shipper import steps


def again(harbour: Any, there: Any, **chosen: Any) -> Shipper:
    log = Resend(harbour.bench.path, Selection(**chosen), clock=harbour.bench.clock)
    harbour.logs.append(log)
    return Shipper(log, there)


def test_acknowledged_spans_are_sent_again_and_waiting_ones_are_not(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(there := fake())
    shipped = harbour.write(5)
    assert steps(shipper) == [Shipped(5), Idle()]
    waiting = harbour.write(2)
    before, lost = harbour.status(), fake()

    assert steps(again(harbour, lost)) == [Shipped(5), Idle()]
    assert lost.taken == shipped
    assert harbour.status() == before  # beside a shipper that holds the lease
    assert steps(shipper) == [Shipped(2), Idle()]
    assert there.taken == shipped + waiting


def test_a_range_of_time_chooses_spans_that_were_open_within(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(fake())
    bodies = [body for at in (10, 20, 30) for body in harbour.write(1, start_ns=at, end_ns=at + 5)]
    steps(shipper)

    for chosen, expected in (
        ({"since_ns": 22}, bodies[1:]),
        ({"until_ns": 22}, bodies[:2]),
        ({"since_ns": 16, "until_ns": 19}, []),
    ):
        there = fake()
        steps(again(harbour, there, **chosen))
        assert there.taken == expected, chosen


def test_a_trace_is_chosen_by_the_beginning_of_its_id(harbour: Any, fake: Any) -> None:
    shipper = harbour.shipper(fake())
    first = harbour.write(2, trace_id=bytes.fromhex("aa" * 16))
    harbour.write(2, trace_id=bytes.fromhex("bb" * 16))
    steps(shipper)

    steps(again(harbour, there := fake(), trace="AAaa"))
    assert there.taken == first
    with pytest.raises(TraceNotFound, match="there is no trace cc"):
        again(harbour, fake(), trace="cc").step()


def test_history_that_was_never_shipped_and_refused_spans_stay(harbour: Any, fake: Any) -> None:
    harbour.write(2)
    shipper = harbour.shipper(there := fake())
    good, bad = harbour.write(2)
    there.answer = lambda rows: Unavailable("503") if any(row.body == bad for row in rows) else Accepted()
    for _ in range(4):
        shipper.step()
    assert harbour.status().rejected == 1

    steps(again(harbour, lost := fake()))
    assert lost.taken == [good]


def test_a_destination_that_nothing_was_shipped_to_is_reported(harbour: Any, fake: Any) -> None:
    with pytest.raises(DestinationError, match="nothing was ever shipped"):
        again(harbour, fake()).step()
