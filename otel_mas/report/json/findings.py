"""`otel-mas findings --json`."""

from __future__ import annotations

from typing import Annotated, TypedDict

from otel_mas.model import Finding
from otel_mas.report.forms import form_of


class FindingForm(TypedDict):
    code: Annotated[str, "the kind of finding: `tool-call-loop`; docs/findings.md describes each"]
    severity: Annotated[str, "error, warning or info"]
    confidence: Annotated[float, "how sure it is, 0 to 1"]
    summary: Annotated[str, "what is wrong, in one sentence"]
    subject: Annotated[str, "who or what it is about: an agent, a node, a tool, an edge `a -> b`"]
    spans: Annotated[list[str], "ids of the spans that show it, the culprit first"]
    messages: Annotated[list[str], "digests of the messages that show it"]
    rests_on: Annotated[list[str], "provenance of the evidence: recorded, metadata, inferred"]
    saves_ns: Annotated[
        int | None, "nanoseconds by which the run would have been shorter without it; null: cannot tell"
    ]
    saves_usd: Annotated[float | None, "USD that it cost; null where that cannot be told"]
    advice: Annotated[str, "what to do about it"]


def finding(one: Finding) -> FindingForm:
    """One finding."""
    return form_of(
        FindingForm,
        one,
        severity=one.severity.value,
        spans=list(one.spans),
        messages=list(one.messages),
        rests_on=list(one.rests_on),
    )


__all__ = ["FindingForm", "finding"]
