"""Commands about faults of a run: `findings` lists them, `explain` names the most probable cause first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_mas.analyse.root_cause import Complaint
from otel_mas.cli.explain import Answer, explains, under_heading

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Trace


@explains("explain")
@click.option(
    "--complaint",
    type=click.Choice([one.value for one in Complaint]),
    help="What somebody has against it, beside errors that were recorded.",
)
def explain(found: Trace | Conversation, complaint: str | None) -> Answer:
    """Show what a run most probably failed of, and all findings about it.

    The root cause of the error that ended it, or of a --complaint: its answer is wrong or missing, or it was late. No
    model is asked.
    """
    from otel_mas.analyse.root_cause import Marked
    from otel_mas.report import terminal
    from otel_mas.report.json.findings import explanation

    answer = found.explain(complaint=None if complaint is None else Marked(Complaint(complaint)))
    causes, findings, undecided = answer.root_cause, answer.findings, answer.findings.undecided
    causal = found.graph().causal
    return Answer(
        lambda: explanation(answer.complaint, causes, findings, undecided, found.problems),
        under_heading(found, lambda width: terminal.explanation(causes, findings, undecided, causal, width)),
    )


@explains("findings")
@click.option("--code", "codes", metavar="CODE", multiple=True, help="Only findings of this kind; may be repeated.")
def findings(found: Trace | Conversation, codes: tuple[str, ...]) -> Answer:
    """Show findings about a run, each with its confidence, its evidence, its cost, and advice.

    No model is asked. "recorded" evidence was written down while the app ran, "metadata" was joined by ids, "inferred"
    follows from these. Kinds that the recording cannot tell of are listed as well.
    """
    from otel_mas.report import terminal
    from otel_mas.report.json.findings import finding

    answer, causal = found.findings(codes=codes), found.graph().causal
    return Answer(
        lambda: [finding(one) for one in answer],
        under_heading(found, lambda width: terminal.findings(answer, answer.undecided, causal, width)),
    )
