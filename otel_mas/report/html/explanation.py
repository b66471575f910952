"""Section of the root cause: the complaint, and the most probable causes with their evidence."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.complaints import Complaint
from otel_mas.analyse.root_cause import RootCause
from otel_mas.causal import CausalGraph
from otel_mas.report.explanation_words import causes_title, causes_to_show, complaint_sentence, evidence
from otel_mas.report.markup import Markup, element, text
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import offset


def explanation(complaint: Complaint | None, causes: Sequence[RootCause], causal: CausalGraph) -> Markup | None:
    """A paragraph for the complaint and a list item for each cause; None where nothing speaks against the run."""
    shown = causes_to_show(causes)
    if complaint is None and not shown:
        return None
    labels = TaskLabels(causal)
    return text(
        None if complaint is None else element("p", complaint_sentence(complaint, labels), class_="om-wait"),
        text(element("p", f"{causes_title(shown)}:"), element("ul", [_cause(one, labels) for one in shown]))
        if shown
        else element("p", "This recording shows no evidence for a cause."),
    )


def _cause(one: RootCause, labels: TaskLabels) -> Markup:
    span = labels.causal.span(one.span)
    start = min((root.start_ns for root in labels.causal.roots), default=0)
    return element(
        "li",
        element("b", labels.path_label(span)),
        element("span", f" {one.score:.0%} · {offset(span.start_ns - start)} · span {one.span}. ", class_="om-dim"),
        "; ".join(evidence(one, labels)),
        ".",
    )


__all__ = ["explanation"]
