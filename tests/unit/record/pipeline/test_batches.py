"""Batches: everything of a span comes together, and one bad item costs no other."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from otel_mas.errors import StoreLocked
from otel_mas.model.dropped import Dropped
from otel_mas.privacy.stored import Privacy
from otel_mas.record import guard
from otel_mas.record.content.digest import Digester
from otel_mas.record.content.rows import MAX_BYTES
from otel_mas.record.content.state import StateDigests
from otel_mas.record.pipeline.batches import BatchBuilder
from otel_mas.record.pipeline.queue import Content, Drained, Message, MessageRefs
from otel_mas.record.pipeline.span_data import Enricher, SpanData
from otel_mas.semconv import attributes as names
from otel_mas.store.rows import Batch

RESOURCE = Resource({"service.name": "app", "process.command_args": ("--password", "hunter2")}, "https://schema")
TRACER = TracerProvider(resource=RESOURCE).get_tracer("scope", "1.0", "https://scope", {"k": "v"})


class Failing(Privacy):
    __slots__ = ()

    def value(self, name: str, value: Any, **more: Any) -> Any:
        if "bad" in repr(value):
            raise RuntimeError("redaction failed")
        return super().value(name, value)


def ended(name: str = "s") -> Any:
    span = TRACER.start_span(name)
    span.end()
    return span


def with_contents(made: BatchBuilder, batch: Any, *items: Any) -> Any:
    """A batch to which contents have been added, and the values of states that came with its spans."""
    for item in (*items, *made.values):
        made.contents.add(item, batch)
    made.values.clear()
    return batch


def drained(*spans: Any, row_parts: Any = (), started: Any = ()) -> Drained:
    return Drained(list(map(SpanData.of_sdk, spans)), list(row_parts), list(map(SpanData.of_sdk, started)))


def builder(privacy: Privacy | None = None, *enrichers: Enricher) -> BatchBuilder:
    values = StateDigests(Digester(lambda: bytes(32)))
    return BatchBuilder(privacy or Privacy("redacted"), {names.MAS_INSTANCE_ID: "ab"}, values, enrichers)


def test_resource_and_scope_are_stored_redacted_once_with_this_process(store: Any) -> None:
    made = builder()
    for _ in range(2):
        batch = made.batch(drained(ended(), started=[TRACER.start_span("open")]), store)
    [(attributes, schema_url, body)] = store.resources
    assert attributes["service.name"] == "app"
    assert attributes[names.MAS_INSTANCE_ID] == "ab"
    assert "hunter2" not in repr(attributes)
    assert b"hunter2" not in body
    message = ResourceMessage.FromString(body)
    assert {pair.key for pair in message.attributes} == set(attributes)
    assert schema_url == "https://schema"
    assert store.scopes == [("scope", "1.0", {"k": "v"}, "https://scope")]
    assert (batch.spans[0].resource, batch.spans[0].scope, batch.opened[0].resource) == (1, 1, 1)


def test_content_and_references_become_rows(store: Any) -> None:
    span = ended()
    key = span.context[:2]
    parts = [MessageRefs(key, 1, ("ab" * 16, "cd" * 16), 1)]
    contents = [
        Content(key, "arguments", {"token": "hunter2", "q": "x"}, 1),
        Message(key, "ab" * 16, {"role": "user", "parts": [{"type": "text", "content": "hi"}]}, 1),
        Message(key, "cd" * 16, {"role": "tool"}, 1),
    ]
    made = builder()
    batch = with_contents(made, made.batch(drained(span, row_parts=parts), store), *contents)
    assert orjson.loads(batch.contents[0].value) == {"token": "[redacted]", "q": "x"}
    assert (batch.contents[0].trace_id, batch.contents[0].span_id) == (batch.spans[0].trace_id, batch.spans[0].span_id)
    assert [(ref.direction, ref.position, ref.digests.hex()) for ref in batch.message_refs] == [
        (1, 0, "ab" * 16 + "cd" * 16)
    ]
    assert [(row.role, row.body is None) for row in batch.messages] == [("user", False), ("tool", True)]
    assert orjson.loads(batch.messages[0].body or b"")["parts"][0]["content"] == "hi"


def test_content_that_cannot_be_redacted_is_withheld(store: Any) -> None:
    guard.set_strict(False)
    made, span = builder(Failing("redacted")), ended()
    key = span.context[:2]
    contents = [
        Content(key, "arguments", "bad", 1),
        Content(key, "result", "fine", 1),
        Message(key, "ab" * 16, {"role": "user", "parts": ["bad"]}, 1),
    ]
    batch = with_contents(made, made.batch(drained(span), store), *contents)
    withheld = {"$withheld": "it could not be redacted"}
    stored = {row.name: orjson.loads(row.value) for row in batch.contents}
    assert stored == {"arguments": withheld, "result": "fine", "messages": withheld}
    assert [row.body for row in batch.messages] == [None]
    assert made.withheld == 2


def test_a_long_text_is_cut_before_it_is_redacted_and_ends_with_its_missing_length(store: Any) -> None:
    made, key = builder(), (1, 2)
    page = Content(key, "page", ["password: hunter2 " * 200_000, "after it"], 3_600_000)
    batch = with_contents(made, made.batch(drained(), store), page)
    text, left_out = orjson.loads(batch.contents[0].value)
    assert "hunter2" not in text
    assert text.endswith(f"… (cut by otel-mas: {18 * 200_000 - MAX_BYTES:,} more)")
    assert left_out == "… (cut by otel-mas: 1 more)"


def test_in_full_nothing_is_cut(store: Any) -> None:
    made, page = builder(Privacy("full")), "x " * 1_000_000
    batch = with_contents(made, made.batch(drained(), store), Content((1, 2), "page", page, len(page)))
    assert orjson.loads(batch.contents[0].value) == page


def test_a_span_that_cannot_be_encoded_costs_no_other(store: Any) -> None:
    guard.set_strict(False)
    bad = ended("bad")
    bad._status = None
    batch = builder().batch(drained(ended("one"), bad, ended("two")), store)
    assert [row.name for row in batch.spans] == ["one", "two"]
    [drop] = batch.drops
    assert (drop.trace_id, drop.reason) == (bad.context.trace_id.to_bytes(16, "big"), "not encodable")
    assert batch.dropped == [Dropped("not encodable", 1, 0)]


def test_enrichers_complete_the_stored_span_and_leave_the_app_s_as_it_ended(store: Any) -> None:
    def price(span: SpanData) -> None:
        del span.attributes["missing"]
        span.attributes["usd"] = 0.5

    def agent(span: SpanData) -> None:
        span.columns = {names.GEN_AI_AGENT_NAME: "writer"}

    span = TRACER.start_span("chat", attributes={"a": 1, "missing": "not yet"})
    span.end()
    [row] = builder(None, price, agent).batch(drained(span), store).spans
    stored = {pair.key: pair.value for pair in Span.FromString(row.body).attributes}
    assert (stored.keys(), stored["usd"].double_value) == ({"a", "usd"}, 0.5)
    assert "writer" in row.columns.values()
    assert dict(span.attributes or {}) == {"a": 1, "missing": "not yet"}  # type: ignore[attr-defined]


def test_an_enricher_that_fails_costs_neither_the_span_nor_the_next_enricher(store: Any) -> None:
    guard.set_strict(False)

    def fails(span: SpanData) -> None:
        raise RuntimeError("no price")

    def agent(span: SpanData) -> None:
        span.columns = {names.GEN_AI_AGENT_NAME: "writer"}

    [row] = builder(None, fails, agent).batch(drained(ended()), store).spans
    assert "writer" in row.columns.values()


def test_after_a_locked_store_the_same_items_can_be_given_again(store: Any) -> None:
    made, items = builder(), drained(ended(), row_parts=[MessageRefs((1, 2), 0, ("ab" * 16,), 1)])
    store.failing = lambda: StoreLocked("locked")
    with pytest.raises(StoreLocked):
        made.batch(items, store)
    store.failing = None
    batch = made.batch(items, store)
    assert (len(batch.spans), len(batch.message_refs)) == (1, 1)


def test_name_version_and_urls_of_a_scope_are_stored_redacted(store: Any) -> None:
    secret = "sk-proj-0123456789abcdefghijABCD"
    resource = Resource({"service.name": "app"}, f"https://{secret}@schema")
    span = (
        TracerProvider(resource=resource).get_tracer(secret, f"1 {secret}", f"https://{secret}@scope").start_span("s")
    )
    builder().batch(drained(span), store)
    assert secret not in repr(store.scopes) + repr(store.resources)
    assert store.scopes[-1][:2] == ("[redacted]", "1 [redacted]")


def test_roles_of_messages_and_names_of_contents_are_stored_redacted() -> None:
    secret = "sk-proj-0123456789abcdefghijABCD"
    made, batch = builder(), Batch()
    made.contents.add(Message((1, 2), "ab" * 16, {"role": secret, "parts": []}, 1), batch)
    made.contents.add(Content((1, 2), f"x {secret}", "v", 1), batch)
    assert secret not in repr(batch)
    assert (batch.messages[0].role, batch.contents[0].name) == ("[redacted]", "x [redacted]")
    assert made.redacted() == {"sk": 3}
