"""A store with a clock that stands still, and short ways to make what goes into it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1 import trace_pb2

from otel_mas.store import StoreReader, StoreWriter
from otel_mas.store.columns import column_values
from otel_mas.store.rows import Batch, OpenRow, SpanRow
from tests.conformance.messages import pairs

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
TRACE = bytes(range(16))


@dataclass
class Bench:
    """One store file, its writers and readers, and the time that they all see."""

    path: Path
    now_ns: int = NOW
    _opened: list[StoreWriter | StoreReader] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def clock(self) -> int:
        return self.now_ns

    def writer(
        self,
        *,
        instance: bytes = b"instance",
        run_id: str | None = None,
        service: str = "service",
        max_bytes: int = 2**40,
        max_age_ns: int = 0,
        timeout_s: float = 5.0,
        autocheckpoint: bool = True,
    ) -> StoreWriter:
        writer = StoreWriter(
            self.path,
            instance_id=instance,
            run_id=run_id,
            service=service,
            max_bytes=max_bytes,
            max_age_ns=max_age_ns,
            clock=self.clock,
            timeout_s=timeout_s,
            autocheckpoint=autocheckpoint,
        )
        self._opened.append(writer)
        return writer

    def reader(self) -> StoreReader:
        reader = StoreReader(self.path, clock=self.clock)
        self._opened.append(reader)
        return reader

    def span(self, **given: Any) -> SpanRow:
        """An ended span of one second; `attributes` fill its columns and its body."""
        number = next(self._ids)
        attributes: Mapping[str, Any] = given.pop("attributes", {})
        start_ns = given.get("start_ns", self.now_ns + number)
        name = given.get("name", f"span {number}")
        fields: dict[str, Any] = {
            "trace_id": TRACE,
            "span_id": number.to_bytes(8, "big"),
            "parent_span_id": None,
            "name": name,
            "kind": 1,
            "start_ns": start_ns,
            "end_ns": start_ns + SECOND,
            "status": 0,
            "columns": column_values(attributes),
            "links": (),
            "body": trace_pb2.Span(name=name, attributes=pairs(attributes)).SerializeToString(),
            "resource": 0,
            "scope": 0,
        }
        return SpanRow(**{**fields, **given})

    def open_span(self, **given: Any) -> OpenRow:
        row = self.span(**given)
        return OpenRow(
            row.trace_id,
            row.span_id,
            row.parent_span_id,
            row.name,
            row.kind,
            row.start_ns,
            row.columns,
            row.resource,
            row.scope,
        )

    def close(self) -> None:
        for opened in self._opened:
            opened.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "store" / "runs.db")
    yield bench
    bench.close()


@pytest.fixture
def write(bench: Bench) -> Callable[..., StoreWriter]:
    """Write spans into the store with a writer of its own."""

    def written(*spans: SpanRow, **settings: Any) -> StoreWriter:
        writer = bench.writer(**settings)
        writer.write(Batch(spans=list(spans)))
        return writer

    return written
