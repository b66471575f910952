"""The queue: bounded in spans and bytes, ends before starts, nothing kept for spans that never end."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanContext

from otel_mas.model.dropped import Dropped
from otel_mas.record import Cause, guard
from otel_mas.record.pipeline.queue import SpanQueue
from otel_mas.semconv.enums import LinkKind

TRACER = TracerProvider().get_tracer("t")


class Bell:
    def __init__(self) -> None:
        self.rung = 0

    def __call__(self) -> None:
        self.rung += 1


def queue(spans: int = 100, size: int = 1_000_000, batch: int = 50) -> SpanQueue:
    return SpanQueue(spans, size, batch_spans=batch, wake=Bell())


def started(into: SpanQueue) -> Any:
    span: Any = TRACER.start_span("s")
    into.start(span.context, span)
    return span


def contexts(spans: list[Any]) -> list[SpanContext]:
    return [span.context for span in spans]


def test_causes_come_out_with_the_span_they_belong_to() -> None:
    waiting = queue()
    one, other = started(waiting), started(waiting)
    causes = (Cause(SpanContext(1, 2, False), LinkKind.TRIGGER),)
    waiting.keep_causes(one.context, causes)
    waiting.end(other.context, other, 0)
    waiting.end(one.context, one, 0)
    assert [(span.context, span.causes) for span in waiting.drain(10).ended] == [
        (other.context, ()),
        (one.context, causes),
    ]
    assert waiting.open_spans == 0


def test_only_spans_that_are_still_open_are_reported_as_started() -> None:
    waiting = queue()
    one, other = started(waiting), started(waiting)
    waiting.end(one.context, one, 0)
    assert contexts(waiting.drain(10).started) == contexts([other])
    assert waiting.drain(10).started == []


def test_a_full_queue_drops_ends_last_counts_them_and_marks_their_traces() -> None:
    waiting = queue(spans=3)
    spans = [started(waiting) for _ in range(5)]
    for span in spans[:4]:
        waiting.end(span.context, span, 0)
    drained = waiting.drain(10)
    assert contexts(drained.ended) == contexts(spans[:3])
    assert waiting.losses.totals() == [Dropped("queue full", 1, 0)]
    rows, ids = waiting.losses.take()
    trace_id, span_id = spans[3].context[:2]
    assert [(row.trace_id, row.reason, row.spans) for row in rows] == [(trace_id.to_bytes(16, "big"), "queue full", 1)]
    assert ids == [(trace_id.to_bytes(16, "big"), span_id.to_bytes(8, "big"))]
    assert waiting.losses.take() == ([], [])


def test_open_spans_take_no_room_from_ended_ones_and_are_announced() -> None:
    waiting = queue(spans=4)
    spans = [started(waiting) for _ in range(4)]
    for span in spans[:2]:
        waiting.end(span.context, span, 0)
    last = started(waiting)
    drained = waiting.drain(10)
    assert len(drained.ended) == 2
    assert contexts(drained.started) == contexts([*spans[2:], last])
    assert not waiting.losses


def test_a_span_of_an_unknown_sdk_costs_no_other() -> None:
    guard.set_strict(False)
    waiting = queue()
    bad, good = started(waiting), started(waiting)
    del bad._instrumentation_scope
    assert contexts(waiting.drain(10).started) == [good.context]
    for span in (bad, good):
        waiting.end(span.context, span, 0)
    assert contexts(waiting.drain(10).ended) == [good.context]
    assert waiting.losses.totals() == [Dropped("not encodable", 1, 0)]


def test_an_open_span_is_announced_once_however_many_batches_it_outlives() -> None:
    waiting = queue()
    one = started(waiting)
    assert contexts(waiting.drain(10).started) == contexts([one])
    other = started(waiting)
    assert contexts(waiting.drain(10).started) == contexts([other])
    assert waiting.drain(10).started == []
    waiting.end(one.context, one, 0)
    assert not waiting.drain(10).started


def test_a_span_is_announced_only_together_with_all_that_had_ended_before_it() -> None:
    waiting = queue()
    ended = [started(waiting) for _ in range(3)]
    for span in ended:
        waiting.end(span.context, span, 0)
    late = started(waiting)
    first, second = waiting.drain(2), waiting.drain(2)
    assert (contexts(first.ended), contexts(first.started)) == (contexts(ended[:2]), [])
    assert (contexts(second.ended), contexts(second.started)) == (contexts(ended[2:]), contexts([late]))


def test_a_start_alone_is_something_to_write() -> None:
    waiting = queue()
    assert not len(waiting)
    started(waiting)
    assert len(waiting)
    waiting.drain(10)
    assert not len(waiting)


def test_bytes_are_bounded_for_spans_and_content_together() -> None:
    waiting = queue(size=10_000)
    one, other, third = started(waiting), started(waiting), started(waiting)
    waiting.add_content(one.context, "arguments", "x", 6_000)
    waiting.end(one.context, one, 4_000)
    waiting.add_content(other.context, "arguments", "x", 6_000)
    waiting.end(other.context, other, 10)
    drained = waiting.drain(10)
    taken = waiting.next_content()
    assert taken is not None
    assert taken.key == one.context[:2]
    assert waiting.next_content() is None
    assert contexts(drained.ended) == contexts([other])
    assert waiting.losses.totals() == [Dropped("queue full", 1, 1)]
    waiting.end(third.context, third, 9_000)  # what was taken makes room
    assert len(waiting.drain(10).ended) == 1


def test_content_leaves_room_for_spans() -> None:
    waiting = queue(size=10_000)
    span = started(waiting)
    waiting.add_content(span.context, "page", "x", 7_500)
    waiting.add_content(span.context, "page", "x", 1)
    waiting.end(span.context, span, 500)
    assert len(waiting.drain(10).ended) == 1
    assert waiting.waiting_contents == 1
    assert waiting.next_content(max_size=7_000) is None
    assert waiting.next_content() is not None


def test_a_message_without_room_is_refused() -> None:
    waiting = queue(size=100)
    assert not waiting.add_message((1, 2), "00", {"role": "user"}, 76)
    assert waiting.add_message((1, 2), "00", {"role": "user"}, 75)


def test_spans_that_never_end_are_not_kept_for_ever() -> None:
    waiting = queue(spans=10)
    for _ in range(1000):
        started(waiting)
    assert waiting.open_spans <= 10
    assert len(waiting) <= 10


def test_parts_of_a_spans_row_are_never_in_a_later_batch() -> None:
    waiting = queue()
    span = started(waiting)
    waiting.add_messages(span.context[:2], 0, ("ab" * 16,))
    waiting.end(span.context, span, 0)
    drained = waiting.drain(1)
    assert drained.ended
    assert drained.row_parts


def test_the_writer_is_woken_when_it_sleeps_and_when_a_batch_is_full() -> None:
    bell = Bell()
    waiting = SpanQueue(1000, 10**6, batch_spans=3, wake=bell)
    spans = [TRACER.start_span("s") for _ in range(5)]
    waiting.end(spans[0].get_span_context(), spans[0], 0)  # type: ignore[arg-type]
    assert bell.rung == 1
    waiting.idle = False
    for span in spans[1:]:
        waiting.end(span.get_span_context(), span, 0)  # type: ignore[arg-type]
    assert bell.rung == 2


def test_threads_do_not_lose_spans() -> None:
    waiting = queue(spans=100_000, size=10**9)
    waiting.idle = False
    taken: list[Any] = []
    contents: list[Any] = []
    done = threading.Event()

    def produce() -> None:
        for _ in range(500):
            span = started(waiting)
            waiting.add_content(span.context, "n", 1, 1)
            waiting.end(span.context, span, 10)

    def consume() -> None:
        while not done.is_set():
            taken.append(waiting.drain(7))
            contents.extend(iter(waiting.next_content, None))

    consumer = threading.Thread(target=consume)
    producers = [threading.Thread(target=produce) for _ in range(4)]
    consumer.start()
    for thread in producers:
        thread.start()
    for thread in producers:
        thread.join()
    done.set()
    consumer.join()
    taken.append(waiting.drain(100_000))
    assert sum(len(batch.ended) for batch in taken) == 2000
    contents.extend(iter(waiting.next_content, None))
    assert len(contents) == 2000
    assert waiting.open_spans == 0
    assert waiting._bytes == 0


def test_clear_forgets_everything() -> None:
    waiting = queue()
    span = started(waiting)
    waiting.add_content(span.context, "n", 1, 1)
    waiting.end(span.context, span, 10)
    waiting.clear()
    assert (len(waiting), waiting.open_spans, waiting._bytes) == (0, 0, 0)


@pytest.mark.parametrize("where", ["started", "ended"])
def test_the_service_is_that_of_a_waiting_span(where: str) -> None:
    waiting = queue()
    assert waiting.service() is None
    span = started(waiting)
    if where == "ended":
        waiting.end(span.context, span, 0)
    assert waiting.service() == span.resource.attributes["service.name"]
