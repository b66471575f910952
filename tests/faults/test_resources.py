"""A receiver without room on its disk, and one that gets more than it can store."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import grpc

from tests.faults.ledger import METHOD, Ledger, Senders, clients, holds, until
from tests.faults.processes import FULL, holds_recorded, recorded, recorder
from tests.faults.settings import SECONDS
from tests.faults.small_disk import no_larger_files, small_disk
from tests.serving.server import Server

MOST_MIB = 300
"""Resident memory of a server that is sent too much."""


def test_a_file_system_without_room_is_waited_for(tmp_path: Path) -> None:
    ledger = Ledger()
    with (
        small_disk(tmp_path / "small", 24) as disk,
        Server(disk.folder / "served.db", prefix=disk.prefix).start() as server,
        Senders(ledger, clients(server.grpc, server.http), pause_s=0.02) as senders,
    ):
        _survives(server, senders, disk.full(), disk.full())
        disk.copy(tmp_path / "copied")

    holds(tmp_path / "copied" / "served.db", ledger)


def test_a_limit_to_the_size_of_files_is_waited_for(tmp_path: Path) -> None:
    ledger = Ledger()
    with (
        Server(tmp_path / "served.db").start() as server,
        Senders(ledger, clients(server.grpc, server.http), pause_s=0.02) as senders,
    ):
        limits = [no_larger_files(server.pid, server.store) for _ in range(2)]
        _survives(server, senders, *limits)

    holds(server.store, ledger)


def test_a_recorder_without_room_goes_on(tmp_path: Path) -> None:
    store, output = tmp_path / "runs.db", tmp_path / "app.out"
    with recorder(store, output) as app:
        for _ in range(2):
            _prints(output, 20)
            with no_larger_files(app.pid, store):
                dropped = output.read_text().count(FULL)
                until(lambda: output.read_text().count(FULL) > dropped + 1)  # noqa: B023
                assert app.is_running
            _prints(output, 20)
    holds_recorded(store, recorded(output))


def _prints(output: Path, more: int) -> None:
    wanted = len(recorded(output)) + more
    until(lambda: len(recorded(output)) >= wanted, output.read_text)


def _survives(server: Server, senders: Senders, *without_room: AbstractContextManager[None]) -> None:
    for fault in without_room:
        senders.wait_for(50)
        with fault:
            until(lambda: server.request("GET", "/readyz")[0] == 503)
            failures = senders.ledger.failures.total()
            until(lambda: senders.ledger.failures.total() > failures + 10)  # noqa: B023
            assert server.request("GET", "/healthz")[0] == 200
        senders.wait_for(50)
        assert server.request("GET", "/readyz")[0] == 200
    senders.stop()
    assert {"StatusCode.UNAVAILABLE"} <= senders.ledger.failures.keys()
    assert server.terminate() == 0


class _Overload:
    """Requests at a rate, whatever the answers."""

    def __init__(self, address: str, ledger: Ledger) -> None:
        self.ledger = ledger
        self.codes: set[grpc.StatusCode] = set()
        # A server takes 64 calls at a time from a connection.
        self._channels = [grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) for _ in range(4)]
        self._exports = itertools.cycle([channel.unary_unary(METHOD) for channel in self._channels])
        self._numbers = itertools.count(1)
        self._under_way = 0
        self._changed = threading.Condition()

    def __enter__(self) -> _Overload:
        return self

    def __exit__(self, *_: object) -> None:
        for channel in self._channels:
            channel.close()

    def send(self) -> None:
        """Send one, and wait for nothing."""
        number = next(self._numbers)
        self.ledger.attempted.add(number)
        with self._changed:
            self._under_way += 1
        call = next(self._exports).future(self.ledger.request(number), timeout=60)
        call.add_done_callback(lambda done: self._answered(number, done))

    def _answered(self, number: int, call: Any) -> None:
        with self._changed:
            self._under_way -= 1
            self.codes.add(call.code())
            if call.code() is grpc.StatusCode.OK:
                self.ledger.acknowledged.add(number)
            self._changed.notify_all()

    def wait_for_room(self, calls: int) -> None:
        """Wait until fewer calls than this are under way."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._under_way < calls, 60)

    def run(self, rate: float, seconds: float) -> None:
        """Send so many a second."""
        began = time.monotonic()
        for number in range(round(rate * seconds)):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            self.send()


def test_twice_the_load_that_it_can_store_is_refused_and_memory_stays_bounded(tmp_path: Path) -> None:
    ledger = Ledger(spans=512)
    with (
        Server(tmp_path / "served.db", environ={"OTEL_MAS_RECEIVE_QUEUE_BYTES": str(8 * 2**20)}).start() as server,
        _Overload(server.grpc, ledger) as overload,
    ):
        began = time.monotonic()
        for _ in range(60):
            overload.wait_for_room(8)
            overload.send()
        overload.wait_for_room(1)
        assert overload.codes == {grpc.StatusCode.OK}

        rate = 2 * 60 / (time.monotonic() - began)
        overload.run(rate, SECONDS)
        while grpc.StatusCode.RESOURCE_EXHAUSTED not in overload.codes:  # the machine has become faster
            rate *= 2
            overload.run(rate, 1)
        assert server.request("GET", "/readyz")[0] == 200
        overload.wait_for_room(1)
        assert overload.codes == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
        acknowledged = len(ledger.acknowledged)
        overload.send()
        overload.wait_for_room(1)
        assert len(ledger.acknowledged) == acknowledged + 1
        assert server.peak_mib < MOST_MIB
        assert server.terminate() == 0

    holds(server.store, ledger)
