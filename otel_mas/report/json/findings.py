"""`otel-mas findings --json` and `otel-mas explain --json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, TypedDict

from otel_mas.analyse.findings.groups import FindingGroup
from otel_mas.analyse.introduced import Introduction
from otel_mas.analyse.root_cause import Complaint, RootCause
from otel_mas.model import Finding, Undecided
from otel_mas.report.forms import form_of
from otel_mas.report.json.fields import PROBLEMS, TIME


class UndecidedForm(TypedDict):
    code: Annotated[str, "the kind of finding that there may be"]
    reason: Annotated[str, "why that cannot be told, and what would have to be recorded"]


class FindingForm(TypedDict):
    code: Annotated[str, "the kind of finding: `tool-call-loop`; docs/findings.md describes each"]
    severity: Annotated[str, "error, warning or info"]
    confidence: Annotated[float, "how sure it is, 0 to 1"]
    summary: Annotated[str, "what is wrong, in one sentence"]
    spans: Annotated[list[str], "ids of the spans that show it, the culprit first"]
    messages: Annotated[list[str], "digests of the messages that show it"]
    rests_on: Annotated[list[str], "provenance of the evidence: recorded, metadata, inferred"]
    saves_ns: Annotated[
        int | None, "nanoseconds by which the run would have been shorter without it; null: cannot tell"
    ]
    saves_usd: Annotated[float | None, "USD that it cost; null where that cannot be told"]
    advice: Annotated[str, "what to do about it"]
    subject: Annotated[str, "who or what it is about: an agent, a node, a tool, an edge `a -> b`"]


class FindingGroupForm(TypedDict):
    code: Annotated[str, "the kind of finding"]
    subject: Annotated[str, "who or what it is about"]
    severity: Annotated[str, "error, warning or info: the worst"]
    summary: Annotated[str, "of the example: what is wrong, in one sentence"]
    advice: Annotated[str, "what to do about it"]
    confidence: Annotated[float, "how sure the example is, 0 to 1"]
    findings: Annotated[int, "number of findings"]
    runs: Annotated[int, "number of runs that have it"]
    share: Annotated[float, "part of the runs that were read, 0 to 1"]
    trend: Annotated[str, "rising, falling or steady, from the older half of the runs to the newer; or cannot tell"]
    first_ns: Annotated[int, f"when the oldest of these runs started{TIME}"]
    last_ns: Annotated[int, f"when the newest started{TIME}"]
    saves_ns: Annotated[int | None, "nanoseconds that it cost in all runs, as far as that can be told; else null"]
    saves_usd: Annotated[float | None, "USD that it cost, as far as that can be told; else null"]
    example_trace: Annotated[str, "id of the trace of the example"]
    traces: Annotated[list[str], "ids of the runs that have it, the newest first"]


class RootCauseForm(TypedDict):
    span: Annotated[str, "id of the span that may be the root cause"]
    agent: Annotated[str | None, "the agent at work in it, or the task; null outside of any"]
    score: Annotated[float, "0 to 1; the scores of a run add up to 1"]
    reasons: Annotated[list[str], "the evidence against it, the weightiest first; empty where there is none"]


class ExplanationDocument(TypedDict):
    complaint: Annotated[str | None, "wrong, missing or late, where somebody said so; null: only errors are explained"]
    complaint_reason: Annotated[str | None, "in their words"]
    complaint_span: Annotated[str | None, "id of the span that it is about; null: the run"]
    root_cause: Annotated[
        list[RootCauseForm], "the most probable one first; empty where nothing speaks against the run"
    ]
    findings: Annotated[list[FindingForm], "the worst first"]
    undecided: Annotated[list[UndecidedForm], "kinds that the recording cannot tell of"]
    problems: Annotated[list[str], PROBLEMS]


class TextUseForm(TypedDict):
    span: Annotated[str, "id of a span that wrote or read it"]
    agent: Annotated[str | None, "the agent at work in it, or the task; null outside of any"]
    wrote: Annotated[bool, "whether it wrote it; else it only read it"]
    time_ns: Annotated[int, f"the end of what wrote it, the start of what read it{TIME}"]


class IntroductionDocument(TypedDict):
    text: Annotated[str, "the text or value that was asked for"]
    given: Annotated[bool, "whether it came from outside: with the input, from a person, or in an instruction"]
    uses: Annotated[list[TextUseForm], "those who wrote or read it, in order of time"]
    in_answer: Annotated[bool, "whether the final output has it"]
    dropped: Annotated[
        str | None, "id of the task that came next after the last one which had it, and did not pass it on; else null"
    ]
    known: Annotated[bool, "false where the recording has no content: nothing can be said"]


def introduction(found: Introduction) -> IntroductionDocument:
    """`otel-mas explain --text TEXT --json`."""
    return form_of(IntroductionDocument, found, uses=[form_of(TextUseForm, one) for one in found.uses])


def explanation(
    complaint: Complaint | None,
    causes: Iterable[RootCause],
    findings: Iterable[Finding],
    undecided: Iterable[Undecided],
    problems: Sequence[str],
) -> ExplanationDocument:
    """`otel-mas explain --json`."""
    return {
        "complaint": None if complaint is None else complaint.label.value,
        "complaint_reason": None if complaint is None else complaint.reason,
        "complaint_span": None if complaint is None else complaint.span,
        "root_cause": [root_cause(one) for one in causes],
        "findings": [finding(one) for one in findings],
        "undecided": [{"code": one.code, "reason": one.reason} for one in undecided],
        "problems": list(problems),
    }


def finding_group(one: FindingGroup) -> FindingGroupForm:
    """One group."""
    example = one.example
    return form_of(
        FindingGroupForm,
        one,
        severity=one.severity.value,
        summary=example.summary,
        advice=example.advice,
        confidence=example.confidence,
        runs=len(one.traces),
        trend=one.trend.value,
        traces=list(one.traces),
    )


def root_cause(one: RootCause) -> RootCauseForm:
    """One span that may be the root cause."""
    return form_of(RootCauseForm, one, reasons=list(one.reasons))


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


__all__ = [
    "ExplanationDocument",
    "FindingForm",
    "FindingGroupForm",
    "IntroductionDocument",
    "RootCauseForm",
    "TextUseForm",
    "UndecidedForm",
    "explanation",
    "finding",
    "finding_group",
    "introduction",
    "root_cause",
]
