"""The state of a store, read without writing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from otel_mas.errors import NotAStore
from otel_mas.model.dropped import Dropped
from otel_mas.store.health import examine
from otel_mas.store.migrations import VERSION
from otel_mas.store.rows import Batch


def test_an_empty_store_has_nothing(bench: Any) -> None:
    writer = bench.writer()
    writer.finish((), 0)
    writer.close()
    found = examine(bench.path, clock=bench.clock)
    assert (found.layout, found.traces, found.spans, found.oldest_ns) == (VERSION, 0, 0, None)
    assert (found.writing, found.died, found.dropped, found.withheld) == ((), (), (), 0)
    assert (found.damage, found.checked) == (None, True)
    assert found.used_bytes > 0


def test_processes_are_alive_by_their_heartbeat_and_their_end(bench: Any) -> None:
    for name in (b"ended", b"living"):
        writer = bench.writer(instance=name, service=name.decode(), run_id="r")
        writer.write(Batch())
        if name == b"ended":
            writer.finish([Dropped("disk full", 4, 1)], 2)
    found = examine(bench.path, clock=bench.clock)
    assert [one.service for one in found.writing] == ["living"]
    assert (found.died, found.dropped, found.withheld) == ((), (Dropped("disk full", 4, 1),), 2)
    bench.now_ns += 60 * 10**9
    later = examine(bench.path, clock=bench.clock)
    assert [(one.service, one.run_id) for one in later.died] == [("living", "r")]
    assert later.writing == ()


def test_secrets_taken_out_are_counted_over_batches_and_processes(bench: Any) -> None:
    for instance, counts in ((b"one", {"password": 2}), (b"two", {"github": 1, "password": 3})):
        writer = bench.writer(instance=instance)
        writer.write(Batch(redacted=counts))
        writer.close()
    assert list(examine(bench.path, clock=bench.clock).redacted.items()) == [("password", 5), ("github", 1)]


def test_a_check_for_damage_stops_in_time_and_reports_it(bench: Any) -> None:
    writer = bench.writer()
    resource, scope = writer.resource({}, "", b"x"), writer.scope("s", "", {}, "")
    for _ in range(40):
        writer.write(Batch(spans=[bench.span(resource=resource, scope=scope) for _ in range(200)]))
    found = examine(bench.path, clock=bench.clock, check_s=0.0)
    assert (found.damage, found.checked) == (None, False)
    assert found.spans == 8_000
    assert examine(bench.path, clock=bench.clock).checked


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAStore):
        examine(tmp_path / "none.db")
