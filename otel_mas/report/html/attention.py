"""Section of errors, and of tasks that wait for a person."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.content import NO_CONTENT, RunContent
from otel_mas.analyse.failures import ErrorOutcome, error_outcomes, waiting
from otel_mas.causal import CausalGraph
from otel_mas.report.html.block import left_out
from otel_mas.report.html.span import readable
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import beginning, count, plain
from otel_mas.semconv import attributes as names

_MOST = 20
_LONGEST = 600
_ERROR_OUTCOMES = {
    ErrorOutcome.ENDED_THE_RUN: ("om-bad", "failed, and ended the run"),
    ErrorOutcome.UNKNOWN: ("om-bad", "failed"),
    ErrorOutcome.HANDLED: ("om-wait", "failed, and was handled"),
}


def attention(causal: CausalGraph, content: RunContent = NO_CONTENT) -> Markup | None:
    """A line for each failure and each pause that nothing has ended; None where all is well.

    Args:
        causal: The graph to look through.
        content: Exception messages and questions.
    """
    labels = TaskLabels(causal)
    lines: list[Child] = []
    by_id = {(span.trace_id, span.span_id): span for span in causal.spans}
    for key, error_outcome in error_outcomes(causal.spans).items():
        span = by_id[key]
        error = plain(span.columns.get(names.ERROR_TYPE) or "error")
        message = content.error_message(span)
        lines.append(_line(*_ERROR_OUTCOMES[error_outcome], labels.unambiguous_label(span), error, message))
    for span in waiting(causal.spans):
        asked = content.of(span).get(names.MAS_INTERRUPT_VALUES)
        lines.append(_line("om-wait", "waits for input", labels.unambiguous_label(span), None, asked))
    if not lines:
        return None
    hidden = lines[_MOST:]
    return text(
        element("ul", lines[:_MOST]), left_out([count(len(hidden), "more of them", "more of them")] if hidden else [])
    )


def _line(shape: str, what: str, where: str, kind: str | None, message: object) -> Markup:
    phrase = beginning(readable(message), _LONGEST) if message else None
    return element(
        "li",
        element("span", what, class_=shape),
        f": {where}",
        f", {kind}" if kind else None,
        element("pre", phrase, class_="om-wrap") if phrase else None,
    )


def problems(found: Sequence[str]) -> Markup | None:
    """Problems of the traces themselves."""
    if not found:
        return None
    items = [element("li", plain(problem)) for problem in found[:_MOST]]
    hidden = len(found) - len(items)
    return text(element("ul", items, class_="om-wait"), left_out([count(hidden, "more problem")] if hidden else []))
