"""Messages through queues on the critical path: their time in the queue, wherever sender and receiver are."""

from __future__ import annotations

from dataclasses import replace

from otel_mas.causal import CriticalPath, build
from otel_mas.causal.schedule import Faster, reschedule
from otel_mas.model import Resource, Span, SpanKind
from otel_mas.semconv import attributes as names
from tests.unit.causal.test_critical_path import Gather, Make

SENT, TAKEN = SpanKind.PRODUCER, SpanKind.CONSUMER


def shown(path: CriticalPath) -> list[tuple[str | None, int, int, str]]:
    return [(step.span and step.span.span_id, step.start_ns, step.end_ns, str(step.kind)) for step in path]


def of(process: str, *spans: Span) -> list[Span]:
    return [replace(span, resource=Resource({names.MAS_INSTANCE_ID: process})) for span in spans]


def test_work_that_a_request_left_in_a_queue_follows_the_request(span: Make, traces: Gather) -> None:
    """The consumer is a child of the producer, as OpenTelemetry's instrumentation has it, and outlasts the request."""
    graph = build(
        traces(
            span("request", 0, 30),
            span("publish", 10, 20, "request", kind=SENT),
            span("take", 100, 200, "publish", kind=TAKEN, causes=[("message", "publish")]),
            span("work", 120, 190, "take"),
        )
    )
    path = graph.critical_path()
    assert shown(path) == [
        ("request", 0, 10, "span"),
        ("publish", 10, 20, "span"),
        ("publish", 20, 100, "waiting in queue"),
        ("take", 100, 120, "span"),
        ("work", 120, 190, "span"),
        ("take", 190, 200, "span"),
    ]
    assert path.total_ns == 200 == reschedule(graph).total_ns


def test_the_words_name_the_queue_and_the_time_in_it(span: Make, traces: Gather) -> None:
    second = 10**9
    publish = span("publish", 0, second, kind=SENT)
    take = span("take", 3 * second, 4 * second, "publish", kind=TAKEN, causes=[("message", "publish")])
    take = replace(take, columns={names.MESSAGING_DESTINATION_NAME: "jobs"})
    assert [step.why for step in build(traces(publish, take)).critical_path()] == [
        "publish sent the message that was received by take",
        "take took the message after 2.0 s in queue jobs",
        "",
    ]


def test_a_request_that_waits_for_the_answer_goes_by_the_worker_and_both_queues(span: Make, traces: Gather) -> None:
    """The answer arrives in a callback, below the worker's span in the tree; the process that had asked goes on."""
    here = of(
        "web",
        span("request", 0, 300),
        span("ask", 10, 20, "request", kind=SENT),
        span("hear", 260, 270, "answer", kind=TAKEN, causes=[("message", "answer")]),
    )
    there = of(
        "worker",
        span("take", 100, 280, "ask", kind=TAKEN, causes=[("message", "ask")]),
        span("work", 110, 200, "take"),
        span("answer", 210, 220, "take", kind=SENT),
    )
    assert shown(build(traces(*here, *there)).critical_path()) == [
        ("request", 0, 10, "span"),
        ("ask", 10, 20, "span"),
        ("ask", 20, 100, "waiting in queue"),
        ("take", 100, 110, "span"),
        ("work", 110, 200, "span"),
        ("take", 200, 210, "span"),
        ("answer", 210, 220, "span"),
        ("answer", 220, 260, "waiting in queue"),
        ("hear", 260, 270, "span"),
        ("request", 270, 300, "span"),
    ]


def test_a_message_that_lay_there_while_its_receiver_was_busy_is_not_waited_for(span: Make, traces: Gather) -> None:
    path = build(
        traces(
            span("sender", 0, 20),
            span("publish", 10, 20, "sender", kind=SENT),
            span("loop", 5, 100),
            span("busy", 30, 80, "loop"),
            span("take", 85, 95, "loop", kind=TAKEN, causes=[("message", "publish")]),
        )
    ).critical_path()
    assert "waiting in queue" not in {step.kind for step in path}


def test_a_batch_waits_for_the_message_that_was_sent_last(span: Make, traces: Gather) -> None:
    path = build(
        traces(
            span("sender", 0, 40),
            span("first", 10, 15, "sender", kind=SENT),
            span("second", 30, 35, "sender", kind=SENT),
            span("take", 50, 60, kind=TAKEN, causes=[("message", "first"), ("message", "second")]),
        )
    ).critical_path()
    assert ("second", 35, 50, "waiting in queue") in shown(path)


def test_a_message_sent_again_and_again_between_two_services_ends_at_its_first_sender(
    span: Make, traces: Gather
) -> None:
    spans, sent = [span("start", 0, 5), span("s0", 1, 2, "start", kind=SENT)], "s0"
    for hop in range(1, 200):
        at = hop * 10
        spans.append(span(f"r{hop}", at, at + 6, sent, kind=TAKEN, causes=[("message", sent)]))
        sent = f"s{hop}"
        spans.append(span(sent, at + 4, at + 5, f"r{hop}", kind=SENT))
    path = build(traces(*spans)).critical_path()
    assert [step.kind for step in path].count("waiting in queue") == 199
    assert path.total_ns == 1996


def test_clocks_that_differ_cost_the_queue_its_time_and_nothing_else(span: Make, traces: Gather) -> None:
    """The receiver's clock is behind: it took the message before it was sent."""
    path = build(
        traces(
            span("publish", 50, 60, kind=SENT),
            span("take", 40, 90, "publish", kind=TAKEN, causes=[("message", "publish")]),
        )
    ).critical_path()
    assert path.total_ns == 50
    assert sum(step.duration_ns for step in path) == 50


def test_a_receiver_that_works_faster_ends_the_run_sooner(span: Make, traces: Gather) -> None:
    graph = build(
        traces(
            span("publish", 0, 10, kind=SENT),
            span("take", 50, 150, "publish", kind=TAKEN, causes=[("message", "publish")]),
        )
    )
    assert reschedule(graph, [Faster("take", 2)]).total_ns == 100


def test_a_run_after_a_poll_is_beside_the_receipt_that_it_is_a_child_of(span: Make, traces: Gather) -> None:
    path = build(
        traces(
            span("publish", 0, 10, kind=SENT),
            span("take", 50, 52, "publish", kind=TAKEN, causes=[("message", "publish")]),
            span("run", 60, 100, "take", causes=[("message", "take")]),
        )
    ).critical_path()
    assert shown(path) == [
        ("publish", 0, 10, "span"),
        ("publish", 10, 50, "waiting in queue"),
        ("take", 50, 52, "span"),
        (None, 52, 60, "framework"),
        ("run", 60, 100, "span"),
    ]
