"""Commands about faults of a run: `findings` lists them, `explain` names the most probable cause first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from otel_mas.analyse.root_cause import Complaint
from otel_mas.cli.explain import Answer, explained, under_heading
from otel_mas.cli.filters import filter_options, limit_option
from otel_mas.cli.options import Target, one_target, source_options
from otel_mas.cli.output import note, note_limits, pasteable, print_json, print_lines, target_words

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.api import Conversation, Source, Trace
    from otel_mas.api.findings import FindingGroups, Findings


@click.command("explain")
@one_target
@click.option(
    "--complaint",
    type=click.Choice([one.value for one in Complaint]),
    help="What somebody has against it; by default what was marked, beside errors that were recorded.",
)
@click.option("--text", help="Only who brought this text or value in, who read it, and where it was last seen.")
@source_options
def explain(target: Target, complaint: str | None, text: str | None, store: str | None, as_json: bool) -> None:
    """Show what a run most probably failed of, what to look at next, and all findings about it.

    The root cause of the error that ended it, or of a complaint: its answer is wrong or missing, or it was late. That
    is the one that `otel-mas mark` recorded, or an evaluation of the answer that failed, or --complaint. No model is
    asked.
    """
    from otel_mas.api import open as open_source

    if text is not None and complaint is not None:
        raise click.UsageError("--text asks for a text, --complaint for a cause: give one of them.")
    with open_source(store) as source:
        found = target.find(source)
        answer = _explanation(found, source, complaint) if text is None else _introduction(found, text)
        explained(("explain",) if text is None else ("explain", "--text", text), answer, found, source, as_json=as_json)


def _introduction(found: Trace | Conversation, text: str) -> Answer:
    from otel_mas.report import terminal
    from otel_mas.report.json.findings import introduction

    answer, causal = found.introduced(text), found.graph().causal
    return Answer(
        lambda: introduction(answer),
        under_heading(found, lambda width: terminal.introduced(answer, causal, width)),
    )


def _explanation(found: Trace | Conversation, source: Source, complaint: str | None) -> Answer:
    from otel_mas.report import terminal
    from otel_mas.report.json.findings import explanation

    answer = found.explain(complaint=complaint)
    causes, findings, undecided = answer.root_cause, answer.findings, answer.findings.undecided
    causal = found.graph().causal

    words_of_run = target_words(found, source)
    markable = source.capabilities.runs  # a store

    def command(name: str, *words: str) -> str:
        run = words_of_run
        if name == "show" and not run[0].startswith("-"):
            run = ("--trace", *run)
        return pasteable(name, *run, *words, store=source.location)

    def page(width: int) -> Iterable[Text]:
        return terminal.explanation(answer.complaint, causes, findings, undecided, causal, command, markable, width)

    return Answer(
        lambda: explanation(answer.complaint, causes, findings, undecided, found.problems), under_heading(found, page)
    )


@click.command("findings")
@one_target
@click.option("--code", "codes", metavar="CODE", multiple=True, help="Only findings of this kind; may be repeated.")
@click.option("--record", is_flag=True, help="Record them in the store with the run, for servers to show; each once.")
@filter_options(without=("conversation", "service"))
@limit_option("Of many runs, how many traces to read at most.")
@source_options
def findings(
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
        note(f"{answer.examined:,} runs were read")
        print_lines(lambda width: table(finding_groups(answer, None), width))
    note_limits(answer, limit)
