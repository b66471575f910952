"""`otel-mas compare`: two sets of runs compared."""

from __future__ import annotations

import click

from otel_mas.cli.filters import filters_of, limit_option
from otel_mas.cli.options import source_options
from otel_mas.cli.output import note_limits, print_json, print_lines


@click.command("compare")
@click.option("--before", metavar="KEY=VALUE", multiple=True, required=True, help="The first set of runs.")
@click.option("--after", metavar="KEY=VALUE", multiple=True, required=True, help="The second set of runs.")
@limit_option("How many of each at most.")
@click.option("--all", "every", is_flag=True, help="Print every measure, also those that did not change.")
@source_options
def command(
    before: tuple[str, ...], after: tuple[str, ...], limit: int, every: bool, store: str | None, as_json: bool
) -> None:
    """Compare two sets of runs: durations, tokens, cost, errors and steps, by agent, node and edge.

    KEY is a filter of `otel-mas traces` (since, until, service, status, ...), or an attribute of a span or of its
    process. Given several times, all must match.

    "effect" is Cliff's delta, -1 to 1; "p" is adjusted for the number of measures, so that a false alarm about
    anything is at most 5 % likely. A measure that too few runs have says "cannot tell".

    \b
    otel-mas compare --before service.version=1.1 --after service.version=1.2
    otel-mas compare --before since=2d --before until=1d --after since=1d
    """
    from otel_mas.api import open as open_source

    with open_source(store) as source:
        found = source.compare(before=filters_of("--before", before), after=filters_of("--after", after), limit=limit)
    if as_json:
        from otel_mas.report.json.query import comparison

        print_json(comparison(found, limited=found.limited, incomplete=found.incomplete))
    else:
        from otel_mas.report.query_tables import comparison as in_words
        from otel_mas.report.terminal.table import table

        print_lines(lambda width: table(in_words(found, every=every), width))
    note_limits(found, limit, "runs of a set")
