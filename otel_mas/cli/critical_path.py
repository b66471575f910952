"""`otel-mas critical-path`: what the duration is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_mas.cli.explain import explaining
from otel_mas.cli.output import print_json, print_report

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Trace


@click.command("critical-path")
@click.option("--all", "every", is_flag=True, help="Show small steps too, instead of gathering them.")
@explaining("critical-path")
def command(found: Trace | Conversation, as_json: bool, every: bool) -> None:
    """Show what the duration is made of, step by step, and why each next step waited.

    Only what is listed here makes a run shorter when it gets faster. The percentages leave out the time spent
    waiting for input.

    TRACE is the id of a trace or the beginning of it, or "latest" (the default).
    """
    graph = found.graph()
    path = graph.critical_path()
    if as_json:
        from otel_mas.report import json

        print_json(json.critical_path(graph.causal, path, found.problems))
        return
    from otel_mas.report import terminal

    print_report(found.spans, lambda width: terminal.critical_path(graph.causal, path, width, every=every))
