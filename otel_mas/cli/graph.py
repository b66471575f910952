"""`otel-mas graph`: what caused what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_mas.cli.explain import explaining
from otel_mas.cli.output import print_json, print_report

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Trace


@click.command("graph")
@explaining("graph")
def command(found: Trace | Conversation, as_json: bool) -> None:
    """Show what caused what: each task with its causes, how, and what each join waited for.

    A lane is a cause under way to its effect, ● a task, ○ one without a cause in the picture. "read" names those whose
    messages a task read although they did not cause it.

    TRACE is the id of a trace or the beginning of it, or "latest" (the default).
    """
    causal = found.graph().causal
    if as_json:
        from otel_mas.report import json

        print_json(json.graph(causal, found.problems, found.questions()))
        return
    from otel_mas.report import terminal

    asked, reasons = found.questions(), found.reasons()
    print_report(found.spans, lambda width: terminal.graph(causal, width, asked, reasons))
