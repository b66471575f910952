"""`otel-mas explain`: what a run most probably failed of, and who introduced a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from otel_mas.analyse.complaints import ComplaintLabel
from otel_mas.cli.answers import Answer, explained, under_heading
from otel_mas.cli.options import Target, one_target, source_options
from otel_mas.cli.output import pasteable, target_words

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.api import Conversation, Source, Trace


@click.command("explain")
@one_target
@click.option(
    "--complaint",
    type=click.Choice([one.value for one in ComplaintLabel]),
    help="What somebody has against it; by default what was marked, beside errors that were recorded.",
)
@click.option("--text", help="Only who brought this text or value in, who read it, and where it was last seen.")
@source_options
def command(target: Target, complaint: str | None, text: str | None, store: str | None, as_json: bool) -> None:
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
