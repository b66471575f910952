"""A what-if: the new end and cost, the new critical path, what it rests on, and slack."""

from __future__ import annotations

from otel_mas.analyse.what_if import WhatIf
from otel_mas.causal import CausalGraph
from otel_mas.report import what_if_tables as tables
from otel_mas.report.html.block import folded
from otel_mas.report.html.path import critical_path
from otel_mas.report.html.words import words
from otel_mas.report.markup import Markup, element, text

_MOST_STEPS = 20


def what_if(answer: WhatIf, causal: CausalGraph) -> Markup:
    """All of it; without a change slack and the ideal are what there is to say."""
    slack = tables.slack(answer, causal)
    if not answer.changes:
        return text(element("p", tables.ideal_phrase(causal, answer)), words(slack) if slack.rows else None)
    edges = tables.assumptions(answer, causal)
    return text(
        element("p", tables.headline(answer)),
        words(tables.totals(answer)),
        critical_path(answer.schedule.graph, answer.schedule.critical_path(), _MOST_STEPS),
        folded("what it rests on", words(edges)) if edges.rows else None,
        folded("slack", words(slack)) if slack.rows else None,
    )


__all__ = ["what_if"]
