"""`otel-mas cost`: tokens and USD."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_mas.cli.explain import explaining
from otel_mas.cli.output import print_json, print_report

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Trace


@click.command("cost")
@explaining("cost")
def command(found: Trace | Conversation, as_json: bool) -> None:
    """Show tokens and cost in USD, by agent and by model.

    A call whose model has no known price is named, and counts as unknown, not as 0.

    TRACE is the id of a trace or the beginning of it, or "latest" (the default).
    """
    table = found.graph().cost()
    if as_json:
        from otel_mas.report import json

        print_json(json.cost(table, found.problems))
        return
    from otel_mas.report import terminal

    print_report(found.spans, lambda width: terminal.cost(table, width))
