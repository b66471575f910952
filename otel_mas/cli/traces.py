"""`otel-mas traces`: a list of traces."""

from __future__ import annotations

from typing import Any

import click

from otel_mas.cli.options import parsed_by, source_options
from otel_mas.cli.output import note, print_json, print_lines, print_problems
from otel_mas.model.status import MEANINGS, STATUSES


@click.command("traces")
@click.option("--service", metavar="NAME", help="Only of this service.")
@click.option("--agent", metavar="NAME", help="Only those in which this agent took part.")
@click.option(
    "--status", type=click.Choice(STATUSES), help=f"Only with this status. {MEANINGS[0].upper()}{MEANINGS[1:]}."
)
@click.option("--conversation", metavar="THREAD", help="Only of this thread.")
@click.option("--run", metavar="ID", help="Only those that this `otel-mas run` recorded.")
@click.option(
    "--min-duration", metavar="DURATION", callback=parsed_by("duration_ns"), help="Only this long or longer: 500ms, 2s."
)
@click.option(
    "--since", metavar="TIME", callback=parsed_by("instant_ns"), help="Only started since: 1h, 2d, 2026-11-21T10:00."
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
@source_options
def command(store: str | None, as_json: bool, **filters: Any) -> None:
    """List the recorded traces, newest first."""
    from otel_mas.api import open as open_source

    with open_source(store) as source:
        found = source.traces(**filters)
        overdue, messages = source.overdue(found), source.error_messages(found)
        if as_json:
            from otel_mas.report import json

            print_json(json.traces(found, overdue, messages))
        elif found:
            from otel_mas.report import terminal

            print_lines(lambda width: terminal.traces(found, width, overdue or (), messages))
        elif any(value is not None for name, value in filters.items() if name != "limit"):
            note(f"no trace in {source.location} matches")
        else:
            note(f"no trace in {source.location} yet: record one with `otel-mas run -- python app.py`")
        if found.incomplete:
            note(found.incomplete)
        print_problems(f"trace {one.trace_id}: {one.incomplete}" for one in found if one.incomplete)
