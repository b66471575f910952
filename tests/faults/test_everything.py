"""Recorders, a receiver, shippers and two destinations, of which one after the other is killed or paused."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from otel_mas.store.upkeep.check import check
from tests.backends.jaeger import Jaeger, free_ports
from tests.backends.test_shipping import spans_in
from tests.conformance.messages import trace_id
from tests.faults.ledger import SPANS, Ledger, Senders, clients, rows, until
from tests.faults.processes import Process, Shipping, recorded, recorder
from tests.faults.settings import SECONDS, chance
from tests.serving.server import Server


class _Team:
    """The processes around one store. The destinations are Jaeger on badger, and a server of ours with another store.

    Args:
        binary: of Jaeger.
        folder: for all files.
        stack: ends all processes.
    """

    def __init__(self, binary: Path, folder: Path, stack: ExitStack) -> None:
        self.store, self.app_output, self._folder, self._stack = folder / "runs.db", folder / "app.out", folder, stack
        self.receiver = self._server("runs.db", OTEL_MAS_RECEIVE_MAY_SHIP="1")
        self.sink = self._server("sink.db")
        self.jaeger = Jaeger(binary, folder / "jaeger", "badger")
        stack.callback(self.jaeger.stop)
        self.jaeger.start()
        self.shippings = (
            Shipping(self.store, self.jaeger.otlp_grpc, "grpc"),
            Shipping(self.store, self.sink.http),
        )
        self._running = {start: stack.enter_context(start()) for start in self._starts}

    @property
    def faults(self) -> tuple[Callable[[], None], ...]:
        """Each of them kills a process, and starts it again."""
        processes = tuple(lambda start=start: self._restart(start) for start in self._starts)
        return (*processes, lambda: self._restart_server(self.receiver), self._restart_jaeger)

    def finish(self) -> None:
        """End the recorder, the receiver and the shippers, then ship what is left."""
        for process in self._running.values():
            process.kill()
        assert self.receiver.terminate() == 0
        for number, shipping in enumerate(self.shippings):
            shipping.finish(self._folder / f"finish {number}.out")
        assert self.sink.terminate() == 0

    @property
    def _starts(self) -> tuple[Callable[[], Process], ...]:
        return (self._record, self._ship_to_jaeger, self._ship_to_sink)

    def _record(self) -> Process:
        return recorder(self.store, self.app_output)

    def _ship_to_jaeger(self) -> Process:
        return self.shippings[0].follow(self._folder / "jaeger.out")

    def _ship_to_sink(self) -> Process:
        return self.shippings[1].follow(self._folder / "sink.out")

    def _restart(self, start: Callable[[], Process]) -> None:
        self._running[start].kill()
        self._running[start] = self._stack.enter_context(start())

    def _restart_server(self, server: Server) -> None:
        server.kill()
        server.start()

    def _restart_jaeger(self) -> None:
        self.jaeger.stop()
        self.jaeger.start()

    def _server(self, store: str, **environ: str) -> Server:
        grpc, http = (f"127.0.0.1:{port}" for port in free_ports(2))
        server = Server(self._folder / store, ("--grpc", grpc, "--http", http), environ)
        self._stack.callback(server.kill)
        return server.start()


def test_whoever_is_killed_everything_is_in_the_store_once_and_at_every_destination(
    jaeger_binary: Path, tmp_path: Path
) -> None:
    moments = chance("everything")
    ledger = Ledger()
    with ExitStack() as stack:
        team = _Team(jaeger_binary, tmp_path, stack)
        senders = stack.enter_context(Senders(ledger, clients(team.receiver.grpc, team.receiver.http), pause_s=0.2))
        deadline = time.monotonic() + SECONDS
        remaining: list[Callable[[], None]] = []
        while remaining or time.monotonic() < deadline:
            remaining = remaining or moments.sample(team.faults, len(team.faults))
            senders.wait_for(moments.randint(1, 10))
            time.sleep(moments.uniform(0, 0.3))
            remaining.pop()()
        flushed = len(recorded(team.app_output))
        until(lambda: len(recorded(team.app_output)) > flushed, team.app_output.read_text)
        senders.wait_for(10)
        senders.stop()
        team.finish()

        assert check(team.store) == []
        stored = rows(team.store)
        acknowledged = recorded(team.app_output) | {trace_id(number) for number in ledger.acknowledged}
        assert {trace: stored[trace] for trace in acknowledged} == dict.fromkeys(acknowledged, SPANS)
        assert rows(team.sink.store) == stored
        assert {trace: len(spans_in(team.jaeger, trace)) for trace in stored} == stored
