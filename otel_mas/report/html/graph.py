"""A causal graph: the picture, and the same in text for those who cannot see it."""

from __future__ import annotations

from otel_mas.causal import CausalGraph, CriticalPath
from otel_mas.report import terminal
from otel_mas.report.decisions import Reasons
from otel_mas.report.html.block import folded, left_out
from otel_mas.report.markup import Markup, element, text
from otel_mas.report.svg import draw, scene
from otel_mas.report.text import count

_WIDTH = 118
_MOST_LINES = 300
_MOST_TASKS = 2_000


def graph(causal: CausalGraph, path: CriticalPath, reasons: Reasons | None = None) -> Markup:
    """The picture with what it leaves out, and the graph as text, folded."""
    if not causal.spans:
        return element("p", "No span was recorded.")
    drawn, missing = draw(scene(causal, path))
    picture = element("div", drawn, class_="om-scroll")
    tasks = sum(span.task_id is not None for span in causal.spans) or len(causal.spans)
    words = folded("the same as text", as_text(causal, reasons)) if tasks <= _MOST_TASKS else None
    return text(picture, left_out(missing), words)


def as_text(causal: CausalGraph, reasons: Reasons | None = None) -> Markup:
    """The causal graph as the command line shows it, a line for each task."""
    lines = [line.plain.rstrip() for line in terminal.graph(causal, _WIDTH, (), reasons)]
    more = [f"{count(len(lines) - _MOST_LINES, 'line')} of {len(lines):,}"] if len(lines) > _MOST_LINES else []
    return text(element("pre", "\n".join(lines[:_MOST_LINES])), left_out(more))
