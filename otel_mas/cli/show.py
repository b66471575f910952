"""`otel-mas show`: what ran inside what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from otel_mas.cli.explain import explaining
from otel_mas.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.api import Conversation, Trace


@click.command("show")
@explaining("show")
def command(found: Trace | Conversation, as_json: bool) -> None:
    """Show a trace as a tree: what ran inside what, when, and for how long.

    TRACE is the id of a trace or the beginning of it, or "latest" (the default).
    """
    if as_json:
        from otel_mas.report import json

        notes = found.questions(), found.reasons(), found.error_messages()
        print_json(json.spans(found.spans, found.problems, *notes))
        return
    print_lines(lambda width: _trees(found, width))


def _trees(found: Trace | Conversation, width: int) -> Iterator[Text]:
    from rich.text import Text

    from otel_mas.api import Conversation
    from otel_mas.report import terminal

    notes = found.questions(), found.reasons(), found.error_messages()
    for position, trace in enumerate(found.traces if isinstance(found, Conversation) else (found,)):
        if position:
            yield Text("")
        yield from terminal.heading(trace.spans, width)
        yield from terminal.tree(trace.graph().causal, width, *notes)
