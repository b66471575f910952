"""Spans and reports in a notebook: types of lower rooms are shown by asking IPython, not by changing them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from otel_mas.model import Span

if TYPE_CHECKING:
    from otel_mas.evaluate import EvalReport


def register(shell: Any) -> None:
    """Let an IPython shell show spans and reports of evaluations as HTML."""
    html = shell.display_formatter.formatters["text/html"]
    html.for_type(Span, _show)
    html.for_type_by_name("otel_mas.evaluate.report", "EvalReport", _show_report)


def register_here() -> None:
    """The same for the shell that this process is, where it is one; IPython is never imported for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    if shell is not None:
        register(shell)


def _show_report(report: EvalReport) -> str:
    from otel_mas.report.html import notebook

    return notebook.evaluation(report)


def _show(span: Span) -> str:
    from otel_mas.report.html import notebook

    return notebook.span(span)
