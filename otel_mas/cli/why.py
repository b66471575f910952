"""The commands that say why something is as it is: why-not, state and error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from otel_mas.cli.answers import Answer, explains, under_heading

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.api import Conversation, Trace


@explains("why-not", "agent")
def why_not(found: Trace | Conversation, agent: str) -> Answer:
    """Show why AGENT did not act, or where it did.

    AGENT is the name of an agent or of a node. The answer is one sentence, with the spans that show it, and says
    whether it was recorded or is inferred from what the graph declares and what is absent.
    """
    from otel_mas.report import terminal
    from otel_mas.report.json.why_not import why_not as document

    answer, causal = found.why_not(agent), found.graph().causal
    return Answer(
        lambda: document(answer, causal, found.problems),
        under_heading(found, lambda width: terminal.why_not(answer, causal, width)),
    )


@explains("state")
@click.option("--channel", metavar="NAME", help="Only changes of this channel.")
@click.option(
    "--at", metavar="TASK", help="The state that a task read (supervisor#2), or at a time from the start: +2.5s."
)
@click.option("--compare", nargs=2, metavar="A B", help="The states of two tasks, or of two times, side by side.")
def state(found: Trace | Conversation, channel: str | None, at: str | None, compare: tuple[str, str] | None) -> Answer:
    """Show what each task changed in the state, and which version of it another one read.

    A version counts the steps that wrote the channel. "add ←" is an update that a reducer of that name took in;
    without a reducer the old value is shown before the new one. A value that was not kept says so.
    """
    from otel_mas.report import terminal
    from otel_mas.report.json.state import state as document

    if sum(option is not None for option in (channel, at, compare)) > 1:
        raise click.UsageError("Give one of --channel, --at and --compare.")
    whole = found.state()
    start = min((span.start_ns for span in found.graph().causal.roots), default=0)
    if at is not None:
        snapshot = whole.at(at)
        return Answer(
            lambda: document(found.problems, snapshot=snapshot),
            under_heading(found, lambda width: terminal.state_at(snapshot, width)),
        )
    if compare is not None:
        comparison = whole.compare(*compare)
        return Answer(
            lambda: document(found.problems, comparison=comparison),
            under_heading(found, lambda width: terminal.states_compared(comparison, width)),
        )
    changes = (whole if channel is None else whole.channel(channel)).changes
    return Answer(
        lambda: document(found.problems, changes=changes),
        under_heading(found, lambda width: terminal.state(changes, start, width)),
    )


@explains("error")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
def error(found: Trace | Conversation, form: str) -> Answer:
    """Show everything about the errors of a run: stack, state and input, what led there, what ran side by side.

    Each error is one report, under the span in which it happened, however far it went up; one that was handled says by
    whom. Markdown is for an issue or a chat, HTML is a page of its own. All of it is redacted as the recording is.
    """
    from otel_mas.report import terminal
    from otel_mas.report.json.errors import errors as document

    reports = found.error_reports()
    if form != "text":
        written = reports.to_markdown if form == "markdown" else reports.to_html
        return Answer(lambda: document(reports, found.problems), lambda width: _as_they_are(written()))
    return Answer(
        lambda: document(reports, found.problems),
        under_heading(found, lambda width: terminal.errors(reports, width)),
    )


def _as_they_are(text: str) -> Iterator[Text]:
    from rich.text import Text

    yield from map(Text, text.splitlines())
