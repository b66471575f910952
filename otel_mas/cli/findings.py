"""`otel-mas findings`: what is wrong with a run, or with many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from otel_mas.cli.answers import Answer, explained, under_heading
from otel_mas.cli.filters import filter_options, limit_option
from otel_mas.cli.options import Target, one_target, source_options
from otel_mas.cli.output import note, note_limits, print_json, print_lines

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Trace
    from otel_mas.api.findings import FindingGroups, Findings


@click.command("findings")
@one_target
@click.option("--code", "codes", metavar="CODE", multiple=True, help="Only findings of this kind; may be repeated.")
@click.option("--record", is_flag=True, help="Record them in the store with the run, for servers to show; each once.")
@filter_options(without=("conversation", "service"))
@limit_option("Of many runs, how many traces to read at most.")
@source_options
def command(
    target: Target,
    codes: tuple[str, ...],
    record: bool,
    limit: int,
    store: str | None,
    as_json: bool,
    **filters: Any,
) -> None:
    """Show findings about a run, each with its confidence, its evidence, its cost, and advice.

    With filters, such as --since 1d, all runs that match are read: the same finding over many runs is one line, with
    the number of runs that have it, and the trend. No model is asked. "recorded" evidence was written down while the
    app ran, "metadata" was joined by ids, "inferred" follows from these.
    """
    from otel_mas.api import open as open_source

    selected = {name: value for name, value in filters.items() if value is not None}
    if selected and (target.trace or target.conversation):
        raise click.UsageError("a filter selects among many traces: give no TRACE and no --conversation.")
    if selected and record:
        raise click.UsageError("--record is for one run: give TRACE or --conversation instead of a filter.")
    with open_source(store) as source:
        if selected:
            _of_many(source.findings(codes=codes, limit=limit, **selected), limit, as_json=as_json)
        else:
            found = target.find(source)
            answer = found.findings(codes=codes)
            explained(("findings",), _of_one(found, answer), found, source, as_json=as_json)
            if record:
                new = found.record_findings(answer)
                note(f"{new:,} of {len(answer):,} findings were recorded; the others were there already")


def _of_one(found: Trace | Conversation, answer: Findings) -> Answer:
    from otel_mas.report import terminal
    from otel_mas.report.json.findings import finding

    causal = found.graph().causal
    return Answer(
        lambda: [finding(one) for one in answer],
        under_heading(found, lambda width: terminal.findings(answer, answer.undecided, causal, width)),
    )


def _of_many(answer: FindingGroups, limit: int, *, as_json: bool) -> None:
    from otel_mas.report.json.findings import finding_group
    from otel_mas.report.query_tables import finding_groups
    from otel_mas.report.terminal import table

    if as_json:
        print_json([finding_group(one) for one in answer])
    else:
        note(f"runs that were read: {answer.examined:,}")
        print_lines(lambda width: table(finding_groups(answer, None), width))
    note_limits(answer, limit)
