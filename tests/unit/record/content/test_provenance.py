"""Who wrote and who has read what: the rules that the tests of whole apps do not reach, and the bounds."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.trace import SpanContext, TraceFlags

from otel_mas.record.content.provenance import MessageProvenance, Provenances

pytestmark = pytest.mark.slow


class Message:
    def __init__(self, identity: str | None = None) -> None:
        self.id = identity


class Reader:
    def __init__(self, provenance: MessageProvenance, *path: str) -> None:
        self.provenance = provenance
        self.path = path

    def reads(self, *digests: str, ids: tuple[str | None, ...] = ()) -> list[int]:
        messages = [Message(one) for one in ids] if ids else [Message() for _ in digests]
        return [context.span_id for context in self.provenance.record_read(self, self.path, digests, messages)]

    def writes(self, span_id: int, digest: str, identity: str | None = None, **how: Any) -> None:
        context = SpanContext(1, span_id, False, TraceFlags(1))
        self.provenance.record_write(self.path, context, (digest,), [Message(identity)], **how)


def team(*names: str) -> list[Reader]:
    provenance = MessageProvenance()
    return [Reader(provenance, "team", name) for name in names]


def test_read_messages_are_history_once_the_actor_has_left() -> None:
    a, b = team("a", "b")
    a.writes(1, "x")
    again = Reader(b.provenance, *b.path)
    assert b.reads("x") == [1]
    assert again.reads("x") == [1]  # at the same time
    b.provenance.leave(b)
    b.provenance.leave(again)
    assert Reader(b.provenance, *b.path).reads("x") == []


def test_the_same_content_written_by_another_actor_is_new() -> None:
    a, b, c = team("a", "b", "c")
    a.writes(1, "yes", "id-1")
    assert c.reads("yes", ids=("id-1",)) == [1]
    c.provenance.leave(c)
    b.writes(2, "yes", "id-2")
    assert c.reads("yes", "yes", ids=("id-1", "id-2")) == [1, 2]


def test_the_same_content_has_two_writers_unless_the_second_was_given_it() -> None:
    a, b, c = team("a", "b", "c")
    a.writes(1, "yes", "id-1")
    b.writes(2, "yes", "id-2", given=tuple)
    b.writes(3, "yes", "id-1", given=tuple)  # handed on: it is a's
    assert c.reads("yes", "yes", ids=("id-1", "id-2")) == [1, 2]


def test_actors_around_and_inside_are_the_same() -> None:
    a, _ = team("a", "b")
    inside = Reader(a.provenance, *a.path, "model")
    inside.writes(1, "x")
    assert a.reads("x") == []
    a.writes(2, "y")
    assert inside.reads("y") == []


def test_memory_does_not_grow_with_messages_readers_or_conversations() -> None:
    provenances = Provenances()
    for conversation in range(600):
        provenance = provenances.of(str(conversation))
        for number in range(400):
            Reader(provenance, "a").writes(number, f"{conversation} {number}")
    assert sum(len(provenances.of(str(one))) for one in range(590, 600)) == 4000
    assert sum(map(len, provenances._kept._entries.values())) <= 65_536 + 16 * 400
    provenance = MessageProvenance()
    for number in range(20_000):
        reader = Reader(provenance, "team", str(number))
        reader.writes(number, str(number))
        reader.reads(str(number), "asked")
    assert len(provenance) <= 20_000
    assert len(provenance._open) <= 1024
