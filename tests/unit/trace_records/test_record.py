"""The public form of a record: what must be given, what is refused, and what a newer version may bring."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

import otel_mas
from otel_mas.semconv import RecordKind
from otel_mas.trace_records.record import REQUIRED, EventType, TraceRecord

LEAST = {"trace_id": "run 1", "span_id": "step 1", "event_type": "LLM_CALL", "timestamp": 1}
SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "trace-record.schema.json"


def test_four_fields_are_enough() -> None:
    record = TraceRecord.model_validate(LEAST)

    assert record.fields() == {"schema_version": 1, **LEAST}
    assert TraceRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize("missing", REQUIRED)
def test_each_of_them_is_needed(missing: str) -> None:
    with pytest.raises(ValueError, match=f"^{missing}: Field required$"):
        TraceRecord.from_fields({name: value for name, value in LEAST.items() if name != missing})


def test_it_cannot_be_changed() -> None:
    record = TraceRecord.model_validate(LEAST)

    with pytest.raises(ValidationError, match="frozen"):
        record.name = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"parentId": "x"}, "parentId is no field of a record: what is your own belongs into attributes"),
        ({"timestamp": 1.5}, "timestamp: Input should be a valid integer"),
        ({"timestamp": -1}, "timestamp: Input should be greater than or equal to 0"),
        ({"trace_id": ""}, "trace_id: an id has 1 to 256 characters, not 0"),
        ({"span_id": 7}, "span_id: it is no text but a int"),
        ({"attributes": [1]}, "attributes: it is no mapping but a list"),
        ({"payload": {"a": {1, 2}}}, "payload: it holds a set: give text, numbers, booleans, bytes, None, lists"),
        ({"token_cost": {"usd": float("nan")}}, "token_cost.usd: "),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}.*$"):
        TraceRecord.from_fields({**LEAST, **fields})


def test_a_value_that_is_nested_too_deeply_is_refused() -> None:
    value: object = 1
    for _ in range(200):
        value = [value]

    with pytest.raises(ValueError, match="nested deeper than 64 levels"):
        TraceRecord.from_fields({**LEAST, "payload": value})


def test_of_a_newer_version_what_is_new_is_passed_over() -> None:
    newer = {**LEAST, "schema_version": 2, "event_type": "DREAM", "mood": 1, "parents": [{"span_id": "a", "new": 1}]}

    record = TraceRecord.from_fields(newer)

    assert (record.schema_version, record.event_type) == (2, EventType.SPAN)
    assert [parent.span_id for parent in record.parents] == ["a"]


def test_every_kind_of_span_is_a_type_of_event() -> None:
    assert set(RecordKind) < set(EventType)
    assert {one.value for one in EventType} - {one.value for one in RecordKind} == {"SPAN"}


def test_the_schema_in_the_docs_is_that_of_the_model() -> None:
    assert json.loads(SCHEMA.read_text()) == TraceRecord.model_json_schema()


def test_the_schema_takes_what_the_model_writes() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text())
    with otel_mas.open(Path(__file__).parents[2] / "answers" / "example_team.jsonl.gz") as source:
        for record in source.latest().records():
            jsonschema.validate(json.loads(record.to_json()), schema)


def test_the_example_stands_in_the_docs_and_fits_the_schema() -> None:
    example = SCHEMA.parents[1] / "examples" / "records" / "run.jsonl"

    assert example.read_text() in (SCHEMA.parent / "records.md").read_text()
    assert len([TraceRecord.from_json(line) for line in example.read_bytes().splitlines()]) == 7
