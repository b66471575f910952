"""A receiver that is killed at any moment, and connections that break: what it acknowledged is in the store, once."""

from __future__ import annotations

import time
from pathlib import Path

from tests.backends.jaeger import free_ports
from tests.faults.ledger import Ledger, Senders, clients, holds, until
from tests.faults.proxy import FAULTS, Proxy
from tests.faults.settings import SECONDS, chance
from tests.serving.server import Server


def test_a_receiver_that_is_killed_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    moments = chance("receiver")
    ports = free_ports(2)
    grpc, http = (f"127.0.0.1:{port}" for port in ports)
    server = Server(tmp_path / "served.db", ("--grpc", grpc, "--http", http))
    ledger = Ledger()
    deadline = time.monotonic() + SECONDS
    kills = 0
    with server.start(), Senders(ledger, clients(grpc, http)) as senders:
        while kills < 3 or time.monotonic() < deadline:
            senders.wait_for(moments.randint(1, 60))
            time.sleep(moments.uniform(0, 0.05))
            server.kill()
            if moments.random() < 0.3:  # also while it starts
                server.launch()
                time.sleep(moments.uniform(0, 1))
                server.kill()
            server.start()
            kills += 1
        senders.wait_for(10)
        senders.stop()
        assert server.terminate() == 0

    holds(server.store, ledger)


def test_connections_that_break_lose_nothing(tmp_path: Path) -> None:
    ledger = Ledger()
    deadline = time.monotonic() + SECONDS
    with (
        Server(tmp_path / "served.db").start() as server,
        Proxy(server.grpc, chance("gRPC")) as grpc,
        Proxy(server.http, chance("HTTP")) as http,
        Senders(ledger, clients(grpc.address, http.address)) as senders,
    ):
        until(lambda: time.monotonic() > deadline and all(one.faults.keys() == set(FAULTS) for one in (grpc, http)))
        grpc.heal()
        http.heal()
        senders.wait_for(20)
        senders.stop()
        assert server.terminate() == 0

    holds(server.store, ledger)
