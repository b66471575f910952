"""Making a store smaller, and when that is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from otel_mas.errors import StoreLocked
from otel_mas.model import Query
from otel_mas.store.rows import Batch
from otel_mas.store.upkeep.check import check
from otel_mas.store.upkeep.shrink import compact, prune, size_on_disk, used_per_trace


def test_pruned_traces_go_with_what_only_they_need_and_compacting_gives_back_the_space(
    bench: Any, stored: Path
) -> None:
    reader = bench.reader()
    found = [one for one in reader.traces(Query()) if one.trace_id == "01" * 16]
    assert used_per_trace(stored)["01" * 16] > 20 * 400
    reader.close()
    assert prune(stored, found, clock=bench.clock) == 1
    assert [one.trace_id for one in bench.reader().traces(Query())] == ["02" * 16]
    assert bench.reader().messages(["000102030405060708090a0b0c0d0e0f"]) == {}
    before, after = compact(stored, clock=bench.clock)
    assert after == size_on_disk(stored) <= before
    assert check(stored) == []


def test_neither_is_done_while_a_process_records(bench: Any, stored: Path) -> None:
    bench.writer(instance=b"living").write(Batch())
    for shrink in (lambda: compact(stored, clock=bench.clock), lambda: prune(stored, [], clock=bench.clock)):
        with pytest.raises(StoreLocked, match="a process records into the store"):
            shrink()
    bench.now_ns += 60 * 10**9  # which has died meanwhile
    compact(stored, clock=bench.clock)
