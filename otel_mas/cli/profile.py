"""`otel-mas profile`: the time of one run, or of many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from otel_mas.cli.options import Target, one_target, parsed_by, source_options
from otel_mas.cli.output import note, print_json, print_lines, print_problems

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.api import Profile, Source


@click.command("profile")
@one_target
@click.option(
    "--since",
    metavar="TIME",
    callback=parsed_by("instant_ns"),
    help="All traces started since, added up, instead of TRACE: 1h, 2d, 2026-11-21T10:00.",
)
@click.option("--agent", metavar="NAME", help="With --since: only traces in which this agent took part.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="With --since: how many at most."
)
@source_options
def command(target: Target, since: str | None, agent: str | None, limit: int, store: str | None, as_json: bool) -> None:
    """Show the time by agent, node, model and tool, and the hot spots by self time.

    Parallel work counts once in "wall", and each time in "sum". "own" is time of its own code, without models,
    tools and tasks inside. Percentiles are of the durations of its calls.
    """
    from otel_mas.api import open as open_source

    if since is not None and (target.trace or target.conversation):
        raise click.UsageError("--since is for many traces: give no TRACE and no --conversation.")
    if since is None and agent is not None:
        raise click.UsageError("--agent selects among many traces: give --since too.")
    with open_source(store) as source:
        if since is None:
            found = target.find(source)
            profile, problems, spans = found.profile(), found.problems, found.spans
        else:
            profile, problems, spans = _of_many(source, since, agent, limit), (), ()

    def lines(width: int) -> Iterator[Text]:
        from rich.text import Text

        from otel_mas.report import terminal

        if spans:
            yield from terminal.heading(spans, width)
            yield Text("")
        yield from terminal.profile(profile, width)

    if as_json:
        from otel_mas.report import json

        print_json(json.profile(profile, problems))
    else:
        print_lines(lines)
    print_problems(problems)


def _of_many(source: Source, since: str, agent: str | None, limit: int) -> Profile:
    profile = source.profile(since=since, agent=agent, limit=limit)
    if profile.limited:
        note(f"only the newest {limit:,} traces; --limit reads more")
    return profile
