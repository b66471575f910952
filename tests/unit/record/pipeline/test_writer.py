"""The writer thread: when it writes, what it does about a store in trouble, and how it ends."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry.context import get_value
from opentelemetry.sdk.trace import TracerProvider

from otel_mas.errors import NotAStore, StoreCorrupt, StoreFull, StoreLocked
from otel_mas.model.dropped import Dropped, DropReason
from otel_mas.privacy import secret_text
from otel_mas.privacy.stored import Privacy
from otel_mas.record import guard
from otel_mas.record.content.digest import Digester
from otel_mas.record.content.state import StateDigests
from otel_mas.record.pipeline.batches import BatchBuilder
from otel_mas.record.pipeline.queue import SpanQueue
from otel_mas.record.pipeline.requests import answer
from otel_mas.record.pipeline.writer import Writer

TRACER = TracerProvider().get_tracer("t")


class Rig:
    """A queue, a writer and a store in memory."""

    def __init__(self, store: Any, interval_s: float = 0.001, batch_spans: int = 1000, max_spans: int = 1000) -> None:
        self.store = store
        self.open_error: Callable[[], Exception | None] = lambda: None
        self.opened_for: list[str] = []
        self.resent = 0
        self.thread = 0
        self.queue = SpanQueue(max_spans, 10**7, batch_spans=batch_spans, wake=lambda: self.writer.wake())
        self.writer = Writer(
            self.queue,
            self._prepare,
            self._opened,
            interval_s=interval_s,
            batch_spans=batch_spans,
            resend=self._resend,
            thread_started=self._started,
        )

    def _prepare(self, service: str) -> Callable[[], Any]:
        def open_store() -> Any:
            self.opened_for.append(service)
            error = self.open_error()
            if error is not None:
                raise error
            return self.store

        return open_store

    def _opened(self, store: Any) -> BatchBuilder:
        digests = StateDigests(Digester(lambda: bytes(32)))
        return BatchBuilder(Privacy("redacted"), {}, digests, losses=self.queue.losses)

    def _resend(self) -> None:
        self.resent += 1

    def _started(self, thread: int) -> None:
        self.thread = thread

    def end(self, name: str = "s", *contents: str) -> None:
        span: Any = TRACER.start_span(name)
        self.queue.start(span.context, span)
        for text in contents:
            self.queue.add_content(span.context, "page", text, len(text))
        self.queue.end(span.context, span, 0)


@pytest.fixture(autouse=True)
def lenient() -> None:
    guard.set_strict(False)


@pytest.fixture
def rig(store: Any) -> Iterator[Rig]:
    made = Rig(store)
    yield made
    store.failing = None
    made.open_error = lambda: None
    made.writer.stop(30)


def eventually(condition: Callable[[], object], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_no_thread_before_the_first_span(rig: Rig) -> None:
    assert rig.writer._thread is None
    assert rig.writer.flush(0.1)
    rig.end()
    assert rig.writer.flush(30)
    assert rig.store.names() == ["s"]
    assert rig.opened_for == [TRACER.resource.attributes["service.name"]]  # type: ignore[attr-defined]


def test_spans_are_written_without_being_asked_for(rig: Rig) -> None:
    for number in range(3):
        rig.end(f"s{number}")
        eventually(lambda number=number: rig.store.names()[-1:] == [f"s{number}"])  # type: ignore[misc]


def test_a_full_batch_does_not_wait_for_the_interval(store: Any) -> None:
    rig = Rig(store, interval_s=60, batch_spans=5)
    for _ in range(6):
        rig.end()
    eventually(lambda: len(store.names()) == 5)
    assert rig.writer.flush(30)
    assert [len(batch.spans) for batch in store.batches] == [5, 1]
    rig.writer.stop(30)


def test_a_busy_app_is_given_larger_batches(store: Any) -> None:
    rig = Rig(store, interval_s=0.3)
    rig.end()
    assert rig.writer.flush(30)
    started = time.monotonic()
    while len(store.batches) == 1:
        for _ in range(10):
            rig.end()
        time.sleep(0.01)
    assert time.monotonic() - started >= 0.6
    assert rig.writer.stop(30)


def test_spans_that_end_while_a_batch_is_written_wait_for_the_next_one(store: Any) -> None:
    rig = Rig(store, interval_s=0.05)
    write = store.write
    written: list[float] = []

    def slow_write(batch: Any) -> None:
        written.append(time.monotonic())
        write(batch)
        if len(store.batches) == 1:
            rig.end("meanwhile")

    store.write = slow_write
    rig.end("first")
    eventually(lambda: store.names() == ["first", "meanwhile"])
    assert written[1] - written[0] >= 0.04
    assert rig.writer.stop(30)


def test_a_flush_does_not_wait_for_the_interval(store: Any) -> None:
    rig = Rig(store, interval_s=60)
    rig.end()
    assert rig.writer.flush(30)
    assert store.names() == ["s"]
    assert rig.writer.stop(30)


def test_open_spans_are_written_as_open(rig: Rig) -> None:
    span: Any = TRACER.start_span("open")
    rig.queue.start(span.context, span)
    assert rig.writer.flush(30)
    assert [row.name for row in rig.store.batches[0].opened] == ["open"]


def test_while_spans_are_open_the_heart_beats(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_mas.record.pipeline.writer._BEAT_S", 0.01)
    rig = Rig(store)
    span: Any = TRACER.start_span("open")
    rig.queue.start(span.context, span)
    eventually(lambda: len(store.batches) > 3)
    assert not any(store.batches[1:])
    rig.queue.end(span.context, span, 0)
    assert rig.writer.stop(30)


def test_stop_writes_everything_finishes_the_store_and_ends_the_thread(rig: Rig) -> None:
    rig.queue.losses.span((7, 7), DropReason.QUEUE_FULL)
    for _ in range(10):
        rig.end()
    assert rig.writer.stop(30)
    assert len(rig.store.names()) == 10
    assert rig.store.finished == ([Dropped("queue full", 1, 0)], 0)
    assert rig.store.closed
    assert rig.store.retained
    assert rig.writer._thread is not None
    rig.writer._thread.join(30)
    assert not rig.writer._thread.is_alive()


def test_stop_succeeds_where_the_thread_ends_before_it_gets_the_request(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At exit both `atexit` and multiprocessing's finalizers stop it."""
    writer, free = rig.writer, threading.Event()
    monkeypatch.setattr(
        "otel_mas.record.pipeline.writer.answer", lambda *given: (answer(*given), writer.finished and free.wait(30))
    )
    rig.end()
    assert writer.stop(30)
    assert writer._thread is not None
    assert writer._thread.is_alive()
    assert writer.stop(30)
    free.set()


def test_the_writer_waits_for_a_locked_store_and_loses_nothing(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.store.failing = lambda: StoreLocked("the store at x is locked")
    with caplog.at_level(logging.WARNING, "otel_mas"):
        rig.end("one")
        rig.store.tried.wait(30)
        rig.end("two")
        assert not rig.writer.flush(0.2)
        rig.store.failing = None
        eventually(lambda: rig.store.names() == ["one", "two"])
    assert rig.writer.flush(30)
    assert [record.getMessage() for record in caplog.records] == [
        "otel-mas: what is recorded waits in memory: the store at x is locked"
    ]


def test_while_the_store_is_locked_memory_is_bounded(store: Any) -> None:
    rig = Rig(store, max_spans=10)
    store.failing = lambda: StoreLocked("locked")
    rig.end()
    store.tried.wait(30)
    for _ in range(100):
        rig.end()
    assert rig.queue.waiting_spans <= 10
    assert rig.queue.open_spans == 0
    losses = rig.queue.losses
    assert losses.spans[DropReason.QUEUE_FULL] >= 90
    store.failing = None
    assert rig.writer.stop(30)
    assert store.finished == (losses.totals(), 0)
    assert sum(row.spans for batch in store.batches for row in batch.drops) == losses.spans[DropReason.QUEUE_FULL]


def test_a_store_that_stays_locked_does_not_keep_the_process_from_ending(rig: Rig) -> None:
    rig.store.failing = lambda: StoreLocked("locked")
    rig.end()
    began = time.monotonic()
    assert not rig.writer.stop(0.3)
    assert time.monotonic() - began < 30  # only a hang takes longer
    assert rig.writer._thread is not None
    rig.writer._thread.join(30)
    assert not rig.writer._thread.is_alive()


def test_a_store_that_cannot_be_opened_gives_one_clear_line(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.open_error = lambda: NotAStore("x is not an otel-mas store: name another file")
    with caplog.at_level(logging.WARNING, "otel_mas"):
        rig.end()
        eventually(lambda: rig.queue.closed)
        for _ in range(10):
            rig.end()
    assert [(record.getMessage(), record.exc_info) for record in caplog.records] == [
        ("otel-mas: nothing is recorded: x is not an otel-mas store: name another file", None)
    ]
    assert not rig.writer.flush(0.1)


def test_a_flush_does_not_wait_for_a_failed_thread(rig: Rig) -> None:
    rig.open_error = lambda: time.sleep(0.1) or NotAStore("not a store")  # type: ignore[func-returns-value]
    rig.end()
    began = time.monotonic()
    assert not rig.writer.stop(60)
    assert time.monotonic() - began < 30


def test_a_store_locked_at_first_is_opened_later(rig: Rig) -> None:
    rig.open_error = lambda: StoreLocked("locked") if len(rig.opened_for) < 3 else None
    rig.end()
    assert rig.writer.flush(30)
    assert rig.store.names() == ["s"]


def test_a_full_disk_loses_its_batch_counts_it_and_goes_on(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.store.failing = lambda: StoreFull("no space left")
    with caplog.at_level(logging.WARNING, "otel_mas"):
        rig.end("lost")
        assert not rig.writer.flush(30)
    rig.store.failing = None
    rig.end("kept")
    assert rig.writer.flush(30)
    assert rig.writer.stop(30)
    assert rig.store.names() == ["kept"]
    assert rig.store.finished == ([Dropped("disk full", 1, 0)], 0)
    assert "no space left" in caplog.text


def test_each_thread_that_flushes_is_told_that_a_batch_was_dropped(rig: Rig) -> None:
    """The spans may be those of any of them."""
    rig.store.failing = lambda: StoreFull("no space left")
    rig.end("lost")
    eventually(lambda: rig.queue.losses.spans[DropReason.DISK_FULL] == 1)
    rig.store.failing = None
    rig.end("kept")
    with ThreadPoolExecutor(1) as other:
        assert not other.submit(rig.writer.flush, 30).result()
        assert not rig.writer.flush(30)
        assert rig.writer.flush(30)
        assert other.submit(rig.writer.flush, 30).result()


def test_a_flush_waits_for_a_writer_that_another_thread_is_starting(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    start, starting, free = threading.Thread.start, threading.Event(), threading.Event()

    def slowly(thread: threading.Thread) -> None:
        if thread.name == "otel-mas writer":
            starting.set()
            assert free.wait(30)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", slowly)
    with ThreadPoolExecutor(2) as others:
        ending = others.submit(rig.end)
        assert starting.wait(30)
        flushing = others.submit(rig.writer.flush, 30)
        assert not flushing.done()
        free.set()
        assert flushing.result()
        ending.result()
    assert rig.store.names() == ["s"]


def test_a_store_that_got_damaged_ends_the_recording(rig: Rig) -> None:
    rig.end()
    assert rig.writer.flush(30)
    rig.store.failing = lambda: StoreCorrupt("damaged")
    rig.end()
    eventually(lambda: rig.queue.closed)
    assert not rig.writer.flush(0.1)


def test_an_error_of_ours_costs_one_batch(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(rig.store, "write", lambda batch: 1 / 0)
        rig.end("lost")
        rig.writer.flush(30)
    rig.end("kept")
    assert rig.writer.flush(30)
    assert rig.store.names() == ["kept"]


def test_spans_without_time_at_the_end_are_counted_in_the_store(store: Any) -> None:
    rig = Rig(store, batch_spans=1)
    write = store.write

    def slowly(batch: Any) -> None:
        time.sleep(0.02)
        write(batch)

    store.write = slowly
    for _ in range(200):
        rig.end()
    assert not rig.writer.stop(0.5)
    eventually(lambda: store.finished is not None)
    [dropped] = store.finished[0]
    assert (dropped.reason, dropped.spans) == ("exit time-out", 200 - len(store.names()))
    assert sum(row.spans for batch in store.batches for row in batch.drops) == dropped.spans


def test_spans_that_end_after_the_store_turned_out_unusable_are_counted(rig: Rig) -> None:
    rig.open_error = lambda: NotAStore("a diary")
    rig.end()
    eventually(lambda: rig.writer.failed)
    for _ in range(3):
        rig.end()
    assert rig.queue.losses.totals() == [Dropped("store unusable", 4, 0)]


PAGE = "<a href='https://user:pw@x.y/?token=abc&session_key=12'>password: hunter2 Bearer abcdefghijk</a> " * 5_000


def test_spans_do_not_wait_for_content(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rig, redacting, free = Rig(store), threading.Event(), threading.Event()
    monkeypatch.setattr("otel_mas.record.content.rows.to_json", lambda _: redacting.set() or free.wait(30) or b"0")
    rig.end("with a page", PAGE)
    assert redacting.wait(30)
    assert store.names() == ["with a page"]
    free.set()
    assert rig.writer.stop(30)
    assert [len(batch.contents) for batch in store.batches if batch.contents] == [1]


def test_spans_that_end_while_a_content_is_redacted_are_committed_before_it_is(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, at_word, calls = Rig(store), secret_text._at, 0
    names: list[list[str]] = []

    def counted(*place: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 200:
            rig.end("meanwhile")
        elif calls == 1000:
            names.append(store.names())
        return at_word(*place)

    monkeypatch.setattr("otel_mas.record.pipeline.content_lane._PAUSE_S", 0.0)
    monkeypatch.setattr(secret_text, "_at", counted)
    rig.end("with a page", PAGE)
    assert rig.writer.stop(60)
    assert names == [["with a page", "meanwhile"]]
    assert b"hunter2" not in b"".join(row.value for batch in store.batches for row in batch.contents)


def test_a_content_whose_redaction_takes_too_long_is_withheld(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_mas.record.pipeline.content_lane._PAUSE_S", 0.0)
    monkeypatch.setattr("otel_mas.record.pipeline.content_lane._LONGEST_S", 0.0)
    rig = Rig(store)
    rig.end("s", PAGE)
    assert rig.writer.stop(60)
    [value] = [row.value for batch in store.batches for row in batch.contents]
    assert value == b'{"$withheld":"its redaction took too long"}'


def test_however_late_it_is_at_the_end_one_batch_of_spans_is_written(store: Any) -> None:
    rig = Rig(store, interval_s=60)
    rig.end("s", "small")
    rig.writer.stop(0.0)
    eventually(lambda: store.closed, 30)
    assert store.names() == ["s"]
    assert store.finished == ([], 1)


def test_small_content_comes_in_one_transaction_with_its_span(store: Any) -> None:
    rig = Rig(store, interval_s=60)
    rig.end("s", "small")
    assert rig.writer.flush(30)
    assert [(len(batch.spans), len(batch.contents)) for batch in store.batches] == [(1, 1)]
    assert rig.writer.stop(30)


def test_at_the_end_spans_are_written_and_content_without_time_is_withheld(store: Any) -> None:
    rig = Rig(store, interval_s=60)
    for number in range(5):
        rig.end(f"s{number}", PAGE, "small")
    rig.writer.stop(0.2)
    eventually(lambda: store.closed, 30)
    assert len(store.names()) == 5
    withheld = [row.value for batch in store.batches for row in batch.contents]
    assert len(withheld) == 10
    assert withheld.count(b'{"$withheld":"the process ended before it was redacted"}') >= 4
    assert store.finished == ([], withheld.count(b'{"$withheld":"the process ended before it was redacted"}'))


def test_messages_that_the_store_lost_are_sent_again(rig: Rig) -> None:
    rig.store.lost_messages = frozenset({b"x"})
    rig.end()
    assert rig.writer.flush(30)
    assert rig.resent == 1


def test_drops_are_warned_of_once_a_minute(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "otel_mas"):
        for _ in range(3):
            rig.queue.losses.span((7, 7), DropReason.QUEUE_FULL)
            rig.end()
            assert rig.writer.flush(30)
    assert len(caplog.records) == 1
    assert "OTEL_MAS_QUEUE_SPANS" in caplog.text


def test_the_writers_own_calls_are_not_instrumented(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    write = rig.store.write

    def spy(batch: Any) -> None:
        seen.append((get_value("suppress_instrumentation"), threading.get_ident() == rig.thread))
        write(batch)

    monkeypatch.setattr(rig.store, "write", spy)
    rig.end()
    assert rig.writer.flush(30)
    assert set(seen) == {(True, True)}


def test_spans_are_written_after_the_time_to_end_as_long_as_the_processor_is_all_they_wait_for(rig: Rig) -> None:
    """On a loaded machine, importing what writing needs takes longer than the process may be held up for content."""

    def slow() -> None:
        until = time.process_time() + 1
        while time.process_time() < until:
            pass

    rig.open_error = slow
    rig.end("s", "page " * 10_000)
    assert rig.writer.stop(0.3, cpu_s=30)
    assert rig.store.names() == ["s"]
    assert rig.store.finished


def test_a_store_that_does_not_answer_holds_up_the_end_no_longer(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    monkeypatch.setattr(rig.store, "write", lambda batch: free.wait(60))
    rig.end()
    assert not rig.writer.stop(0.01, cpu_s=30)
    assert not free.is_set()
    free.set()


def test_while_the_writer_is_held_the_store_is_closed_and_nothing_is_lost(rig: Rig) -> None:
    rig.end()
    assert rig.writer.flush(30)
    assert rig.writer.hold(30)
    rig.end("meanwhile")
    assert not rig.writer.flush(0.1)
    assert (rig.store.released, rig.store.names()) == (1, ["s"])
    rig.writer.resume()
    assert rig.writer.flush(30)
    assert rig.store.names() == ["s", "meanwhile"]


def test_a_store_whose_builder_is_still_being_made_is_closed_for_a_fork(rig: Rig) -> None:
    """A child forked with its connection open would write to the file as if it held the locks of its parent."""
    making, free = threading.Event(), threading.Event()
    make = rig._opened

    def slowly(store: Any) -> BatchBuilder:
        making.set()
        assert free.wait(30)
        return make(store)

    rig.writer._access._opened = slowly
    rig.end()
    assert making.wait(30)
    assert rig.writer.hold(30)
    assert rig.store.released == 1
    free.set()
    rig.writer.resume()
    assert rig.writer.flush(30)
    assert rig.store.names() == ["s"]


def test_a_busy_writer_can_be_held(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(store, batch_spans=1)
    monkeypatch.setattr(store, "write", lambda batch: time.sleep(0.01))
    for _ in range(500):
        rig.end()
    assert rig.writer.hold(30)
    assert rig.queue.waiting_spans  # it did not wait until all were written
    rig.writer.resume()
    rig.queue.clear()
    assert rig.writer.stop(30)


def test_a_long_commit_is_told_when_to_end_before_the_fork_waits_for_it(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that forks has the GIL then; once it waits, it may get it back late among busy threads."""
    rig, writing, told, write = Rig(store), threading.Event(), threading.Event(), store.write
    asked: list[float] = []

    def endless(batch: Any) -> None:
        if told.is_set():
            write(batch)
            return
        writing.set()
        assert told.wait(30)
        raise StoreLocked("interrupted")

    def interrupt(after_s: float = 0.0) -> None:
        asked.append(after_s)
        told.set()

    monkeypatch.setattr(store, "write", endless)
    monkeypatch.setattr(store, "interrupt", interrupt)
    rig.end()
    assert writing.wait(30)
    assert rig.writer.hold(30)
    assert asked[0] > 0
    assert not any(asked[1:])
    rig.writer.resume()
    assert rig.writer.stop(30)
    assert store.names() == ["s"]


def test_a_writer_that_cannot_be_held_in_time_goes_on(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rig, writing, free = Rig(store), threading.Event(), threading.Event()
    monkeypatch.setattr(store, "write", lambda batch: writing.set() or free.wait(30))
    rig.end()
    assert writing.wait(30)
    assert not rig.writer.hold(0.05)
    free.set()
    assert rig.writer.stop(30)


def test_each_batch_says_how_much_content_there_is_and_how_much_of_it_is_stored(rig: Rig) -> None:
    rig.end("small", "a", "b")
    rig.end("large", "c" * 50_000)
    assert rig.writer.flush(30)
    said = [(batch.contents_recorded, batch.contents_done) for batch in rig.store.batches]
    stored = [len(batch.contents) for batch in rig.store.batches]
    assert said[-1] == (3, 3)
    assert all(done == sum(stored[: number + 1]) for number, (_, done) in enumerate(said))
    assert said[0][1] < 3  # what is large comes after its span
