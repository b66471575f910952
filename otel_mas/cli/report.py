"""`otel-mas report`: a page about a run."""

from __future__ import annotations

import sys

import click

from otel_mas.cli.files import written
from otel_mas.cli.options import Target, debug, one_target, source_option
from otel_mas.cli.output import note, print_problems

_STDOUT = "-"


@click.command("report")
@click.option(
    "-o", "--output", metavar="FILE", default="report.html", show_default=True, help="Where to; - for standard output."
)
@one_target
@source_option
@debug
def command(target: Target, store: str | None, output: str) -> None:
    """Write a page about a run, for people who were not there.

    One HTML file that holds everything it shows: what happened, what failed or waits, what caused what, what the time
    went into, who told whom what, and what it cost. It loads nothing and runs no script. Messages are in it as they
    were stored.
    """
    from otel_mas.api import open as open_source

    with open_source(store) as source:
        found = target.find(source)
        document = found.to_html().encode()
        print_problems(found.problems)
    if output == _STDOUT:
        sys.stdout.buffer.write(document)
        return
    with written(output) as file:
        file.write(document)
    note(f"wrote {output} ({len(document) / 1024:,.0f} KB): open it in a browser")
