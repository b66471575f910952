"""A store that is filled while it is shipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.ledger import Ledger, Senders, clients, holds, rows
from tests.serving.server import Server


@dataclass
class Filled:
    """A receiver whose spans may leave, and what it is sent."""

    server: Server
    senders: Senders
    ledger: Ledger

    @property
    def store(self) -> Path:
        return self.server.store

    def stop(self) -> dict[str, int]:
        """End sending and receiving, and check the store; returns the number of spans of each trace in it."""
        self.senders.stop()
        assert self.server.terminate() == 0
        holds(self.store, self.ledger)
        return rows(self.store)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    """Some hundred spans a second come in."""
    ledger = Ledger()
    with (
        Server(tmp_path / "runs.db", environ={"OTEL_MAS_RECEIVE_MAY_SHIP": "1"}).start() as server,
        Senders(ledger, clients(server.grpc, server.http), pause_s=0.1) as senders,
    ):
        yield Filled(server, senders, ledger)
