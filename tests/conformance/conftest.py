"""Every place, filled once for the whole session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_mas.sources import Source
from tests.backends.clickhouse import ClickHouse
from tests.backends.jaeger import Jaeger, Storage
from tests.backends.otelcol import Otelcol
from tests.conformance import lunch, oddities
from tests.conformance.places import PLACES, Place

HELD = (*lunch.EXPORTS, *oddities.EXPORTS)


@dataclass
class Ground:
    """Makes what places need, and ends it."""

    request: pytest.FixtureRequest
    paths: pytest.TempPathFactory
    _clickhouses: list[ClickHouse] = field(default_factory=list)
    _jaegers: dict[tuple[Storage, int], Jaeger] = field(default_factory=dict)

    def folder(self, name: str) -> Path:
        return self.paths.mktemp(name)

    def jaeger(self, storage: Storage, exports: Sequence[TracesData]) -> Jaeger:
        # Of its own, so that nothing else is in it; shared by the ways of reading from it.
        key = storage, id(exports)
        if key not in self._jaegers:
            server = Jaeger(self.request.getfixturevalue("jaeger_binary"), self.folder(f"jaeger-{storage}"), storage)
            server.start()
            self._jaegers[key] = server
            for export in exports:
                server.send(export.SerializeToString())
        return self._jaegers[key]

    def clickhouse(self, exports: Sequence[TracesData]) -> str:
        server = ClickHouse(self.folder("clickhouse"))
        self._clickhouses.append(server.start())
        binary = self.request.getfixturevalue("otelcol_binary")
        collector = Otelcol(binary, "to-clickhouse.yaml", self.folder("otelcol"), server.settings)
        with collector, ThreadPoolExecutor(16) as pool:  # each waits for its rows, and they are written together
            list(pool.map(collector.send, [export.SerializeToString() for export in exports]))
        return f"{server.address}/otel"

    def close(self) -> None:
        for engine in self._clickhouses:
            engine.stop()
        for server in self._jaegers.values():
            server.stop()


@pytest.fixture(scope="session")
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = Ground(request, tmp_path_factory)
    yield made
    made.close()


@pytest.fixture(scope="session", params=PLACES.values(), ids=PLACES.keys())
def place(request: pytest.FixtureRequest) -> Place:
    return request.param


@pytest.fixture(scope="session")
def source(place: Place, ground: Ground) -> Iterator[Source]:
    """The place's source, with the lunch and the oddities in it."""
    opened = place.setup(ground, HELD)
    yield opened
    opened.close()
