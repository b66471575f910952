"""The hand-written encoder against the SDK's own, and what it adds: all causes, redaction, columns."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from otel_mas.privacy.stored import RANDOM_IDS, Privacy
from otel_mas.record import Cause
from otel_mas.record.pipeline.encode import SpanEncoder
from otel_mas.record.pipeline.span_data import SpanData
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import LinkKind
from otel_mas.store.columns import COLUMNS, POSITION

pytestmark = pytest.mark.slow

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAME = TEXT.filter(bool)
ATOM = (
    TEXT
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=True)
    | st.binary(max_size=20)
    | st.none()
    | st.sampled_from([0, 1, True, False, 0.0, -0.0, 1.0, "", "a", 127, 128, -1, 2**63 - 1, -(2**63)])
)
VALUE = st.recursive(
    ATOM, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAME, inner, max_size=4), max_leaves=8
)
ATTRIBUTES = st.dictionaries(NAME, VALUE, max_size=8)
STATES = st.sampled_from([TraceState(), TraceState([("vendor", "1")]), TraceState([("a", "b"), ("c", "d")])])
CONTEXTS = st.builds(
    SpanContext,
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    st.booleans(),
    st.sampled_from([TraceFlags(0), TraceFlags(1), TraceFlags(3)]),
    STATES,
)
STATUSES = st.builds(Status, st.sampled_from(list(StatusCode)), TEXT | st.none()).map(
    lambda status: status if status.status_code is StatusCode.ERROR else Status(status.status_code)
)
TIMES = st.integers(0, 2**63)
data = SpanData.of_sdk
ENCODER = SpanEncoder(Privacy("full"))  # one for all examples: what it remembers must not leak from one to the next


DIGEST = st.text("0123456789abcdef", min_size=32, max_size=32)
DRAWN_VALUE = (
    TEXT
    | st.text("ab", min_size=120, max_size=140)
    | DIGEST
    | st.integers()
    | st.floats()
    | st.lists(DIGEST, max_size=12).map(tuple)
    | st.lists(TEXT, max_size=3).map(tuple)
)


class FixedIds(IdGenerator):
    """Ids are drawn by hypothesis, and set afterwards."""

    def generate_span_id(self) -> int:
        return 1

    def generate_trace_id(self) -> int:
        return 1


@st.composite
def spans(draw: st.DrawFn) -> ReadableSpan:
    limits = SpanLimits(max_span_attributes=6, max_links=3, max_events=2, max_event_attributes=2, max_link_attributes=2)
    tracer = TracerProvider(span_limits=limits, id_generator=FixedIds()).get_tracer("t")
    links = [Link(draw(CONTEXTS), draw(ATTRIBUTES)) for _ in range(draw(st.integers(0, 4)))]
    span: Any = tracer.start_span(
        draw(TEXT),
        kind=draw(st.sampled_from(list(SpanKind))),
        attributes=draw(ATTRIBUTES),
        links=links,
        start_time=draw(TIMES),
    )
    span._context = draw(CONTEXTS)
    span._parent = draw(st.none() | CONTEXTS)
    for _ in range(draw(st.integers(0, 3))):
        span.add_event(draw(TEXT), draw(ATTRIBUTES), draw(TIMES))
    span._status = draw(STATUSES)
    span.end(draw(TIMES))
    readable: ReadableSpan = span._readable_span()
    return readable


def stock(span: ReadableSpan) -> trace_pb2.Span:
    return encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]


def parsed(body: bytes) -> trace_pb2.Span:
    return trace_pb2.Span.FromString(body)


@given(spans())
def test_a_span_is_the_message_that_the_stock_encoder_makes(span: ReadableSpan) -> None:
    ours, theirs = parsed(ENCODER.row(data(span)).body), stock(span)
    assert span.context is not None
    assert ours.flags & 0xFF == span.context.trace_flags
    ours.flags &= ~0xFF
    for link, message in zip(span.links, ours.links, strict=True):
        assert message.trace_state == ",".join(f"{key}={value}" for key, value in link.context.trace_state.items())
        assert message.flags & 0xFF == link.context.trace_flags
        message.trace_state, message.flags = "", message.flags & ~0xFF
    # Bytes, since a NaN is not equal to itself.
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


@given(st.lists(st.tuples(st.sampled_from(sorted(RANDOM_IDS)), DRAWN_VALUE), min_size=2, max_size=12))
def test_an_id_or_digest_is_stored_the_same_whatever_came_before(pairs: list[tuple[str, Any]]) -> None:
    """Only what comes before such a value is remembered, by its length."""
    one = SpanEncoder(Privacy("redacted"))
    for name, value in pairs:
        span = ended({name: value})
        row, alone = one.row(data(span)), SpanEncoder(Privacy("redacted")).row(data(span))
        assert (row.body, repr(row.columns)) == (alone.body, repr(alone.columns))
        if len(value if isinstance(value, str) else "") <= 128:  # longer ones are redacted
            assert parsed(ENCODER.row(data(span)).body).attributes == stock(span).attributes or value != value


@given(st.lists(st.builds(Cause, CONTEXTS, st.sampled_from(LinkKind)), min_size=1, max_size=4))
def test_a_cause_is_a_link_with_the_context_of_the_cause(many: list[Cause]) -> None:
    links = parsed(ENCODER.row(data(ended(), many)).body).links
    for (context, kind), link in zip(many, links, strict=True):
        assert (link.trace_id, link.span_id) == (context.trace_id.to_bytes(16), context.span_id.to_bytes(8))
        assert [(pair.key, pair.value.string_value) for pair in link.attributes] == [(names.MAS_LINK_KIND, kind)]
        assert link.flags == (0x300 if context.is_remote else 0x100) | context.trace_flags
        assert link.trace_state == ",".join(f"{key}={value}" for key, value in context.trace_state.items())


@pytest.mark.parametrize(
    ("first", "second"), [(1, True), (True, 1), (1, 1.0), (0.0, -0.0), (0, False), ((1,), (True,)), ("1", 1)]
)
def test_equal_values_of_different_types_stay_different(first: Any, second: Any) -> None:
    encoder = SpanEncoder(Privacy("full"))
    tracer = TracerProvider().get_tracer("t")
    for value in (first, second, first):
        span: Any = tracer.start_span("s", attributes={"k": value})
        span.end()
        assert parsed(encoder.row(data(span)).body).attributes == stock(span).attributes


def ended(attributes: dict[str, Any] | None = None, **limits: int) -> Any:
    span: Any = TracerProvider(span_limits=SpanLimits(**limits)).get_tracer("t").start_span("s", attributes=attributes)
    span.end()
    return span


def causes(count: int) -> tuple[Cause, ...]:
    return tuple(Cause(SpanContext(7, number + 1, False, TraceFlags(1)), LinkKind.SEND) for number in range(count))


def started_because(many: tuple[Cause, ...], extra: int = 0, **limits: int) -> Any:
    links = [Link(cause.context, {names.MAS_LINK_KIND: cause.kind}) for cause in many]
    links += [Link(SpanContext(9, number + 1, True), {"app": "own"}) for number in range(extra)]
    attributes = {
        names.MAS_CAUSE_SPANS: [f"{c.context.trace_id:032x}-{c.context.span_id:016x}" for c in many],
        names.MAS_CAUSE_KINDS: [c.kind for c in many],
        "app": 1,
    }
    provider = TracerProvider(span_limits=SpanLimits(**limits))
    span: Any = provider.get_tracer("t").start_span("s", attributes=attributes, links=links)
    span.end()
    return span


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"max_links": 5},
        {"max_links": 0},
        {"max_span_attributes": 1},
        {"max_attribute_length": 3},
        {"max_link_attributes": 0},
    ],
)
def test_all_causes_are_stored_whatever_the_limits_of_the_sdk(limits: dict[str, int]) -> None:
    many = causes(300)
    row = SpanEncoder(Privacy("redacted")).row(data(started_because(many, extra=2, **limits), many))
    expected = [(bytes(15) + b"\x07", (n + 1).to_bytes(8, "big"), "send") for n in range(300)]
    assert list(row.links[:300]) == expected
    message = parsed(row.body)
    assert [(link.trace_id, link.span_id) for link in message.links[:300]] == [link[:2] for link in expected]
    assert {link.attributes[0].value.string_value for link in message.links[:300]} == {"send"}
    arrays = {pair.key: pair.value.array_value.values for pair in message.attributes}
    assert [v.string_value for v in arrays[names.MAS_CAUSE_SPANS]] == [f"{7:032x}-{n + 1:016x}" for n in range(300)]
    assert [v.string_value for v in arrays[names.MAS_CAUSE_KINDS]] == ["send"] * 300
    kept_foreign = min(2, limits.get("max_links", 128))
    assert len(row.links) == 300 + kept_foreign
    assert message.dropped_links_count == 2 - kept_foreign
    assert message.dropped_attributes_count == 0


def test_links_of_the_app_are_kept_with_the_causes() -> None:
    many = causes(2)
    row = SpanEncoder(Privacy("redacted")).row(data(started_because(many, extra=3), many))
    assert [kind for _, _, kind in row.links] == ["send", "send", None, None, None]


def test_columns_hold_what_sqlite_can_bind() -> None:
    span = ended(
        {
            names.MAS_TASK_STEP: 3,
            names.MAS_COST_SIMULATED: True,
            names.MAS_COST_USD: 0.25,
            names.MAS_CAUSE_REFS: ("trigger|c|x",),
            names.GEN_AI_AGENT_NAME: ("not", "text"),
            names.MAS_TASK_NAME: "lone \ud800",
            names.GEN_AI_USAGE_INPUT_TOKENS: 2**70,
        }
    )
    row = SpanEncoder(Privacy("redacted")).row(data(span))
    found = {COLUMNS[place].attribute: value for place, value in row.columns.items()}
    assert found == {
        names.MAS_TASK_STEP: 3,
        names.MAS_COST_SIMULATED: 1,
        names.MAS_COST_USD: 0.25,
        names.MAS_CAUSE_REFS: '["trigger|c|x"]',
        names.GEN_AI_AGENT_NAME: '["not","text"]',
        names.MAS_TASK_NAME: "lone ?",
    }
    assert parsed(row.body).attributes[-1].value.string_value == "lone ?"


SECRET = "sk-proj-0123456789abcdefghijABCD"


def with_secrets_everywhere() -> Any:
    tracer = TracerProvider().get_tracer("t")
    link = Link(SpanContext(1, 2, False), {"api_key": "hunter2", "note": f"Bearer {SECRET}"})
    span: Any = tracer.start_span(f"get {SECRET}", links=[link])
    span.set_attributes(
        {
            "password": "hunter2",
            "pin.secret": 1234,
            "note": f"key {SECRET}",
            "raw": SECRET.encode(),
            "nested": [{"password": "hunter2"}, {"b": b"x", "token": "hunter2"}],
            names.GEN_AI_AGENT_NAME: SECRET,
            names.MAS_TASK_NAME: SECRET,
        }
    )
    span.add_event(f"event {SECRET}", {"authorization": "hunter2"})
    span.record_exception(ValueError(f"bad {SECRET}"))
    span.set_status(StatusCode.ERROR, f"text {SECRET}")
    span.end()
    return span


@pytest.mark.parametrize("content", ["redacted", "none"])
def test_no_secret_reaches_bytes_or_columns(content: Any) -> None:
    row = SpanEncoder(Privacy(content)).row(data(with_secrets_everywhere()))
    stored = repr((row.name, row.columns, row.body))
    assert SECRET not in stored
    assert "hunter2" not in stored
    assert "1234" not in stored.replace("0123456789", "")
    assert parsed(row.body).name == "get [redacted]"


def test_full_content_is_stored_as_it_is() -> None:
    row = SpanEncoder(Privacy("full")).row(data(with_secrets_everywhere()))
    assert row.body.count(SECRET.encode()) >= 7


def test_content_mode_none_stores_no_content() -> None:
    text = "what the user said"
    attributes = {
        names.GEN_AI_INPUT_MESSAGES: text,
        "input.value": text,
        "llm.input_messages.0.message.content": text,
        "unheard.of": text * 100,
        "unheard.of.list": [text * 100],
        "short.unknown": text,
        "number.unknown": 7,
        names.GEN_AI_REQUEST_MODEL: "gpt",
    }
    span: Any = TracerProvider().get_tracer("t").start_span("s", attributes=attributes)
    span.record_exception(ValueError(text))
    span.set_status(StatusCode.ERROR, text)
    span.end()
    row = SpanEncoder(Privacy("none")).row(data(span))
    assert text.encode() not in row.body
    assert {pair.key for pair in parsed(row.body).attributes} == {"number.unknown", names.GEN_AI_REQUEST_MODEL}
    assert {pair.key for pair in parsed(row.body).events[0].attributes} == {"exception.type", "exception.escaped"}


class Failing(Privacy):
    __slots__ = ()

    def attribute(self, name: str, value: Any) -> Any:
        if name == "bad":
            raise RuntimeError("redaction failed")
        return value

    def description(self, text: str) -> str:
        raise RuntimeError("redaction failed")

    def text(self, text: str) -> str:
        if "bad " in text:
            raise RuntimeError("redaction failed")
        return text


def test_an_attribute_that_cannot_be_redacted_is_withheld_and_marked() -> None:
    encoder = SpanEncoder(Failing("redacted"))
    for _ in range(2):  # the second one must not find it remembered
        span: Any = TracerProvider().get_tracer("t").start_span("bad name", attributes={"bad": "raw", "good": "kept"})
        span.add_event("bad event", {"bad": "raw"})
        span.set_status(StatusCode.ERROR, "raw")
        span.end()
        row = encoder.row(data(span))
        message = parsed(row.body)
        assert b"raw" not in row.body
        assert row.name == message.name == "(withheld)"
        pairs = {pair.key: pair.value for pair in message.attributes}
        assert pairs["good"].string_value == "kept"
        assert [v.string_value for v in pairs[names.MAS_CONTENT_WITHHELD].array_value.values] == [
            "bad",
            "event name",
            "status description",
        ]
    assert encoder.withheld >= 6


def test_the_memo_of_pairs_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_mas.record.pipeline.pairs._MAX_PAIRS", 10)
    encoder = SpanEncoder(Privacy("redacted"))
    for number in range(50):
        encoder.row(data(ended({"unique": f"value {number}", "float": number / 7, "long": "x" * 10_000})))
    assert len(encoder._attributes._memo) <= 10
    assert all(len(str(value)) < 300 for _, value in encoder._attributes._memo)


def test_sampling_and_consent_follow_the_trace_flag() -> None:
    span = ended()
    assert SpanEncoder(Privacy("redacted")).row(data(span)).sampled
    span._context = SpanContext(1, 2, False, TraceFlags(0))
    row = SpanEncoder(Privacy("redacted")).row(data(span._readable_span()))
    assert (row.sampled, row.may_ship) == (False, False)


def test_an_open_span_has_its_columns_and_no_body() -> None:
    span: Any = TracerProvider().get_tracer("t").start_span("s", attributes={names.MAS_TASK_NAME: "writer"})
    row = SpanEncoder(Privacy("redacted")).open_row(data(span), resource=4, scope=5)
    assert (row.name, row.resource, row.scope, row.start_ns) == ("s", 4, 5, span.start_time)
    assert "writer" in row.columns.values()


def test_an_open_span_names_its_causes_for_it_has_no_links_yet() -> None:
    span: Any = TracerProvider().get_tracer("t").start_span("s", attributes={names.MAS_CAUSE_REFS: ["trigger|task|k"]})
    cause = Cause(SpanContext(1, 2, False), LinkKind.SEND)
    row = SpanEncoder(Privacy("redacted")).open_row(replace(data(span), causes=(cause,)))
    assert json.loads(str(row.columns[POSITION[names.MAS_CAUSE_REFS]])) == [
        "trigger|task|k",
        f"send|{1:032x}-{2:016x}",
    ]


def test_a_nan_is_stored_as_a_nan() -> None:
    message = parsed(SpanEncoder(Privacy("redacted")).row(data(ended({"n": math.nan}))).body)
    assert math.isnan(message.attributes[0].value.double_value)


SECRET = "sk-proj-0123456789abcdefghijABCD"


@pytest.mark.parametrize("content", ["redacted", "none"])
def test_every_text_of_a_span_is_redacted(content: Any) -> None:
    encoder = SpanEncoder(Privacy(content))
    state = TraceState([("v", SECRET)])
    link = Link(SpanContext(1, 2, True, TraceFlags(1), state), {f"l {SECRET}": 1, names.MAS_LINK_KIND: SECRET})
    drawn = {
        name: (f"id-{SECRET}",) if number % 2 else f"id-{SECRET}" for number, name in enumerate(sorted(RANDOM_IDS))
    }
    span: Any = TracerProvider().get_tracer("t").start_span(f"name {SECRET}", links=[link])
    span.set_attributes({f"n.{SECRET}": 1, f"m.{SECRET}": "x", "kept": 7, names.MAS_LINK_KIND: SECRET, **drawn})
    span.add_event(f"event {SECRET}", {f"e.{SECRET}": True, names.GEN_AI_RESPONSE_ID: SECRET})
    span.set_status(StatusCode.ERROR, SECRET)
    span._context = SpanContext(*span.context[:2], False, TraceFlags(1), state)
    span.end()
    row = encoder.row(data(span))
    assert SECRET not in repr(row)
    assert SECRET.encode() not in row.body
    message = parsed(row.body)
    assert message.trace_state == "v=[redacted]"
    assert {pair.key: pair.value.int_value for pair in message.attributes}["kept"] == 7
    assert SECRET not in repr(encoder.resource({f"r.{SECRET}": 1, "service.name": SECRET}))
    assert encoder.text(f"lib {SECRET}") == "lib [redacted]"


def test_names_that_differ_in_their_secrets_alone_stay_apart() -> None:
    encoder = SpanEncoder(Privacy("redacted"))
    for _ in range(2):
        span: Any = TracerProvider().get_tracer("t").start_span("s", attributes={f"n.{SECRET}a": 1, f"n.{SECRET}b": 2})
        span.end()
        pairs = [(pair.key, pair.value.int_value) for pair in parsed(encoder.row(data(span)).body).attributes]
        assert pairs == [("n.[redacted]", 1), ("n.[redacted] 2", 2)]


@pytest.mark.parametrize(
    "identifier", ["call_Ab9XyZ0123456789", "chatcmpl-Ab9XyZ", "8b5c5f5e-5c0e-1b0f-9d7a-2f6f1a0c9e11"]
)
def test_identifiers_stay_as_they_are(identifier: str) -> None:
    encoder = SpanEncoder(Privacy("none"))
    for name in sorted(RANDOM_IDS):
        span: Any = TracerProvider().get_tracer("t").start_span("s", attributes={name: identifier})
        span.end()
        assert {pair.key: pair.value.string_value for pair in parsed(encoder.row(data(span)).body).attributes} == {
            name: identifier
        }
