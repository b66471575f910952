"""Command `otel-mas findings`: faults of a run, with evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_mas.cli.explain import Answer, explains, under_heading

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Trace


@explains("findings")
@click.option("--code", "codes", metavar="CODE", multiple=True, help="Only findings of this kind; may be repeated.")
def command(found: Trace | Conversation, codes: tuple[str, ...]) -> Answer:
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
