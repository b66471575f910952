"""Spans of a store as they are committed, read by another connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from otel_mas.model.changes import ContentProgress
from otel_mas.store.rows import Batch
from otel_mas.store.tail import StoreTail

INSTANCE = b"instance".hex()


@pytest.fixture
def tail(bench: Any) -> Iterator[StoreTail]:
    bench.writer(instance=b"first").close()
    with StoreTail(bench.path, from_start=True, clock=bench.clock) as opened:
        yield opened


def test_each_span_is_told_once_when_it_begins_and_once_when_it_ends(bench: Any, tail: StoreTail) -> None:
    writer, span = bench.writer(), bench.span(name="task")
    opened = bench.open_span(span_id=span.span_id, name="task")
    other = bench.open_span(name="other")
    for batch, news in (
        (Batch(opened=[opened]), (["task"], [])),
        (Batch(opened=[other]), (["other"], [])),
        (Batch(spans=[span]), ([], ["task"])),
    ):
        writer.write(batch)
        changes = tail.changes()
        assert changes is not None
        assert ([one.name for one in changes.opened], [one.name for one in changes.ended]) == news
    assert tail.changes() is None


def test_how_much_content_of_a_process_waits_is_told_as_long_as_it_records(bench: Any, tail: StoreTail) -> None:
    writer = bench.writer()

    def told() -> dict[str, ContentProgress] | None:
        changes = tail.changes()
        return None if changes is None else dict(changes.contents)

    writer.write(Batch(spans=[bench.span()], contents_recorded=3, contents_done=1))
    assert told() == {INSTANCE: ContentProgress(3, 1)}
    writer.write(Batch(contents_recorded=3, contents_done=3))
    assert told() == {INSTANCE: ContentProgress(3, 3)}
    writer.write(Batch(contents_recorded=3, contents_done=3))
    assert told() is None
    writer.finish((), 0)
    assert told() == {}


def test_nothing_is_expected_of_a_process_that_is_gone(bench: Any, tail: StoreTail) -> None:
    bench.writer().write(Batch(spans=[bench.span()], contents_recorded=3, contents_done=1))
    bench.now_ns += 60 * 10**9
    changes = tail.changes()
    assert changes is not None
    assert changes.contents == {}
