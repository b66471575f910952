"""`otel-mas profile`: the time of one run, or of many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from otel_mas.cli.filters import filter_options, limit_option
from otel_mas.cli.options import Target, one_target, source_options
from otel_mas.cli.output import note_limits, print_json, print_lines, print_problems

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.model import Span


@click.command("profile")
@one_target
@filter_options(without=("conversation", "service"))
@limit_option("Of many traces, how many at most.")
@source_options
def command(target: Target, limit: int, store: str | None, as_json: bool, **filters: Any) -> None:
    """Show the time by agent, node, model and tool, and the hot spots by self time.

    With filters, such as --since 1d, all traces that match are added up, each as a run. Parallel work counts once in
    "wall", and each time in "sum". "own" is time of its own code, without models, tools and tasks inside. Percentiles
    are of the durations of its calls.
    """
    from otel_mas.api import open as open_source

    selected = {name: value for name, value in filters.items() if value is not None}
    if selected and (target.trace or target.conversation):
        raise click.UsageError("a filter selects among many traces: give no TRACE and no --conversation.")
    problems: Sequence[str] = ()
    spans: Sequence[Span] = ()
    with open_source(store) as source:
        if selected:
            profile = source.profile(**selected, limit=limit)
            problems = [profile.incomplete] if profile.incomplete else []
        else:
            found = target.find(source)
            profile, problems, spans = found.profile(), found.problems, found.spans

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
    note_limits(profile, limit)
    if not selected:
        print_problems(problems)
