"""Messages and other content of a run."""

from __future__ import annotations

from otel_mas.analyse.content import RunContent, refs_of
from otel_mas.model import Message, MessageRef, Span
from otel_mas.semconv import attributes as names


def test_spans_themselves_say_what_they_read_where_the_source_keeps_no_messages() -> None:
    span = Span(
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_span_id=None,
        name="chat",
        start_ns=0,
        end_ns=1,
        columns={
            names.MAS_RECORD_KIND: "LLM_CALL",
            names.MAS_INPUT_MESSAGES: ("one", "two"),
            names.MAS_OUTPUT_MESSAGES: ("three",),
        },
    )
    assert [(ref.direction, ref.position, ref.digest) for ref in refs_of([span])] == [
        ("input", 0, "one"),
        ("input", 1, "two"),
        ("output", 0, "three"),
    ]


def test_messages_of_a_span_come_in_order_and_those_that_were_not_kept_have_no_body() -> None:
    span = Span(trace_id="t", span_id="s", parent_span_id=None, name="chat", start_ns=0, end_ns=1)
    kept = Message("one", "user", {"role": "user", "parts": []})
    refs = [
        MessageRef("t", "s", "input", 1, "two"),
        MessageRef("t", "s", "input", 0, "one"),
        MessageRef("t", "s", "output", 0, "three"),
        MessageRef("u", "s", "input", 0, "of another trace"),
    ]
    content = RunContent.gathered(refs, {"one": kept}, (), kept=True)
    assert content.messages_of(span, "input") == (kept, Message("two", "", None))
    assert content.messages_of(span, "output") == (Message("three", "", None),)
