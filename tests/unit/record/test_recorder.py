"""The recorder: what instrumentation says about a span, and where it ends up."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, SpanContext, StatusCode, TraceFlags

from otel_mas.config import Settings
from otel_mas.record import Cause, Recorder, guard, recorder
from otel_mas.record.content.digest import Digester
from otel_mas.record.content.messages import MAX_MESSAGES, MessageDigests
from otel_mas.record.pipeline.queue import Changes, Content, MessageRefs, SpanQueue
from otel_mas.record.recorder import _set_texts
from otel_mas.record.sdk.processor import RecordingProcessor
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind

OTHER = SpanContext(11, 12, False, TraceFlags(1))


class Text:
    def fingerprint(self, message: Any, /) -> object | None:
        return None

    def read(self, message: Any, /) -> tuple[str, list[dict[str, Any]]]:
        return "user", [{"type": "text", "content": message}]


class Recorded:
    def __init__(self, **settings: Any) -> None:
        self.queue = SpanQueue(100, 10**6, wake=lambda: None)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(RecordingProcessor(self.queue, lambda _: True))
        tracer = provider.get_tracer("t")
        self.rec = Recorder()
        digests = MessageDigests(Digester(lambda: bytes(32)), lambda *_: True)
        self.rec.connect(Settings(**{"content": "redacted", **settings}), self.queue, digests, lambda: tracer)

    def row_parts(self) -> list[Any]:
        return self.queue.drain(100).row_parts

    def contents(self) -> dict[str, Any]:
        waiting = iter(self.queue.next_content, None)
        return {item.name: item.value for item in waiting if isinstance(item, Content)}


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    guard.set_strict(True)
    yield
    guard.set_strict(False)


def test_each_cause_is_a_link_and_an_entry_of_the_arrays() -> None:
    recorded = Recorded()
    causes = [Cause(OTHER, LinkKind.TRIGGER), Cause(SpanContext(11, 13, False), LinkKind.RESUME)]
    given = {"a": 1}
    span: Any = recorded.rec.start_span("s", given, causes=causes)
    span.end()
    assert [(link.context, link.attributes[names.MAS_LINK_KIND]) for link in span.links] == [tuple(c) for c in causes]
    assert span.attributes[names.MAS_CAUSE_SPANS] == (f"{11:032x}-{12:016x}", f"{11:032x}-{13:016x}")
    assert span.attributes[names.MAS_CAUSE_KINDS] == ("trigger", "resume")
    assert given == {"a": 1}
    assert recorded.queue.drain(1).ended[0].causes == tuple(causes)


def test_a_span_starts_under_the_given_parent() -> None:
    rec = Recorded().rec
    parent = rec.start_span("parent", {})
    child: Any = rec.start_span("child", {}, parent=trace.set_span_in_context(parent), start_time=7)
    assert child.parent == parent.get_span_context()
    assert child.start_time == 7
    root: Any = rec.start_span("root", {})
    assert root.parent is None


def test_off_means_off() -> None:
    rec = Recorder()
    span = rec.start_span("s", {}, causes=[Cause(OTHER, LinkKind.SEND)])
    assert span is INVALID_SPAN
    rec.content(span, "n", 1)
    rec.record_exception(span, ValueError())
    assert rec.messages(span, "input", ["hi"], Text()) == ()
    assert not rec.active


def test_of_many_messages_the_newest_are_recorded_and_the_others_counted() -> None:
    recorded = Recorded()
    span: Any = recorded.rec.start_span("s", {})
    messages = [f"turn {number}" for number in range(MAX_MESSAGES + 7)]
    digests = recorded.rec.messages(span, "input", messages, Text())
    recorded.rec.state(span, {"messages": messages}, Text())
    span.end()
    assert digests == recorded.rec.messages(recorded.rec.start_span("t", {}), "input", messages[7:], Text())
    assert span.attributes[names.MAS_INPUT_MESSAGES] == digests
    assert span.attributes[names.MAS_INPUT_OMITTED_MESSAGES] == 7
    [changes] = [one for one in recorded.row_parts() if isinstance(one, Changes)]
    assert changes.values == (f"size:{MAX_MESSAGES + 7}",)


def test_an_exception_is_on_the_span_and_its_text_is_content() -> None:
    recorded = Recorded()
    span: Any = recorded.rec.start_span("s", {})
    try:
        raise LookupError("what the user said")
    except LookupError as error:
        recorded.rec.record_exception(span, error)
    span.end()
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None
    assert span.attributes[names.ERROR_TYPE] == "LookupError"
    assert [dict(event.attributes) for event in span.events] == [{names.EXCEPTION_TYPE: "LookupError"}]
    contents = recorded.contents()
    assert contents[names.EXCEPTION_MESSAGE] == "what the user said"
    assert "raise LookupError" in contents[names.EXCEPTION_STACKTRACE]


def test_the_text_of_an_exception_is_on_the_span_only_if_asked_for() -> None:
    recorded = Recorded(capture_message_content="SPAN_ONLY")
    span: Any = recorded.rec.start_span("s", {})
    recorded.rec.record_exception(span, ValueError("words"))
    assert span.events[0].attributes[names.EXCEPTION_MESSAGE] == "words"


def test_an_exception_is_recorded_once() -> None:
    rec = Recorded().rec
    outer: Any = rec.start_span("outer", {})
    inner: Any = rec.start_span("inner", {}, parent=trace.set_span_in_context(outer))
    error = ValueError("boom")
    rec.record_exception(inner, error)
    rec.record_exception(outer, error)
    assert outer.status.status_code is StatusCode.UNSET
    assert not outer.events
    context = inner.get_span_context()
    assert outer.attributes[names.MAS_ERROR_SPAN] == f"{context.trace_id:032x}-{context.span_id:016x}"


def test_the_same_exception_in_a_retry_or_another_trace_is_another_error() -> None:
    rec = Recorded().rec
    outer = rec.start_span("outer", {})
    inside = trace.set_span_in_context(outer)
    error = ValueError("a constant")
    first: Any = rec.start_span("attempt", {}, parent=inside, start_time=100)
    rec.record_exception(first, error)
    second: Any = rec.start_span("attempt", {}, parent=inside, start_time=200)
    rec.record_exception(second, error)
    elsewhere: Any = rec.start_span("elsewhere", {}, start_time=1)
    rec.record_exception(elsewhere, error)
    assert [s.status.status_code for s in (first, second, elsewhere)] == [StatusCode.ERROR] * 3


def test_the_same_exception_in_siblings_is_an_error_of_each_and_names_its_origin_above() -> None:
    rec = Recorded().rec
    run: Any = rec.start_span("run", {}, start_time=1)
    left: Any = rec.start_span("left", {}, parent=trace.set_span_in_context(run), start_time=2)
    right: Any = rec.start_span("right", {}, parent=trace.set_span_in_context(run), start_time=3)
    tool: Any = rec.start_span("tool", {}, parent=trace.set_span_in_context(right), start_time=4)
    error = ValueError("a constant")
    for span in (tool, right, left, run):
        rec.record_exception(span, error)
    assert [s.status.status_code for s in (tool, left)] == [StatusCode.ERROR] * 2
    assert [s.status.status_code for s in (right, run)] == [StatusCode.UNSET] * 2
    happened = {s: s.attributes[names.MAS_ERROR_SPAN].split("-")[1] for s in (right, run)}
    assert happened == {
        right: f"{tool.get_span_context().span_id:016x}",
        run: f"{left.get_span_context().span_id:016x}",
    }


def test_an_exception_that_was_recorded_can_be_unpickled_where_nothing_of_ours_is() -> None:
    rec = Recorded().rec
    error = ValueError("boom")
    rec.record_exception(rec.start_span("span", {}), error)
    assert vars(error)
    assert b"otel_mas." not in pickle.dumps(error)


def test_an_exception_that_cannot_describe_itself_is_recorded() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    recorded = Recorded()
    span: Any = recorded.rec.start_span("s", {})
    recorded.rec.record_exception(span, Mute())
    assert span.status.status_code is StatusCode.ERROR


def test_content_is_taken_as_it_is_now() -> None:
    recorded = Recorded()
    span = recorded.rec.start_span("s", {})
    value = {"list": [1]}
    recorded.rec.content(span, "n", value)
    value["list"].append(2)
    assert recorded.contents() == {"n": {"list": [1]}}


def test_without_content_none_is_queued_and_messages_keep_their_digests() -> None:
    recorded = Recorded(content="none")
    span: Any = recorded.rec.start_span("s", {})
    recorded.rec.content(span, "n", "said")
    recorded.rec.record_exception(span, ValueError("said"))
    digests = recorded.rec.messages(span, "input", ["said"], Text())
    assert len(digests) == 1
    assert [type(item) for item in recorded.row_parts()] == [MessageRefs]


def test_messages_are_attributes_and_references_by_digest() -> None:
    recorded = Recorded()
    span: Any = recorded.rec.start_span("s", {})
    consumed = recorded.rec.messages(span, "input", ["a", "b", "a"], Text())
    produced = recorded.rec.messages(span, "output", ["c"], Text())
    assert consumed[0] == consumed[2] != consumed[1]
    assert span.attributes[names.MAS_INPUT_MESSAGES] == consumed
    assert span.attributes[names.MAS_OUTPUT_MESSAGES] == produced
    key = tuple(span.get_span_context()[:2])
    assert [tuple(item)[:3] for item in recorded.row_parts()] == [(key, 0, consumed), (key, 1, produced)]


@pytest.mark.parametrize(
    "limits", [{}, {"max_span_attributes": 1}, {"max_span_attributes": 0}, {"max_attribute_length": 5}]
)
def test_digests_on_the_span_obey_the_limits_of_the_sdk(limits: dict[str, int]) -> None:
    span: Any = TracerProvider(span_limits=SpanLimits(**limits)).get_tracer("t").start_span("s", attributes={"a": 1})
    _set_texts(span, "texts", ("x" * 32, "y"))
    expected: Any = (
        TracerProvider(span_limits=SpanLimits(**limits)).get_tracer("t").start_span("s", attributes={"a": 1})
    )
    expected.set_attribute("texts", ("x" * 32, "y"))
    assert dict(span.attributes) == dict(expected.attributes)
    assert span.dropped_attributes == expected.dropped_attributes
    span.end()
    _set_texts(span, "late", ("z",))
    assert "late" not in span.attributes


def test_spans_that_do_not_record_cost_nothing() -> None:
    class Untouchable(Text):
        def read(self, message: Any, /) -> tuple[str, list[dict[str, Any]]]:
            raise AssertionError("content work for a span that does not record")

    recorded = Recorded()
    span = NonRecordingSpan(OTHER)
    recorded.rec.content(span, "n", 1)
    recorded.rec.record_exception(span, ValueError())
    assert recorded.rec.messages(span, "input", ["a"], Untouchable()) == ()
    assert not recorded.row_parts()
    assert not recorded.contents()


def test_an_error_inside_never_reaches_the_app() -> None:
    class Broken(Text):
        def read(self, message: Any, /) -> tuple[str, list[dict[str, Any]]]:
            raise RuntimeError("ours")

    guard.set_strict(False)
    recorded = Recorded()
    span = recorded.rec.start_span("s", {})
    assert recorded.rec.messages(span, "input", ["a"], Broken()) == ()
    recorded.rec._tracer = lambda: 1 / 0  # type: ignore[assignment, return-value]
    assert recorded.rec.start_span("s", {}) is INVALID_SPAN


def test_there_is_one_recorder() -> None:
    assert recorder() is recorder()
