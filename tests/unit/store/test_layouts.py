"""A store of every layout there has been, as it was written, is brought to the current one with all that it holds."""

from __future__ import annotations

import gzip
from contextlib import closing
from pathlib import Path

import pytest

from otel_mas.errors import StoreError
from otel_mas.model import Query
from otel_mas.semconv import attributes as names
from otel_mas.store import StoreReader, StoreWriter
from otel_mas.store.connection import open_for_writing
from otel_mas.store.log_reader import LogReader
from otel_mas.store.migrations import VERSION
from otel_mas.store.rows import Batch
from otel_mas.store.upkeep.check import check
from otel_mas.store.upkeep.repair import repair
from tests.unit.store.layouts.make import DIGEST, NOW, TRACE, file_of


@pytest.mark.parametrize("layout", range(1, VERSION + 1))
def test_an_old_store_is_migrated_with_all_that_it_holds(layout: int, tmp_path: Path) -> None:
    """For a new layout: python -m tests.unit.store.layouts.make"""
    path = tmp_path / "runs.db"
    path.write_bytes(gzip.decompress(file_of(layout).read_bytes()))
    if layout < VERSION:
        with pytest.raises(StoreError, match=rf"older layout \({layout}\): record into it once"):
            StoreReader(path)
    open_for_writing(path).close()

    assert check(path) == []
    with StoreReader(path, clock=lambda: NOW) as reader:
        [summary] = reader.traces(Query(service="shop", agent="planner"))
        assert (summary.name, summary.span_count, summary.error_count) == ("span 1", 3, 1)
        assert (summary.incomplete or "").startswith("something is missing; the process stopped")
        trace = reader.trace(TRACE.hex())
        assert [span.name for span in trace.spans] == ["span 1", "span 2", "never ended"]
        assert trace.spans[1].attributes == {names.GEN_AI_AGENT_NAME: "planner", "note": "kept"}
        assert [link.span_id for link in trace.spans[1].links] == [trace.spans[0].span_id]
        assert reader.messages([DIGEST.hex()])[DIGEST.hex()].role == "user"
        assert [one.value for one in reader.contents(TRACE.hex())] == [{"q": 1}]
        assert "3 spans were dropped: unknown reason" in reader.run("run").problems
    with closing(LogReader(path)) as log:
        assert [one.name for one in log.destinations()] == ([] if layout == 1 else ["otlp http://localhost:4318"])
    with closing(_recording(path)) as writer:
        writer.write(Batch(incomplete={TRACE: "recorded into again"}))


@pytest.mark.parametrize("layout", range(1, VERSION + 1))
def test_an_old_store_can_be_repaired(layout: int, tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.write_bytes(gzip.decompress(file_of(layout).read_bytes()))
    done = repair(path, tmp_path / "repaired.db")
    assert done.lost == []
    assert (done.saved["spans"], done.saved["messages"], done.saved["drops"]) == (2, 1, 1)
    assert check(done.path) == []


def _recording(path: Path) -> StoreWriter:
    return StoreWriter(path, instance_id=b"new", run_id=None, service="shop", max_bytes=0, max_age_ns=0)
