"""`otel-mas mark`: a judgement of a recorded run, kept with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict

import click

from otel_mas.cli.options import Target, one_target, source_options
from otel_mas.cli.output import note, pasteable, print_json, print_line, target_words

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Source, Trace

_LABELS = {"wrong": "Its answer is wrong.", "missing": "Its answer, or a part of it, is missing."} | {
    "late": "It took too long.",
    "right": "Its answer is right; takes an earlier complaint back.",
}


class MarkDocument(TypedDict):
    trace: Annotated[str, "id of the trace"]
    span: Annotated[str, "id of the span that holds the judgement"]


@click.command("mark")
@one_target
@click.option("--span", metavar="SPAN", help="Only this span or task of it: a span id, or a label such as writer#1.")
@click.option("--wrong", "label", flag_value="wrong", default=None, help=_LABELS["wrong"])
@click.option("--missing", "label", flag_value="missing", help=_LABELS["missing"])
@click.option("--late", "label", flag_value="late", help=_LABELS["late"])
@click.option("--right", "label", flag_value="right", help=_LABELS["right"])
@click.option("--score", type=float, metavar="NUMBER", help="The judgement as a number; 0 is wrong.")
@click.option("--because", "reason", metavar="TEXT", help="Why. Values in it are looked for; secrets are taken out.")
@click.option("--name", default="feedback", show_default=True, help="The quality that is judged.")
@click.option("--by", "author", metavar="NAME", help="The one who judges.")
@source_options
def command(
    target: Target,
    span: str | None,
    label: str | None,
    score: float | None,
    reason: str | None,
    name: str,
    author: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Mark a recorded run, or a span of it, as wrong, missing, late or right, or with a score.

    The mark is a span of the same trace: it is shipped, exported and shown as others are, and changes neither status
    nor duration. `otel-mas explain` starts from it.
    """
    from otel_mas.api import open as open_source

    if label is None and score is None:
        raise click.UsageError("say what it is: --wrong, --missing, --late, --right, or --score NUMBER.")
    with open_source(store) as source:
        found = target.find(source)
        written = found.mark(label, score=score, reason=reason, span=span, name=name, author=author)
        if as_json:
            print_json(MarkDocument(trace=_trace_id(found, span), span=written))
        else:
            _answer(found, source, span, label, score)


def _answer(
    found: Trace | Conversation, source: Source, span: str | None, label: str | None, score: float | None
) -> None:
    what = " and ".join(filter(None, (label, None if score is None else f"score {score:g}")))
    where = f"{span} in " if span else ""
    print_line(f"Marked {where}trace {_trace_id(found, span)[:12]} as {what}.")
    if label != "right":
        note(f"what caused it: {pasteable('explain', *target_words(found, source), store=source.location)}")


def _trace_id(found: Trace | Conversation, span: str | None) -> str:
    """The id of the trace of the judged span; of a conversation by default the last one."""
    from otel_mas.api import Trace

    if span is not None:
        return found.span(span).trace_id
    return found.trace_id if isinstance(found, Trace) else found.traces[-1].trace_id
