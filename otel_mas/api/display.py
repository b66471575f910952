"""Spans in a notebook: types that other rooms own are shown by asking IPython, not by changing them."""

from __future__ import annotations

import sys
from typing import Any

from otel_mas.model import Span


def register(shell: Any) -> None:
    """Let an IPython shell show spans as HTML."""
    shell.display_formatter.formatters["text/html"].for_type(Span, _show)


def register_here() -> None:
    """The same for the shell that this process is, where it is one; IPython is never imported for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    if shell is not None:
        register(shell)


def _show(span: Span) -> str:
    from otel_mas.report.html import notebook

    return notebook.span(span)
