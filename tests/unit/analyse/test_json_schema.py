"""Contradictions to a schema are named by their place; what pydantic would take is none."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.analyse.json_schema import violation

SCHEMA = {
    "type": "object",
    "properties": {
        "place": {"type": "string"},
        "limit": {"type": "integer"},
        "unit": {"enum": ["km", "mile"]},
        "exact": {"type": "boolean"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "near": {"type": "array", "items": {"type": "object", "required": ["name"]}},
    },
    "required": ["place"],
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, "place is missing"),
        ({"place": 5}, "place is no string"),
        ({"place": "a", "limit": "many"}, "limit is no integer"),
        ({"place": "a", "limit": 1.5}, "limit is no integer"),
        ({"place": "a", "unit": "inch"}, "unit is not one of km, mile"),
        ({"place": "a", "exact": "maybe"}, "exact is no boolean"),
        ({"place": "a", "note": 5}, "note is none of what it may be"),
        ({"place": "a", "near": "b"}, "near is no array"),
        ({"place": "a", "near": [{"name": "b"}, {}]}, "near[1].name is missing"),
        ("a", "the whole is no object"),
    ],
)
def test_a_contradiction(value: Any, expected: str) -> None:
    assert violation(value, SCHEMA) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"place": "a"},
        {"place": "a", "limit": "5", "exact": 1, "note": None, "unit": "km", "near": [{"name": ""}]},
        {"place": "a", "more": True},
    ],
)
def test_what_fits(value: Any) -> None:
    assert violation(value, SCHEMA) is None


def test_more_arguments_than_the_schema_has_where_it_says_so() -> None:
    assert violation({"place": "a", "more": 1}, {**SCHEMA, "additionalProperties": False}) == "more is not known"


@pytest.mark.parametrize("schema", [None, True, {"$ref": "#/$defs/x"}, {"type": ["string", "null"]}, {"type": "date"}])
def test_what_a_schema_does_not_say_is_taken_as_kept(schema: Any) -> None:
    assert violation(5, schema) is None
