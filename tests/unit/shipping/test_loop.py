"""Until all is shipped, until patience or time runs out, or until told to stop."""

from __future__ import annotations

import threading
import time
from typing import Any

from otel_mas.errors import StoreLocked
from otel_mas.shipping import Accepted, Backoff, Shipper, ShippingLoop, Unavailable


def loop_of(harbour: Any, there: Any, **more: Any) -> ShippingLoop:
    log = harbour.log()
    log.add(there.name)
    return ShippingLoop(Shipper(log, there, backoff=Backoff(0.01, 0.02)), poll_s=0.01, **more)


def test_run_until_empty_ships_all_that_there_is(harbour: Any, fake: Any) -> None:
    loop = loop_of(harbour, there := fake())
    bodies = harbour.write(3)

    assert loop.run_until_empty(30) is None
    assert there.taken == bodies
    assert loop.shipped == 3


def test_run_until_empty_tries_again_within_its_patience(harbour: Any, fake: Any) -> None:
    answers = iter([Unavailable("down"), Unavailable("down"), Accepted()])
    reasons: list[str] = []
    loop = loop_of(harbour, fake(lambda rows: next(answers)), on_waiting=reasons.append)
    harbour.write(1)

    assert loop.run_until_empty(30) is None
    assert reasons == ["down"]


def test_run_until_empty_returns_the_reason(harbour: Any, fake: Any) -> None:
    loop = loop_of(harbour, fake(lambda rows: Unavailable("down")))
    harbour.write(1)

    assert loop.run_until_empty(0.05) == "down"


def test_run_until_empty_ends_at_its_deadline(harbour: Any, fake: Any) -> None:
    loop = loop_of(harbour, fake(lambda rows: Unavailable("down", 60.0)))
    harbour.write(1)
    began = time.monotonic()

    assert loop.run_until_empty(1000.0, deadline=began + 0.1) == "down"
    assert time.monotonic() - began < 30  # only a hang takes longer


def test_a_store_that_is_locked_is_waited_for(harbour: Any, fake: Any, monkeypatch: Any) -> None:
    loop = loop_of(harbour, there := fake())
    bodies = harbour.write(1)
    step = loop._shipper.step
    failures = iter([StoreLocked("locked")])

    def locked_at_first() -> Any:
        for failure in failures:
            raise failure
        return step()

    monkeypatch.setattr(loop._shipper, "step", locked_at_first)
    assert loop.run_until_empty(30) is None
    assert there.taken == bodies


def test_run_ships_new_spans_and_ends_when_stopped(harbour: Any, fake: Any) -> None:
    loop = loop_of(harbour, there := fake())
    thread = threading.Thread(target=loop.run)
    thread.start()
    bodies = harbour.write(2)
    loop.wake()
    deadline = time.monotonic() + 10
    while len(there.taken) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    loop.stop()
    thread.join(10)

    assert not thread.is_alive()
    assert there.taken == bodies


def test_a_long_wait_ends_when_stopped(harbour: Any, fake: Any) -> None:
    loop = loop_of(harbour, there := fake(lambda rows: Unavailable("down", 600.0)))
    harbour.write(1)
    thread = threading.Thread(target=loop.run)
    thread.start()
    deadline = time.monotonic() + 10
    while not there.asked and time.monotonic() < deadline:
        time.sleep(0.01)
    loop.stop()
    thread.join(10)

    assert not thread.is_alive()
