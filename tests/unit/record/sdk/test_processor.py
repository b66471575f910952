"""The span processor: any SDK provider's spans reach the queue, and nothing reaches the app."""

from __future__ import annotations

import inspect
import threading
from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from otel_mas.record import guard
from otel_mas.record.pipeline.queue import SpanQueue
from otel_mas.record.sdk.processor import RecordingProcessor, _weight


def recording() -> tuple[SpanQueue, RecordingProcessor, Any]:
    queue = SpanQueue(100, 10**6, wake=lambda: None)
    processor = RecordingProcessor(queue, lambda timeout: timeout > 1)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return queue, processor, provider


def test_it_has_every_method_of_the_sdks_processor() -> None:
    """It cannot inherit from it: the SDK is not loaded when it is registered."""
    for name, method in inspect.getmembers(SpanProcessor, inspect.isfunction):
        if not name.startswith("__"):
            ours = inspect.signature(getattr(RecordingProcessor, name)).parameters
            assert list(ours) == list(inspect.signature(method).parameters), name


def test_spans_are_queued_as_they_start_and_end() -> None:
    queue, _, provider = recording()
    with provider.get_tracer("t").start_as_current_span("outer"):
        with provider.get_tracer("t").start_as_current_span("inner"):
            pass
        drained = queue.drain(10)
        assert [span.name for span in drained.ended] == ["inner"]
        assert [span.name for span in drained.started] == ["outer"]
    assert [span.name for span in queue.drain(10).ended] == ["outer"]


def test_spans_of_the_writers_thread_are_not_recorded() -> None:
    queue, processor, provider = recording()
    processor.writer_thread = threading.get_ident()
    provider.get_tracer("t").start_span("INSERT").end()
    assert not len(queue)


def test_after_a_fork_the_parents_spans_are_the_parents() -> None:
    queue, processor, provider = recording()
    inherited = provider.get_tracer("t").start_span("inherited")
    queue.clear()
    processor.forked_ns = inherited.start_time + 1
    inherited.end()
    own = provider.get_tracer("t").start_span("own")
    backdated = provider.get_tracer("t").start_span("backdated", start_time=1)
    own.end()
    backdated.end()
    assert [span.name for span in queue.drain(10).ended] == ["own", "backdated"]


def test_a_closed_queue_takes_nothing() -> None:
    queue, _, provider = recording()
    queue.closed = True
    provider.get_tracer("t").start_span("s").end()
    assert not len(queue)


def test_an_error_does_not_reach_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, provider = recording()
    guard.set_strict(False)

    def fail(*_: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(SpanQueue, "start", fail)
    monkeypatch.setattr(SpanQueue, "end", fail)
    provider.get_tracer("t").start_span("s").end()


def test_a_flush_of_the_provider_is_a_flush_of_ours() -> None:
    _, _, provider = recording()
    assert provider.force_flush(5_000)
    assert not provider.force_flush(500)


def test_a_providers_shutdown_is_not_ours() -> None:
    queue, processor, provider = recording()
    provider.shutdown()
    other = TracerProvider(shutdown_on_exit=False)
    other.add_span_processor(processor)
    other.get_tracer("t").start_span("later").end()
    assert len(queue.drain(10).ended) == 1


@pytest.mark.parametrize(
    "value",
    ["x" * 10_000, b"x" * 10_000, ("x" * 5_000,) * 2, {"a": ["x" * 10_000]}, [[b"x" * 10_000]]],
)
@pytest.mark.parametrize("on", ["span", "event"])
def test_large_values_weigh_what_they_hold(value: Any, on: str) -> None:
    span: Any = TracerProvider().get_tracer("t").start_span("s", attributes={"v": value} if on == "span" else {"n": 1})
    if on == "event":
        span.add_event("e", {"v": value})
    assert 10_000 <= _weight(span) < 11_000
