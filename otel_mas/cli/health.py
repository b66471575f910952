"""`otel-mas health`: agents, workflows and resources, with an exit code for probes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_mas.cli.filters import limit_option
from otel_mas.cli.options import parsed_by, source_options
from otel_mas.cli.output import note_limits, print_json, print_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from otel_mas.analyse.health import Health

EXIT_CODES = {"healthy": 0, "degraded": 5, "unhealthy": 6, "unknown": 7}
"""Exit codes by status; 1 to 4 are errors of the command itself."""


@click.command("health")
@click.argument("agents", metavar="[AGENT]...", nargs=-1)
@click.option(
    "--window",
    metavar="DURATION",
    default="1h",
    show_default=True,
    callback=parsed_by("duration_ns"),
    help="How far back to look. What runs or waits now counts whenever it began.",
)
@click.option(
    "--tolerate",
    type=click.Choice(("degraded", "unknown")),
    multiple=True,
    help="Exit with 0 for this one, too; may be repeated.",
)
@limit_option("How many traces to read at most.")
@source_options
def command(
    agents: tuple[str, ...], window: str, tolerate: tuple[str, ...], limit: int, store: str | None, as_json: bool
) -> None:
    """Show whether agents, workflows and recording processes are healthy, and why not.

    Given AGENTs, only these count, and one that did nothing is unknown. The exit code is 0 for healthy, 5 for degraded,
    6 for unhealthy, 7 for unknown.
    """
    from otel_mas.api import open as open_source
    from otel_mas.report.json.health import health as document

    with open_source(store) as source:
        found = source.health(*agents, window=window, limit=limit)
    if agents:
        found = found.of_agents()
    if as_json:
        print_json(document(found))
    else:
        print_lines(lambda width: _lines(found, width))
    note_limits(found, limit)
    status = found.status.value
    click.get_current_context().exit(0 if status in tolerate else EXIT_CODES[status])


def _lines(found: Health, width: int) -> Iterator[Text]:
    from rich.text import Text

    from otel_mas.report.health_tables import health_tables
    from otel_mas.report.terminal.table import table

    yield Text(f"{found.status.value}: since {_time(found.since_ns)}")
    for one in health_tables(found):
        yield Text("")
        yield from table(one, width)


def _time(ns: int) -> str:
    from otel_mas.report.text import local_time

    return local_time(ns)
