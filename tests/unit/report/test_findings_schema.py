"""The JSON schema of findings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from otel_mas.model import Finding, Severity
from otel_mas.report.json.findings import finding
from otel_mas.report.json.schema import findings_schema

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "findings.schema.json"
ONE = Finding(code="x", severity=Severity.INFO, confidence=0.5, summary="s", subject="a", spans=("1",), messages=("d",))


def test_the_schema_in_the_docs_is_that_of_the_form() -> None:
    assert json.loads(SCHEMA.read_text()) == findings_schema()


def test_the_schema_takes_every_finding_and_refuses_other_things() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text())
    made = json.loads(json.dumps([finding(ONE), finding(replace(ONE, saves_ns=3, saves_usd=0.1, advice="do"))]))

    jsonschema.validate(made, schema)
    for wrong in ({"severity": "bad"}, {"confidence": 2}, {"spans": []}, {"more": 1}, {"code": None}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate([{**made[0], **wrong}], schema)


def test_the_form_has_these_fields_and_no_other() -> None:
    expected = ["code", "severity", "confidence", "summary", "spans", "messages", "rests_on"]
    expected += ["saves_ns", "saves_usd", "advice", "subject"]

    assert list(finding(ONE)) == expected
    assert findings_schema()["$defs"]["Finding"]["required"] == expected
