"""A destination that does as it is told, and a log to ship to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from otel_mas.otlp.framing import LogRow
from otel_mas.shipping import Accepted, Backoff, Outcome, Shipper
from otel_mas.store.log import Log
from otel_mas.store.log_reader import DestinationStatus, LogReader
from otel_mas.store.rows import Batch, SpanRow
from tests.unit.store.conftest import Bench, bench  # noqa: F401 - a fixture


@dataclass
class FakeDestination:
    """Takes what `answer` lets it take, and remembers that."""

    answer: Callable[[Sequence[LogRow]], Outcome] = lambda rows: Accepted()
    name: str = "fake:there"
    server: str = "there:otlp"
    timeout_s: float = 10.0
    taken: list[bytes] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    closed: bool = False

    def send(self, rows: Sequence[LogRow]) -> Outcome:
        self.asked.append(len(rows))
        outcome = self.answer(rows)
        if isinstance(outcome, Accepted):
            self.taken += [row.body for row in rows]
        return outcome

    def close(self) -> None:
        self.closed = True


@dataclass
class Harbour:
    """A store with shippers."""

    bench: Bench
    logs: list[Log] = field(default_factory=list)

    def write(self, count: int = 1, **more: Any) -> list[bytes]:
        """Commit spans that may be shipped; returns their bodies."""
        rows: list[SpanRow] = [self.bench.span(**{"sampled": True, "may_ship": True, **more}) for _ in range(count)]
        writer = self.bench.writer()
        writer.write(Batch(spans=rows))
        writer.close()
        return [row.body for row in rows]

    def log(self) -> Log:
        log = Log(self.bench.path, clock=self.bench.clock)
        self.logs.append(log)
        return log

    def shipper(self, destination: FakeDestination, **more: Any) -> Shipper:
        log = self.log()
        log.add(destination.name)
        return Shipper(log, destination, backoff=Backoff(jitter=lambda: 1.0), **more)

    def status(self) -> DestinationStatus:
        reader = LogReader(self.bench.path, clock=self.bench.clock)
        try:
            (found,) = reader.destinations()
            return found
        finally:
            reader.close()


@pytest.fixture
def harbour(bench: Bench) -> Iterator[Harbour]:  # noqa: F811
    bench.writer().close()
    made = Harbour(bench)
    yield made
    for log in made.logs:
        log.close()


@pytest.fixture
def fake() -> type[FakeDestination]:
    return FakeDestination
