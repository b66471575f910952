"""Shippers and destinations that are killed, paused and cut off: what is stored is at every destination."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otel_mas.shipping.shipper import BATCH_SPANS
from tests.backends.jaeger import Jaeger
from tests.backends.test_shipping import spans_in
from tests.faults.conftest import Filled
from tests.faults.ledger import until
from tests.faults.processes import Shipping
from tests.faults.proxy import FAULTS, Proxy
from tests.faults.settings import SECONDS, chance

BATCH = BATCH_SPANS
"""Spans of a request of the shipper: so many may come twice where it did not get to know that they had arrived."""
PROTOCOLS = ["grpc", "http/protobuf"]


@pytest.fixture
def badger(jaeger_binary: Path, tmp_path: Path) -> Iterator[Jaeger]:
    """A Jaeger that keeps what it has when it is killed."""
    made = Jaeger(jaeger_binary, tmp_path / "jaeger", "badger")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def memory(jaeger_binary: Path, tmp_path: Path) -> Iterator[Jaeger]:
    """A Jaeger that has a span as often as it was sent."""
    made = Jaeger(jaeger_binary, tmp_path / "jaeger", "memory")
    made.start()
    yield made
    made.stop()


@contextmanager
def paused(jaeger: Jaeger) -> Iterator[None]:
    """Let it stand still: it accepts connections, as far as the kernel does, and answers nothing."""
    os.kill(jaeger.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(jaeger.pid, signal.SIGCONT)


def has_all(jaeger: Jaeger, stored: dict[str, int], repeated: int | None = None) -> None:
    """Check that Jaeger has all spans, at most so many of them more than once."""
    found = {trace: spans_in(jaeger, trace) for trace in stored}
    assert {trace: len(spans) for trace, spans in found.items()} == stored
    if repeated is not None:
        assert sum(spans.total() - len(spans) for spans in found.values()) <= repeated


def nothing_was_refused(shipping: Shipping) -> None:
    status = shipping.status()
    assert status is not None
    assert (status.waiting, status.rejections, status.lost) == (0, (), 0)


def test_a_shipper_that_is_killed_at_any_moment_loses_nothing(filled: Filled, memory: Jaeger, tmp_path: Path) -> None:
    moments = chance("shipper")
    output = tmp_path / "ship.out"
    shipping = Shipping(filled.store, memory.otlp_http)
    deadline = time.monotonic() + SECONDS
    kills = 0
    while kills < 2 or time.monotonic() < deadline:
        before = shipping.shipped
        with shipping.follow(output) as shipper:
            until(lambda: shipping.shipped > before, output.read_text)  # noqa: B023
            with paused(memory):  # a request is under way then, most of the time
                filled.senders.wait_for(10)
                time.sleep(moments.uniform(0, 1.2))
                shipper.kill()
        kills += 1
    stored = filled.stop()
    shipping.finish(output)

    nothing_was_refused(shipping)
    has_all(memory, stored, repeated=kills * BATCH)


def test_one_of_two_shippers_stands_still_and_the_other_goes_on(filled: Filled, memory: Jaeger, tmp_path: Path) -> None:
    output = tmp_path / "ship.out"
    shipping = Shipping(filled.store, memory.otlp_grpc, "grpc")
    deadline = time.monotonic() + SECONDS
    pauses = 0
    with shipping.follow(output) as first, shipping.follow(output) as second:
        until(lambda: shipping.shipped > 0, output.read_text)
        while pauses < 2 or time.monotonic() < deadline:
            paused = (first, second)[pauses % 2]
            paused.pause()
            wanted = len(filled.ledger.acknowledged) * 16
            until(lambda: shipping.shipped >= wanted, output.read_text)  # noqa: B023
            paused.resume()
            pauses += 1
        stored = filled.stop()
        until(lambda: shipping.shipped == sum(stored.values()), output.read_text)
        assert [first.terminate(), second.terminate()] == [0, 0]

    nothing_was_refused(shipping)
    has_all(memory, stored, repeated=pauses * BATCH)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_jaeger_that_is_killed_and_paused_gets_the_rest(
    filled: Filled, badger: Jaeger, tmp_path: Path, protocol: str
) -> None:
    moments = chance(f"Jaeger {protocol}")
    output = tmp_path / "ship.out"
    shipping = Shipping(filled.store, badger.otlp_grpc if protocol == "grpc" else badger.otlp_http, protocol)
    deadline = time.monotonic() + SECONDS
    faults = 0

    def goes_on() -> None:
        before = shipping.shipped
        until(lambda: shipping.shipped > before, output.read_text)

    with shipping.follow(output) as shipper:
        goes_on()
        while faults < 2 or time.monotonic() < deadline:
            time.sleep(moments.uniform(0, 1))
            if faults % 2:
                with paused(badger):
                    filled.senders.wait_for(20)
                    until(lambda: (status := shipping.status()) is not None and status.error is not None)
            else:
                badger.stop()
                filled.senders.wait_for(20)
                badger.start()
            goes_on()
            faults += 1
        stored = filled.stop()
        assert shipper.terminate() == 0
    shipping.finish(output)

    nothing_was_refused(shipping)
    has_all(badger, stored)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_connections_that_break_on_the_way_to_jaeger_lose_nothing(
    filled: Filled, memory: Jaeger, tmp_path: Path, protocol: str
) -> None:
    output = tmp_path / "ship.out"
    target = memory.otlp_grpc if protocol == "grpc" else memory.otlp_http
    deadline = time.monotonic() + SECONDS
    with Proxy(target, chance(f"to Jaeger {protocol}")) as proxy:
        shipping = Shipping(filled.store, proxy.address, protocol)
        with shipping.follow(output) as shipper:
            until(lambda: time.monotonic() > deadline and proxy.faults.keys() == set(FAULTS), output.read_text)
            proxy.heal()
            stored = filled.stop()
            assert shipper.terminate() == 0
        shipping.finish(output)

    nothing_was_refused(shipping)
    has_all(memory, stored)
