"""Entries wait for the content that their process says is still to come, and for no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1 import trace_pb2

from otel_mas.api.follow import Follower
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names
from otel_mas.store import StoreWriter
from otel_mas.store.columns import column_values
from otel_mas.store.rows import Batch, ContentRow, MessageRefRow, MessageRow, OpenRow, SpanRow
from otel_mas.store.tail import StoreTail
from tests.conformance.messages import pairs

SECOND = 10**9
NOW = 1_800_000_000 * SECOND
TRACE, INSTANCE, DIGEST = bytes(range(16)), b"instance", bytes(16)


class Rig:
    """A process that records, and a follower of its store."""

    def __init__(self, path: Path) -> None:
        self.now_ns = SECOND
        self.writer = StoreWriter(
            path, instance_id=INSTANCE, run_id=None, service="s", max_bytes=0, max_age_ns=0, clock=lambda: NOW
        )
        self._resource = self.writer.resource({names.MAS_INSTANCE_ID: INSTANCE.hex()}, "", b"")
        self._scope = self.writer.scope("otel_mas", "1", {}, "")
        tail = StoreTail(path, from_start=True, clock=lambda: NOW)
        self.follower = Follower(tail, clock=lambda: self.now_ns)
        self.shown()

    def shown(self) -> list[tuple[str, str | None, str | None]]:
        """Kind, text and what is missing of the entries that have become known."""
        return [(entry.kind.value, entry.text, entry.missing) for entry in self.follower.poll()]

    def ended(self, number: int, kind: RecordKind, status: int = 0) -> SpanRow:
        opened = self.open(number, kind)
        attributes = {names.MAS_RECORD_KIND: str(kind)}
        body = trace_pb2.Span(name=opened.name, attributes=pairs(attributes)).SerializeToString()
        fields = (opened.start_ns, opened.start_ns + 10, status, opened.columns, (), body, self._resource, self._scope)
        return SpanRow(TRACE, opened.span_id, None, opened.name, 1, *fields)

    def open(self, number: int, kind: RecordKind) -> OpenRow:
        columns = column_values({names.MAS_RECORD_KIND: str(kind), names.GEN_AI_TOOL_NAME: "look_up"})
        span_id = number.to_bytes(8, "big")
        return OpenRow(TRACE, span_id, None, "span", 1, NOW + 20 * number, columns, self._resource, self._scope)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "runs.db")
    yield made
    made.follower.close()
    made.writer.close()


def content(number: int, name: str, value: bytes) -> ContentRow:
    return ContentRow(TRACE, number.to_bytes(8, "big"), name, value)


def test_a_result_that_is_to_come_is_waited_for_however_long_that_takes(rig: Rig) -> None:
    call = rig.ended(1, RecordKind.TOOL_CALL)
    arguments = content(1, names.GEN_AI_TOOL_CALL_ARGUMENTS, b'{"place":"quay"}')
    rig.writer.write(Batch(spans=[call], contents=[arguments], contents_recorded=2, contents_done=1))
    assert rig.shown() == [("tool_call", '{"place":"quay"}', None)]
    rig.now_ns += 60 * SECOND
    assert rig.shown() == []
    result = content(1, names.GEN_AI_TOOL_CALL_RESULT, b'"far away"')
    rig.writer.write(Batch(contents=[result], contents_recorded=2, contents_done=2))
    assert rig.shown() == [("tool_result", "far away", None)]


def test_content_that_is_not_kept_is_not_waited_for(rig: Rig) -> None:
    rig.writer.write(Batch(spans=[rig.ended(1, RecordKind.TOOL_CALL), rig.ended(2, RecordKind.LLM_CALL)]))
    assert [kind for kind, *_ in rig.shown()] == ["tool_call", "tool_result", "prompt", "answer"]


def test_content_of_spans_that_came_later_is_not_waited_for(rig: Rig) -> None:
    rig.writer.write(Batch(spans=[rig.ended(1, RecordKind.TOOL_CALL)], contents_recorded=5, contents_done=4))
    assert rig.shown() == []
    rig.writer.write(Batch(spans=[rig.ended(2, RecordKind.TOOL_CALL)], contents_recorded=9, contents_done=5))
    assert [kind for kind, *_ in rig.shown()] == ["tool_call", "tool_result"]


def test_content_that_was_stored_already_is_shown_though_other_content_is_to_come(rig: Rig) -> None:
    call = rig.ended(1, RecordKind.LLM_CALL)
    message = MessageRow(DIGEST, "user", b'{"parts":[{"type":"text","content":"When?"}]}')
    refs = [MessageRefRow(TRACE, call.span_id, direction, 0, DIGEST) for direction in (0, 1)]
    rig.writer.write(Batch(spans=[call], messages=[message], message_refs=refs, contents_recorded=9, contents_done=1))
    assert [kind for kind, *_ in rig.shown()] == ["prompt", "answer"]


def test_the_message_of_an_error_is_waited_for(rig: Rig) -> None:
    failed = rig.ended(1, RecordKind.AGENT_TASK, status=2)
    rig.writer.write(Batch(spans=[failed], contents_recorded=1))
    assert "error" not in [kind for kind, *_ in rig.shown()]
    why = content(1, names.EXCEPTION_MESSAGE, b'"no such place"')
    rig.writer.write(Batch(contents=[why], contents_recorded=1, contents_done=1))
    assert ("error", "no such place", None) in rig.shown()


def test_an_open_call_whose_arguments_may_come_is_shown_soon_without_them(rig: Rig) -> None:
    rig.writer.write(Batch(opened=[rig.open(1, RecordKind.TOOL_CALL)]))
    assert rig.shown() == []
    rig.now_ns += SECOND // 5
    assert [kind for kind, *_ in rig.shown()] == ["tool_call"]


def test_nothing_is_waited_for_once_the_process_has_ended(rig: Rig) -> None:
    rig.writer.write(Batch(spans=[rig.ended(1, RecordKind.TOOL_CALL)], contents_recorded=1))
    assert rig.shown() == []
    rig.writer.finish((), 0)
    assert [kind for kind, *_ in rig.shown()] == ["tool_call", "tool_result"]
