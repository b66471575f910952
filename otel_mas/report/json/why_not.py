"""`otel-mas why-not --json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict

from otel_mas.analyse.why_not import WhyNot, WhyNotKind
from otel_mas.causal import CausalGraph
from otel_mas.model import Span
from otel_mas.report.json.fields import PROBLEMS, TIME


class EvidenceForm(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "16 hex digits"]
    name: Annotated[str, "the span's name"]
    task: Annotated[str | None, "the task's label, as `researcher#1/model#2`; null where it is no task"]
    start_ns: Annotated[int, f"when it started{TIME}"]


class WhyNotDocument(TypedDict):
    agent: Annotated[str, "the name that was asked for"]
    kind: Annotated[str, ", ".join(WhyNotKind)]
    sentence: Annotated[str, "the answer"]
    provenance: Annotated[
        str,
        "recorded, metadata (joined by stable keys), or inferred (from what the graph declares and what is absent)",
    ]
    spans: Annotated[list[EvidenceForm], "spans that show it, the most telling one first"]
    others: Annotated[list[str], "why the other ways to it were not taken"]
    known: Annotated[list[str], "where no such name is known: those that resemble it, else 10 of all"]
    problems: Annotated[list[str], PROBLEMS]


def why_not(answer: WhyNot, causal: CausalGraph, problems: Sequence[str]) -> WhyNotDocument:
    """The answer with the spans that show it."""
    labels = causal.labels()
    return {
        "agent": answer.agent,
        "kind": answer.kind.value,
        "sentence": answer.sentence,
        "provenance": answer.provenance,
        "spans": [evidence(span, labels.get(span.span_id)) for span in answer.spans],
        "others": list(answer.others),
        "known": list(answer.known),
        "problems": list(problems),
    }


def evidence(span: Span, label: str | None) -> EvidenceForm:
    """A span that shows something."""
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "name": span.name,
        "task": label,
        "start_ns": span.start_ns,
    }


__all__ = ["EvidenceForm", "WhyNotDocument", "evidence", "why_not"]
