"""Messages are stored once; spans refer to them."""

from __future__ import annotations

import sqlite3
from typing import Any

from otel_mas.model import Message, MessageRef
from otel_mas.store.rows import Batch, MessageRefRow, MessageRow

TRACE = bytes(range(16))
SPAN = b"span...."


def _digest(number: int) -> bytes:
    return number.to_bytes(16, "big")


def _refs(numbers: list[int], span: bytes = SPAN, direction: int = 0, trace: bytes = TRACE) -> list[MessageRefRow]:
    return [MessageRefRow(trace, span, direction, 0, b"".join(map(_digest, numbers)))]


def test_references_come_back_in_their_order(bench: Any) -> None:
    bench.writer().write(Batch(message_refs=[*_refs([3, 1, 2, 1]), *_refs([4], direction=1)]))
    assert bench.reader().message_refs(TRACE.hex()) == [
        *(MessageRef(TRACE.hex(), SPAN.hex(), "input", n, _digest(d).hex()) for n, d in enumerate([3, 1, 2, 1])),
        MessageRef(TRACE.hex(), SPAN.hex(), "output", 0, _digest(4).hex()),
    ]


def test_a_history_that_is_sent_again_costs_one_row_a_span(bench: Any) -> None:
    writer = bench.writer()
    for turn in range(1, 30):
        refs = _refs(list(range(turn)), span=turn.to_bytes(8, "big"))
        writer.write(Batch(messages=[MessageRow(_digest(turn - 1), "user", b"{}")], message_refs=refs))
    connection = sqlite3.connect(bench.path)
    tables = ("messages", "message_lists", "trace_messages")
    counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    assert counts == {"messages": 29, "message_lists": 29, "trace_messages": 29}
    shown = connection.execute("SELECT count(*), max(position) FROM message_refs").fetchone()
    assert shown == (29 * 30 // 2, 28)


def test_a_message_is_stored_once_and_gets_its_body_when_one_comes(bench: Any) -> None:
    writer = bench.writer()
    body = b'{"role": "user", "parts": []}'
    for given in (None, body, b'{"role": "late"}', None):
        writer.write(Batch(messages=[MessageRow(_digest(1), "user", given)]))
    found = bench.reader().messages([_digest(1).hex(), _digest(2).hex()])
    assert found == {_digest(1).hex(): Message(_digest(1).hex(), "user", {"role": "user", "parts": []})}


def test_a_missing_message_is_returned_once(bench: Any) -> None:
    writer = bench.writer()
    writer.write(Batch(messages=[MessageRow(_digest(1), "user", None)], message_refs=_refs([1, 2])))
    assert writer.forgotten() == {_digest(2)}
    assert writer.forgotten() == frozenset()


def test_a_message_that_comes_after_its_references_is_not_missing(bench: Any) -> None:
    writer = bench.writer()
    writer.write(Batch(message_refs=_refs([1, 2])))
    writer.write(Batch(messages=[MessageRow(_digest(1), "user", b"{}")]))
    assert writer.forgotten() == {_digest(2)}


def test_positions_need_not_be_consecutive(bench: Any) -> None:
    rows = [MessageRefRow(TRACE, SPAN, 0, place, _digest(place)) for place in (5, 6, 9, 0)]
    bench.writer().write(Batch(message_refs=rows))
    assert sorted(ref.position for ref in bench.reader().message_refs(TRACE.hex())) == [0, 5, 6, 9]
