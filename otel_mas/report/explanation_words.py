"""Words of an explanation: the complaint, the causes worth showing, and their way to the end of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.analyse.complaints import Complaint, ComplaintLabel
from otel_mas.analyse.hops import hops_to_end
from otel_mas.analyse.root_cause import RootCause
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import plain

_MOST_CAUSES = 3
_LIKELY = 0.25
_MENTIONED = 0.1
_MOST_HOPS = 6
_COMPLAINTS = {
    ComplaintLabel.WRONG: "the answer is wrong",
    ComplaintLabel.MISSING: "the answer, or a part of it, is missing",
    ComplaintLabel.LATE: "it took too long",
}


def complaint_sentence(complaint: Complaint, labels: TaskLabels) -> str:
    """The complaint, who made it, and in which words."""
    span = None if complaint.span is None else labels.causal.span(complaint.span)
    what = _COMPLAINTS[complaint.label] if span is None else f"{labels.path_label(span)} is {complaint.label}"
    by = f", says {plain(complaint.author)}" if complaint.author else ""
    why = f": “{plain(complaint.reason)}”" if complaint.reason else "."
    return f"Complaint: {what}{by}{why}"


def causes_to_show(causes: Sequence[RootCause]) -> list[RootCause]:
    """Those with evidence: the first, and others that are not far less probable."""
    evident = [one for one in causes if one.reasons]
    return [one for number, one in enumerate(evident[:_MOST_CAUSES]) if not number or one.score >= _MENTIONED]


def causes_title(shown: Sequence[RootCause]) -> str:
    """A title of these causes: how probable the first one is."""
    likely = shown[0].score >= _LIKELY
    return "Most probable cause" if likely else "Possible causes, none of them likely by itself"


def evidence(cause: RootCause, labels: TaskLabels) -> Iterator[str]:
    """The reasons of a cause, and the tasks by which it came to the end."""
    yield from map(plain, cause.reasons)
    hops = [plain(labels.label(one)) for one in hops_to_end(labels.causal, cause.span)]
    if len(hops) > _MOST_HOPS:
        half = _MOST_HOPS // 2
        hops = [*hops[:half], f"{len(hops) - _MOST_HOPS} more", *hops[-half:]]
    if len(hops) > 1:
        yield f"came to the end by {' → '.join(hops)}"


__all__ = ["causes_title", "causes_to_show", "complaint_sentence", "evidence"]
