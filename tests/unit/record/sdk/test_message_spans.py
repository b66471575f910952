"""Producer and consumer spans of other instrumentation are recorded as messages, by their kinds and ids alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags, set_span_in_context

from otel_mas.record.pipeline.queue import SpanQueue
from otel_mas.record.sdk.message_spans import pulled
from otel_mas.record.sdk.processor import SCOPE, RecordingProcessor
from otel_mas.semconv import attributes as names

PRODUCER = SpanContext(5, 7, is_remote=True, trace_flags=TraceFlags(1))
OTHER = SpanContext(6, 8, is_remote=True, trace_flags=TraceFlags(1))


@pytest.fixture
def provider() -> Iterator[TracerProvider]:
    provider = TracerProvider()
    provider.add_span_processor(RecordingProcessor(SpanQueue(100, 10**6, wake=lambda: None), lambda _: True))
    yield provider
    provider.shutdown()


def started(provider: TracerProvider, kind: SpanKind, *links: SpanContext, scope: str = "pika", **more: object) -> Span:
    tracer = provider.get_tracer(scope)
    span = tracer.start_span("jobs", kind=kind, links=[Link(one) for one in links], **more)  # type: ignore[arg-type]
    assert isinstance(span, Span)
    span.end()
    return span


def attributes(span: Span) -> dict[str, object]:
    return {name.removeprefix("mas."): value for name, value in (span.attributes or {}).items()}


def test_a_publish_is_sent_under_the_id_of_its_span(provider: TracerProvider) -> None:
    span = started(provider, SpanKind.PRODUCER)
    assert attributes(span) == {"record.kind": "SEND", "message.id": f"{span.context.span_id:016x}"}


def test_a_delivery_is_received_because_of_the_span_that_published_it(provider: TracerProvider) -> None:
    span = started(provider, SpanKind.CONSUMER, context=set_span_in_context(NonRecordingSpan(PRODUCER)))
    assert attributes(span) == {
        "record.kind": "RECEIVE",
        "message.id": f"{7:016x}",
        "cause.spans": (f"{5:032x}-{7:016x}",),
        "cause.kinds": ("message",),
    }


def test_a_batch_is_received_because_of_each_of_its_messages(provider: TracerProvider) -> None:
    span = started(provider, SpanKind.CONSUMER, PRODUCER, OTHER, PRODUCER)
    assert attributes(span) == {
        "record.kind": "RECEIVE",
        "cause.spans": (f"{5:032x}-{7:016x}", f"{6:032x}-{8:016x}"),
        "cause.kinds": ("message", "message"),
    }


def test_a_consumer_span_that_names_no_producer_is_no_receipt(provider: TracerProvider) -> None:
    """As the poll that found a batch, around the spans of its messages."""
    assert not attributes(started(provider, SpanKind.CONSUMER))
    with provider.get_tracer("app").start_as_current_span("loop"):
        assert not attributes(started(provider, SpanKind.CONSUMER))


@pytest.mark.parametrize("kind", [SpanKind.CLIENT, SpanKind.SERVER, SpanKind.INTERNAL])
def test_other_kinds_of_spans_are_left_alone(provider: TracerProvider, kind: SpanKind) -> None:
    assert not attributes(started(provider, kind, PRODUCER))


def test_our_own_marks_say_it_themselves(provider: TracerProvider) -> None:
    assert names.MAS_MESSAGE_ID not in (started(provider, SpanKind.PRODUCER, scope=SCOPE).attributes or {})


KAFKA = "opentelemetry.instrumentation.aiokafka"


def test_a_message_that_was_pulled_is_at_hand_until_the_next_one_is(provider: TracerProvider) -> None:
    producer = set_span_in_context(NonRecordingSpan(PRODUCER))
    one = started(provider, SpanKind.CONSUMER, scope=KAFKA, context=producer)
    assert pulled() == (one.context,)
    with provider.get_tracer("app").start_as_current_span("work"):
        assert pulled() == ()  # it has a parent
    started(provider, SpanKind.CONSUMER, scope=KAFKA)  # of someone who traces nothing
    assert pulled() == ()


def test_a_batch_that_was_pulled_has_all_of_its_messages(provider: TracerProvider) -> None:
    producer = set_span_in_context(NonRecordingSpan(PRODUCER))
    with provider.get_tracer(KAFKA).start_as_current_span("poll", kind=SpanKind.CONSUMER):
        both = [started(provider, SpanKind.CONSUMER, scope=KAFKA, context=producer) for _ in range(2)]
    assert pulled() == tuple(span.context for span in both)
    started(provider, SpanKind.CONSUMER, scope=KAFKA)


def test_a_delivery_to_a_callback_is_over_with_its_span(provider: TracerProvider) -> None:
    started(provider, SpanKind.CONSUMER, context=set_span_in_context(NonRecordingSpan(PRODUCER)))
    assert pulled() == ()
