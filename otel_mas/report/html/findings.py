"""Section of findings: each with its confidence, its evidence, and advice."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.causal import CausalGraph
from otel_mas.model import Finding, Severity
from otel_mas.report.html.block import left_out
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import count, duration, listing, plain, usd

_MOST = 20
_SHAPES = {Severity.ERROR: "om-bad", Severity.WARNING: "om-wait", Severity.INFO: "om-dim"}


def findings(found: Sequence[Finding], causal: CausalGraph) -> Markup | None:
    """A list item for each finding, the worst first; None without any."""
    if not found:
        return None
    labels = TaskLabels(causal)
    hidden = len(found) - _MOST
    return text(
        element("ul", [_finding(one, labels) for one in found[:_MOST]]),
        left_out([count(hidden, "more finding")] if hidden > 0 else []),
    )


def _finding(one: Finding, labels: TaskLabels) -> Markup:
    shown = list(dict.fromkeys(labels.path_label(labels.causal.span(span_id)) for span_id in one.spans))
    about: list[str] = [one.code, f"{one.confidence:.0%} sure", ", ".join(one.rests_on)]
    if one.saves_ns:
        about.append(f"took {duration(one.saves_ns)}")
    if one.saves_usd:
        about.append(f"cost {usd(one.saves_usd)}")
    parts: list[Child] = [
        element("span", one.severity.value, class_=_SHAPES[one.severity]),
        f": {plain(one.summary)}. ",
        element("span", f"{' · '.join(about)}. Shown by {listing(shown, 4)}.", class_="om-dim"),
        f" {plain(one.advice)}." if one.advice else None,
    ]
    return element("li", parts)


__all__ = ["findings"]
