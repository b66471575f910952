"""What a span decided, in a few words."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.model import Span
from otel_mas.report.decisions import decision, reason
from otel_mas.semconv import attributes as names

CHOICE, VERDICT = names.MAS_ROUTING_CHOICE, names.MAS_GUARDRAIL_VERDICT
LABEL, SCORE = names.GEN_AI_EVALUATION_SCORE_LABEL, names.GEN_AI_EVALUATION_SCORE_VALUE


@pytest.mark.parametrize(
    ("kind", "attributes", "text"),
    [
        ("ROUTING_DECISION", {CHOICE: ("writer",)}, "→ writer"),
        ("ROUTING_DECISION", {CHOICE: ("section", "section", "__end__")}, "→ section ×2, end"),
        ("ROUTING_DECISION", {}, "→ end"),
        ("GUARDRAIL", {VERDICT: "block"}, "→ block"),
        ("GUARDRAIL", {}, None),
        ("EVALUATION", {LABEL: "yes", SCORE: 1.0}, "→ yes"),
        ("EVALUATION", {SCORE: 0.25}, "→ 0.25"),
        ("EVALUATION", {LABEL: "no\x1b[31m"}, "→ no [31m"),
        ("EVALUATION", {}, None),
        ("LLM_CALL", {VERDICT: "block"}, None),
    ],
)
def test_it_says_where_to_what_verdict_or_what_grade(kind: str, attributes: dict[str, Any], text: str | None) -> None:
    columns = {names.MAS_RECORD_KIND: kind, **attributes}
    assert decision(Span("a" * 32, "b" * 16, None, "x", 0, 1, columns=columns)) == text


def deciding(kind: str, **more: Any) -> Span:
    return Span("a" * 32, "b" * 16, None, "x", 0, 1, columns={names.MAS_RECORD_KIND: kind, **more})


@pytest.mark.parametrize("kind", ["ROUTING_DECISION", "GUARDRAIL", "EVALUATION"])
def test_why_it_decided_so_is_quoted(kind: str) -> None:
    assert reason(deciding(kind), {"b" * 16: "no\nsources"}) == "“no sources”"
    assert reason(deciding(kind), {"c" * 16: "no sources"}) is None


def test_a_reason_that_is_on_the_span_is_found_there_and_a_long_one_is_cut() -> None:
    text = reason(deciding("ROUTING_DECISION", **{names.MAS_ROUTING_REASON: "why " * 100}), {})
    assert text is not None
    assert len(text) == 102
    assert text.endswith("why…”")


def test_what_decides_nothing_has_no_reason() -> None:
    assert reason(deciding("LLM_CALL", **{names.MAS_ROUTING_REASON: "x"}), {"b" * 16: "y"}) is None
