"""Decisions in a few words, with their reasons: routes, verdicts of guardrails, grades."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from otel_mas.analyse.content import REASONS
from otel_mas.errors.printable import shortened
from otel_mas.model import Span
from otel_mas.report.text import counted, listing, plain
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RecordKind

Reasons = Mapping[str, str]
"""By span id."""
_LONGEST = 100


def decision(span: Span) -> str | None:
    """The words; None for a span that decides nothing, or does not say what."""
    kind = span.record_kind
    if kind == RecordKind.ROUTING_DECISION:
        choice = Counter(plain(one).strip("_") for one in span.get(names.MAS_ROUTING_CHOICE) or ())
        return f"→ {listing(counted(choice)) or 'end'}{_sure(span)}"
    if kind == RecordKind.GUARDRAIL:
        verdict = span.get(names.MAS_GUARDRAIL_VERDICT)
        return None if verdict is None else f"→ {plain(verdict)}"
    if kind == RecordKind.EVALUATION:
        label, score = span.get(names.GEN_AI_EVALUATION_SCORE_LABEL), span.get(names.GEN_AI_EVALUATION_SCORE_VALUE)
        phrase = plain(label) if label is not None else f"{score:g}" if isinstance(score, int | float) else None
        return None if phrase is None else f"→ {phrase}"
    return None


def _sure(span: Span) -> str:
    """The confidence of the decision model that made a choice, in words."""
    confidence = span.get(names.MAS_ROUTING_CONFIDENCE)
    return f" ({confidence:.0%} sure)" if isinstance(confidence, int | float) else ""


def reason(span: Span, reasons: Reasons) -> str | None:
    """Why it decided so, quoted and cut; None where nobody said so, or what was said is not kept."""
    name = REASONS.get(span.record_kind)
    if name is None:
        return None
    phrase = reasons.get(span.span_id) or span.get(name)
    return f"“{shortened(plain(phrase), _LONGEST)}”" if phrase else None
