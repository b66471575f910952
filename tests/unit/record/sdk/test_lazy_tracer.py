"""Light spans: whatever is done to one is done as to the SDK's, and as much is stored."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider, sampling
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from otel_mas.config import Settings
from otel_mas.privacy.stored import Privacy
from otel_mas.record import Cause
from otel_mas.record.content.digest import Digester
from otel_mas.record.content.messages import MessageDigests
from otel_mas.record.content.state import StateDigests
from otel_mas.record.pipeline.batches import BatchBuilder
from otel_mas.record.pipeline.encode import SpanEncoder
from otel_mas.record.pipeline.queue import SpanQueue
from otel_mas.record.pipeline.span_data import SpanData
from otel_mas.record.recorder import Recorder
from otel_mas.record.sdk.lazy_span import interned
from otel_mas.record.sdk.lazy_tracer import LazySdkSpan, LazyTracer, lazy_tracer_of
from otel_mas.record.sdk.own_provider import OwnProvider
from otel_mas.record.sdk.processor import SCOPE, RecordingProcessor
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind

OTHER = SpanContext(11, 12, False, TraceFlags(1))
PARENT = SpanContext(21, 22, False, TraceFlags(3), TraceState([("vendor", "1")]))


class Recording:
    """A recorder over a provider of ours, its spans lazy or the SDK's."""

    def __init__(self, lazy: bool = True, provider: TracerProvider | None = None) -> None:
        self.queue = SpanQueue(1000, 10**7, wake=lambda: None)
        self.mirror = RecordingProcessor(self.queue, lambda _: True)
        self.provider = OwnProvider(Settings()) if provider is None else provider
        self.provider.add_span_processor(self.mirror)
        get: Any = getattr(self.provider, "own_tracer", self.provider.get_tracer)
        sdk = get(SCOPE)
        self.tracer = lazy_tracer_of(sdk, self.mirror) if lazy else sdk
        self.rec = Recorder()
        digests: Any = MessageDigests
        self.rec.connect(Settings(content="redacted"), self.queue, digests, lambda: self.tracer)

    def start(self, **given: Any) -> Any:
        given = {"name": "s", "attributes": {"a": 1}, "start_time": 5, "parent": under(PARENT), **given}
        return self.rec.start_span(given.pop("name"), dict(given.pop("attributes")), **given)

    def ended(self) -> list[SpanData]:
        return self.queue.drain(1000).ended


def under(context: SpanContext) -> Any:
    return trace.set_span_in_context(NonRecordingSpan(context))


def stored(recording: Recording) -> list[tuple[Any, ...]]:
    """What the store would get, but for the ids that are drawn at random."""
    rows = []
    for span in recording.ended():
        row = SpanEncoder(Privacy("redacted")).row(span)
        body = row.body.replace(row.span_id, b"01234567")
        rows.append((row.trace_id, row.parent_span_id, row.name, row.kind, row.start_ns, row.end_ns, row.status))
        rows.append((row.columns, row.links, body, row.sampled))
    return rows


def visible(span: Any) -> dict[str, Any]:
    """What a reader of the span sees."""
    return {
        "name": span.name,
        "kind": span.kind,
        "trace": span.context.trace_id,
        "flags": span.context.trace_flags,
        "state": dict(span.context.trace_state),
        "parent": span.parent,
        "times": (span.start_time, span.end_time),
        "status": (span.status.status_code, span.status.description),
        "attributes": dict(span.attributes),
        "events": [(event.name, dict(event.attributes), event.timestamp) for event in span.events],
        "links": [(link.context, dict(link.attributes)) for link in span.links],
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "scope": span.instrumentation_scope,
        "recording": span.is_recording() if hasattr(span, "is_recording") else None,
    }


KEYS = st.sampled_from(["a", "b", names.MAS_TASK_ID, names.MAS_CAUSE_SPANS, "", "long " * 20])
CLEAN = st.text(max_size=5) | st.integers() | st.booleans() | st.floats(allow_nan=False)
ANY = CLEAN | st.none() | st.lists(CLEAN, max_size=2) | st.binary(max_size=3) | st.dictionaries(KEYS, CLEAN, max_size=2)
OURS = st.dictionaries(KEYS.filter(bool), CLEAN | st.lists(st.text(max_size=4), max_size=2).map(tuple), max_size=4)
CONTEXTS = st.sampled_from([OTHER, PARENT, SpanContext(11, 13, True), trace.INVALID_SPAN_CONTEXT])
ERROR = ValueError("message text")
STEPS = st.one_of(
    st.tuples(st.just("set_attribute"), KEYS, ANY),
    st.tuples(st.just("set_attributes"), st.dictionaries(KEYS, ANY, max_size=3)),
    st.tuples(st.just("add_event"), st.text(max_size=3), st.dictionaries(KEYS, ANY, max_size=2), st.integers(0, 9)),
    st.tuples(st.just("add_link"), CONTEXTS, st.dictionaries(KEYS, ANY, max_size=2)),
    st.tuples(st.just("update_name"), st.text(max_size=5)),
    st.tuples(st.just("set_status"), st.sampled_from(list(StatusCode)), st.none() | st.text(max_size=3)),
    st.tuples(st.just("set_status"), st.just(Status(StatusCode.ERROR, "no"))),
    st.tuples(st.just("record_exception"), st.just(ERROR), st.none(), st.just(3)),
    st.tuples(st.just("end"), st.integers(6, 9)),
    st.tuples(st.just("say"), OURS),
    st.tuples(st.just("read")),
)


def take(recording: Recording, span: Any, step: tuple[Any, ...]) -> None:
    match step:
        case ("say", attributes):
            recording.rec.set_attributes(span, attributes)
        case ("read",):
            visible(span)
        case (method, *arguments):
            getattr(span, method)(*arguments)


@settings(max_examples=2 * settings().max_examples)
@given(
    attributes=OURS.map(lambda ours: {name: ours[name] for name in ours if name != names.MAS_CAUSE_SPANS}),
    causes=st.lists(st.sampled_from([Cause(OTHER, LinkKind.TRIGGER), Cause(PARENT, LinkKind.SEND)]), max_size=3),
    kind=st.sampled_from(list(SpanKind)),
    steps=st.lists(STEPS, max_size=8),
)
def test_both_kinds_of_span_do_and_store_the_same(attributes: Any, causes: Any, kind: Any, steps: Any) -> None:
    seen = []
    for lazy in (True, False):
        recording = Recording(lazy)
        span = recording.start(attributes=attributes, causes=causes, kind=kind)
        assert isinstance(span, LazySdkSpan) == lazy
        for step in steps:
            take(recording, span, step)
        if span.is_recording():
            span.end(10)
        read = visible(span)
        seen.append((stored(recording), read))
        assert visible(span) == read
    assert seen[0] == seen[1]


@settings(max_examples=settings().max_examples // 3)
@given(steps=st.lists(STEPS, max_size=4), causes=st.booleans())
def test_a_processor_that_is_added_later_gets_open_spans_as_any_other(steps: Any, causes: bool) -> None:
    seen = []
    for lazy in (True, False):
        recording = Recording(lazy)
        span = recording.start(causes=[Cause(OTHER, LinkKind.TRIGGER)] if causes else [])
        late = Late()
        recording.provider.add_span_processor(late)
        for step in steps:
            take(recording, span, step)
        if span.is_recording():
            span.end(10)
        ending, ended = late.ended
        assert isinstance(ending, SdkSpan)
        assert type(ended) is ReadableSpan
        seen.append((visible(ended), stored(recording)))
        assert type(recording.start()) is not LazySdkSpan
    assert seen[0] == seen[1]


class Late(SpanProcessor):
    def __init__(self) -> None:
        self.ended: list[Any] = []

    def _on_ending(self, span: Any) -> None:
        self.ended.append(span)

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)


def test_it_is_a_span_of_the_sdk_and_of_its_parents_trace() -> None:
    span = Recording().start()
    assert isinstance(span, SdkSpan)
    assert isinstance(span, ReadableSpan)
    assert span.context[0] == PARENT.trace_id
    assert span.context[3:] == PARENT[3:]
    assert span.parent is PARENT
    assert not span.context.is_remote
    assert span.context.is_valid
    assert trace.get_current_span(trace.set_span_in_context(span)) is span


@pytest.mark.parametrize("parent", [None, under(trace.INVALID_SPAN_CONTEXT), trace.INVALID_SPAN])
def test_a_root_is_as_the_sdk_makes_it_in_a_trace_of_its_own(parent: Any) -> None:
    seen = []
    for lazy in (True, False):
        recording = Recording(lazy)
        one, other = recording.start(parent=parent), recording.start(parent=parent)
        assert isinstance(one, LazySdkSpan) == lazy
        assert one.context.is_valid
        assert one.context.trace_id != other.context.trace_id
        one.end(10)
        read = visible(one)
        del read["trace"]
        (row,) = [SpanEncoder(Privacy("full")).row(span) for span in recording.ended()]
        seen.append((read, row.parent_span_id, row.body[10 + 18 :]))  # after the ids, which are drawn at random
    assert seen[0] == seen[1]


def test_children_of_a_lazy_span_start_under_it() -> None:
    recording = Recording()
    outer = recording.start()
    lazy = recording.start(parent=trace.set_span_in_context(outer))
    sdk: Any = recording.provider.get_tracer("app").start_span("app", trace.set_span_in_context(outer))
    assert lazy.parent == sdk.parent == outer.get_span_context()
    assert sdk.context.trace_flags == lazy.context.trace_flags
    with trace.use_span(outer, end_on_exit=True):
        assert recording.start(parent=None).parent == outer.get_span_context()
    assert not outer.is_recording()


@pytest.mark.parametrize(
    "parent",
    [
        SpanContext(21, 22, True, TraceFlags(1)),
        SpanContext(21, 22, False, TraceFlags(0)),
        SpanContext(21, 22, False, TraceFlags(5)),
    ],
    ids=["remote", "unsampled", "flags nobody knows"],
)
def test_a_span_that_needs_a_sampler_is_the_sdks(parent: SpanContext) -> None:
    span = Recording().start(parent=under(parent))
    assert isinstance(span, SdkSpan)
    assert not isinstance(span, LazySdkSpan)


class Ids(IdGenerator):
    def generate_span_id(self) -> int:
        return 1

    def generate_trace_id(self) -> int:
        return 1


@pytest.mark.parametrize(
    "provider",
    [
        lambda: TracerProvider(sampler=sampling.TraceIdRatioBased(1.0)),
        lambda: TracerProvider(span_limits=SpanLimits(max_span_attributes=5)),
        lambda: TracerProvider(span_limits=SpanLimits(max_attribute_length=5)),
        lambda: TracerProvider(id_generator=Ids()),
    ],
    ids=["sampler", "attribute count", "attribute length", "ids"],
)
def test_a_configured_provider_keeps_the_sdks_spans(provider: Callable[[], TracerProvider]) -> None:
    assert not isinstance(Recording(provider=provider()).tracer, LazyTracer)
    assert isinstance(Recording(provider=TracerProvider()).tracer, LazyTracer)


def test_a_processor_of_somebody_else_keeps_spans_the_sdks() -> None:
    provider = OwnProvider(Settings())
    provider.add_span_processor(Late())
    assert not isinstance(Recording(provider=provider).start(), LazySdkSpan)


def test_an_sdk_whose_spans_have_a_part_that_we_do_not_know_keeps_its_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    original = SdkSpan.__init__

    def newer(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self._novelty = 1

    monkeypatch.setattr(SdkSpan, "__init__", newer)
    assert not isinstance(Recording().tracer, LazyTracer)


def test_ending_twice_warns_as_the_sdk_does_and_stores_once(caplog: pytest.LogCaptureFixture) -> None:
    logged = []
    for lazy in (True, False):
        recording = Recording(lazy)
        span = recording.start()
        span.end()
        span.end()
        span.set_attribute("a", 2)
        span.add_event("late")
        logged.append([(record.name, record.getMessage()) for record in caplog.records])
        caplog.clear()
        assert len(recording.ended()) == 1
    assert logged[0] == logged[1] != []


def test_threads_that_end_it_at_once_end_it_once(caplog: pytest.LogCaptureFixture) -> None:
    recording = Recording()
    for _ in range(50):
        span, gate = recording.start(), threading.Barrier(4)

        def end(span: Any = span, gate: threading.Barrier = gate) -> None:
            gate.wait()
            span.end()

        threads = [threading.Thread(target=end) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(recording.ended()) == 50
    assert len(caplog.records) == 150


def test_threads_that_write_to_it_at_once_lose_nothing() -> None:
    recording = Recording()
    for _ in range(50):
        span, gate = recording.start(), threading.Barrier(4)

        def write(number: int, span: Any = span, gate: threading.Barrier = gate) -> None:
            gate.wait()
            span.add_event(str(number))
            span.set_attribute(f"k{number}", [number])
            recording.rec.set_attributes(span, {f"o{number}": number})

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(event.name for event in span.events) == ["0", "1", "2", "3"]
        assert span.attributes.keys() == {"a", *(f"{k}{n}" for n in range(4) for k in "ko")}


def test_many_attributes_of_the_app_obey_the_limit_of_the_sdk() -> None:
    seen = []
    for lazy in (True, False):
        recording = Recording(lazy)
        span = recording.start(causes=[Cause(OTHER, LinkKind.TRIGGER)])
        for number in range(200):
            span.set_attribute(f"k{number}", number)
        span.end(10)
        seen.append((stored(recording), sorted(span.attributes)))
    assert seen[0] == seen[1]


def test_an_exception_in_its_block_is_not_recorded_by_the_span() -> None:
    seen = []
    for lazy in (True, False):
        recording = Recording(lazy)
        span = recording.start()
        with pytest.raises(ValueError, match="x"), span:
            raise ValueError("x")
        seen.append((span.status.status_code, len(span.events), len(recording.ended())))
    assert seen[0] == seen[1]


def test_an_open_span_is_stored_as_it_is_and_not_materialized() -> None:
    recording = Recording()
    span = recording.start(attributes={names.MAS_TASK_NAME: "plan"})
    row = SpanEncoder(Privacy("full")).open_row(span.data())
    assert "plan" in row.columns.values()
    assert not span.materialized


@pytest.mark.parametrize("value", ["x" * 10_000, ("x" * 5_000,) * 2])
def test_large_attributes_of_the_app_are_weighed(value: Any) -> None:
    recording = Recording()
    span = recording.start()
    span.set_attribute("text", value)
    span.end()
    (data,) = recording.ended()
    assert 10_000 <= data.size < 12_000


def test_after_the_end_of_recording_it_is_not_queued() -> None:
    recording = Recording()
    span = recording.start()
    recording.queue.closed = True
    span.end()
    assert not recording.ended()
    assert not isinstance(recording.start(), LazySdkSpan)


def test_on_the_writers_thread_which_runs_finalizers_it_is_recorded() -> None:
    recording = Recording()
    recording.mirror.writer_thread = threading.get_ident()
    recording.start().end()
    assert len(recording.ended()) == 1


def test_no_attribute_is_made_up() -> None:
    span = Recording().start()
    with pytest.raises(AttributeError, match="nothing"):
        _ = span.nothing
    assert not span.materialized


class Said:
    """Messages that are texts."""

    def fingerprint(self, message: Any, /) -> object | None:
        return None

    def knows(self, value: Any, /) -> bool:
        return False

    def read(self, message: Any, /) -> tuple[str, list[dict[str, Any]]]:
        return "user", [{"type": "text", "content": message}]


def _look(span: Any) -> None:
    assert span.attributes


def _leave(span: Any) -> None:
    pass


@pytest.mark.parametrize("end", [True, False], ids=["ended", "open"])
@pytest.mark.parametrize(("before", "after"), [(_leave, _leave), (_look, _leave), (_leave, _look)])
def test_its_messages_reach_the_store_also_once_it_is_materialized(
    store: Any, before: Callable[[Any], None], after: Callable[[Any], None], end: bool
) -> None:
    recording = Recording()
    recording.rec._digests = MessageDigests(Digester(lambda: bytes(32)), lambda *_: True)
    span = recording.start()
    before(span)
    consumed = recording.rec.messages(span, "input", ["a", "b"], Said())
    produced = recording.rec.messages(span, "output", ["c"], Said())
    after(span)
    if end:
        span.end()
    builder = BatchBuilder(Privacy("none"), {}, StateDigests(Digester(lambda: bytes(32))))
    batch = builder.batch(recording.queue.drain(10), store)
    refs = {ref.direction: (ref.span_id, ref.digests.hex()) for ref in batch.message_refs}
    span_id = span.get_span_context().span_id.to_bytes(8, "big")
    assert refs == {0: (span_id, "".join(consumed)), 1: (span_id, "".join(produced))}


def test_a_waiting_span_is_few_objects_for_the_garbage_collector() -> None:
    recording = Recording()
    parent = recording.start()
    recording.ended()
    gc.collect()
    gc.disable()
    try:
        before, _, _ = gc.get_count()  # how many more objects of its kind were made than freed
        for number in range(100):
            recording.start(attributes={"step": number, "chosen": interned("a", "b")}, parent=parent).end()
        made = gc.get_count()[0] - before
    finally:
        gc.enable()
    assert made < 350  # the span, its context, its attributes; a fourth of each would not fit
