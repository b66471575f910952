"""`otel-mas traces`: a list of traces."""

from __future__ import annotations

from typing import Any

import click

from otel_mas.cli.filters import filter_options, limit_option
from otel_mas.cli.options import source_options
from otel_mas.cli.output import note, print_json, print_lines, print_problems


@click.command("traces")
@filter_options()
@limit_option("How many at most.", 20)
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
