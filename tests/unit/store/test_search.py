"""All messages and other content of the store are searched; each is found once in a trace, the newest trace first."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from otel_mas.model import Query
from otel_mas.model.search import Match
from otel_mas.semconv import attributes as names
from otel_mas.store import search
from otel_mas.store.rows import Batch, ContentRow, MessageRefRow, MessageRow
from tests.unit.store.conftest import NOW, SECOND, Bench

ONE, TWO = bytes([1] * 16), bytes([2] * 16)
ASKED, ANSWERED, STATE = (bytes([number] * 16) for number in (21, 22, 23))


def message(digest: bytes, text: str) -> MessageRow:
    return MessageRow(digest, "user", orjson.dumps({"role": "user", "parts": [{"type": "text", "content": text}]}))


def span(bench: Bench, trace: bytes, start: int, **more: Any) -> Any:
    return bench.span(trace_id=trace, start_ns=NOW + start * SECOND, **more)


def found(bench: Bench, text: str, query: Query | None = None, limit: int = 100) -> list[Match]:
    return list(bench.reader().search(text, query or Query(), limit))


@pytest.fixture
def filled(bench: Bench) -> Bench:
    """Two traces; the second reads what the first has written."""
    asks, reads, tool = span(bench, ONE, 0), span(bench, TWO, 10), span(bench, TWO, 20)
    digests = {names.MAS_STATE_DIGESTS: (STATE.hex(),)}
    keeps = span(bench, TWO, 30, attributes=digests)
    writer = bench.writer()
    scope = writer.scope("otel_mas", "1", {}, "")
    for row in (asks, reads, tool, keeps):
        row.scope = scope
    writer.write(
        Batch(
            spans=[asks, reads, tool, keeps],
            messages=[
                message(ASKED, "When is the tide high?"),
                message(ANSWERED, "The Tide is “high” at noon."),
                MessageRow(STATE, "state", orjson.dumps({"value": {"noted": "tide tables"}})),
                MessageRow(bytes([24] * 16), "user", None),
            ],
            message_refs=[
                MessageRefRow(ONE, asks.span_id, 0, 0, ASKED),
                MessageRefRow(ONE, asks.span_id, 1, 0, ANSWERED),
                MessageRefRow(TWO, reads.span_id, 0, 0, ASKED + ANSWERED),
                MessageRefRow(TWO, keeps.span_id, 2, 0, STATE),
            ],
            contents=[ContentRow(TWO, tool.span_id, names.GEN_AI_TOOL_CALL_RESULT, orjson.dumps("low TIDE"))],
        )
    )
    return bench


def test_the_newest_trace_comes_first_and_each_message_once_in_a_trace(filled: Bench) -> None:
    matches = [(match.trace_id, match.where, match.digest or match.name) for match in found(filled, "tide")]

    assert matches == [
        (TWO.hex(), "input", ASKED.hex()),
        (TWO.hex(), "input", ANSWERED.hex()),
        (TWO.hex(), "content", names.GEN_AI_TOOL_CALL_RESULT),
        (TWO.hex(), "state", STATE.hex()),
        (ONE.hex(), "input", ASKED.hex()),
        (ONE.hex(), "output", ANSWERED.hex()),
    ]


def test_a_match_is_at_the_end_of_its_writer_or_the_start_of_its_reader(filled: Bench) -> None:
    assert [(match.at_ns - NOW) // SECOND for match in found(filled, "noon")] == [10, 1]


def test_the_query_selects_traces_and_the_limit_matches(filled: Bench) -> None:
    assert {match.trace_id for match in found(filled, "tide", Query(since_ns=NOW + 5 * SECOND))} == {TWO.hex()}
    assert {match.trace_id for match in found(filled, "tide", Query(until_ns=NOW, limit=1))} == {ONE.hex()}
    assert [match.where for match in found(filled, "tide", limit=3)] == ["input", "input", "content"]


@pytest.mark.parametrize(("text", "number"), [("“HIGH”", 2), ("low\ttide", 0), ("noted: tide", 1), ("parts", 0)])
def test_texts_are_searched_and_not_their_json(filled: Bench, text: str, number: int) -> None:
    assert len(found(filled, text)) == number


def test_many_candidates_are_looked_up_in_another_way_with_the_same_result(
    filled: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = found(filled, "tide")
    monkeypatch.setattr(search, "_MANY", 0)

    assert found(filled, "tide") == few


def test_content_on_spans_of_other_instrumentation_is_searched(bench: Bench) -> None:
    asked = '[{"role": "user", "parts": [{"type": "text", "content": "a \\u0153uvre"}]}]'
    attributes = {names.GEN_AI_INPUT_MESSAGES: asked, "input.value": "an œuvre"}
    row = span(bench, ONE, 0, attributes=attributes)
    writer = bench.writer()
    row.scope = writer.scope("openinference", "1", {}, "")
    writer.write(Batch(spans=[row]))

    assert [(match.where, match.name) for match in found(bench, "Œuvre")] == [
        ("input", None),
        ("content", "input.value"),
    ]


def test_a_deleted_trace_is_found_no_more(filled: Bench) -> None:
    writer = filled.writer(instance=b"another", max_bytes=1)
    filled.now_ns += 3600 * SECOND
    writer.retain()

    assert found(filled, "tide") == []
