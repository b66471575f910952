"""What a span decided, in a few words."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.model import Span
from otel_mas.report.decisions import decision
from otel_mas.semconv import attributes as names

CHOICE, VERDICT = names.MAS_ROUTING_CHOICE, names.MAS_GUARDRAIL_VERDICT
LABEL, SCORE = names.GEN_AI_EVALUATION_SCORE_LABEL, names.GEN_AI_EVALUATION_SCORE_VALUE


@pytest.mark.parametrize(
    ("kind", "attributes", "said"),
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
def test_it_says_where_to_what_verdict_or_what_grade(kind: str, attributes: dict[str, Any], said: str | None) -> None:
    columns = {names.MAS_RECORD_KIND: kind, **attributes}
    assert decision(Span("a" * 32, "b" * 16, None, "x", 0, 1, columns=columns)) == said
