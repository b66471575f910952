"""Reading many spans: their speed-ups, their size."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest

from otel_mas.causal import build
from otel_mas.errors import StoreReplaced
from otel_mas.semconv import attributes as names
from otel_mas.store.rows import Batch

TRACE = bytes(range(16))


def test_a_span_of_a_large_trace_takes_a_kilobyte_at_most_with_its_graph_and_path(bench: Any) -> None:
    writer = bench.writer()
    count = 3_000
    writer.write(
        Batch(
            spans=[
                bench.span(
                    name=f"task {n % 10}",
                    parent_span_id=(n // 2).to_bytes(8, "big"),
                    links=((TRACE, n.to_bytes(8, "big"), "trigger"),),
                    attributes={
                        names.MAS_RECORD_KIND: "AGENT_TASK",
                        names.MAS_TASK_ID: f"{n:036}",
                        names.MAS_TASK_NAME: f"node {n % 10}",
                        names.MAS_TASK_STEP: n // 10,
                        names.MAS_TASK_NAMESPACE: "",
                        names.GEN_AI_CONVERSATION_ID: "thread",
                        names.MAS_CHECKPOINT_ID: f"{n // 10:036}",
                    },
                )
                for n in range(count)
            ]
        )
    )
    reader = bench.reader()
    build([reader.trace(TRACE.hex())]).critical_path()
    gc.collect()
    tracemalloc.start()
    try:
        trace = reader.trace(TRACE.hex())
        graph = build([trace])
        path = graph.critical_path()
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(trace.spans), len(graph.control_edges())) == (count, count - 1)
    assert path.total_ns > 0
    assert size / count <= 1024


@pytest.mark.parametrize("every", [2, 10])
def test_large_traces_are_read_whole_whatever_lies_between_their_spans(bench: Any, every: int) -> None:
    """Each `every`-th span is of another trace: every second one scatters the trace, every tenth does not."""
    other, count = bytes(16)[:-1] + b"1", 5_000
    spans = [bench.span(trace_id=TRACE if n % every else other) for n in range(count)]
    bench.writer().write(Batch(spans=spans))
    read = bench.reader().trace(TRACE.hex()).spans
    assert [span.span_id for span in read] == [one.span_id.hex() for one in spans if one.trace_id == TRACE]


def test_reading_leaves_the_garbage_collector_as_it_was(bench: Any, write: Any) -> None:
    write(bench.span())
    reader = bench.reader()
    assert gc.isenabled()
    reader.trace(TRACE.hex())
    assert gc.isenabled()
    gc.disable()
    try:
        reader.trace(TRACE.hex())
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_body_is_never_taken_from_a_store_that_replaced_the_one_that_was_read(bench: Any, write: Any) -> None:
    write(bench.span(name="ours", attributes={"a": "ours"})).close()
    with bench.reader() as reader:
        (span,) = reader.trace(TRACE.hex()).spans
    bench.path.unlink()
    write(bench.span(name="theirs", attributes={"a": "theirs"})).close()
    with pytest.raises(StoreReplaced):
        _ = span.attributes
