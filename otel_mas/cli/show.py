"""`otel-mas show`: a trace as a tree, or everything about one span."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from otel_mas.cli.answers import Answer, explained
from otel_mas.cli.options import Target, conversation_options, source_options

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.api import Conversation, Source, Trace

_HEX = re.compile(r"[0-9a-fA-F]{4,32}")
_SPAN_ID = 16


@click.command("show")
@click.argument("what", metavar="[TRACE | SPAN | TASK]", required=False)
@click.option("--trace", metavar="TRACE", help="Whose span or task, instead of one of the latest trace.")
@conversation_options
@source_options
def command(
    what: str | None,
    trace: str | None,
    conversation: str | None,
    service: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Show a trace as a tree: what ran inside what, when, and for how long; or everything about one span.

    Without an argument it is the latest trace. TRACE is the id of a trace or the beginning of it, or "latest". SPAN is
    the id of a span, or the beginning of it; TASK is a task's label, such as researcher#1/model#2: of the latest trace,
    or of --trace or --conversation.
    """
    from otel_mas.api import open as open_source

    with open_source(store) as source:
        target, name = _asked(source, what, trace, Target(None, conversation, service))
        found = target.find(source)
        answer = _tree(found) if name is None else _spans(found, name)
        words: tuple[str, ...] = ("show",) if name is None else ("show", name)
        explained(words, answer, found, source, as_json=as_json)


def _asked(source: Source, what: str | None, trace: str | None, target: Target) -> tuple[Target, str | None]:
    """The trace or conversation that is meant, and the name of one of its spans."""
    if trace is not None:
        if what is None:
            raise click.UsageError("--trace says whose span is meant: name a span or a task too, or give TRACE alone.")
        return Target(trace, target.conversation, target.service), what
    if what is None or target.conversation is not None:
        return target, what
    return (Target(what, None, None), None) if _is_trace(source, what) else (target, what)


def _is_trace(source: Source, what: str) -> bool:
    """Whether it names a trace: ids of spans are as long as some beginnings of those of traces."""
    from otel_mas.errors import TraceNotFound, UnsupportedQuery

    if what == "latest":
        return True
    if not _HEX.fullmatch(what):
        return False
    if len(what) > _SPAN_ID or not source.capabilities.local:
        return len(what) > _SPAN_ID
    try:
        source.trace(what)
    except (TraceNotFound, UnsupportedQuery):
        return not _names_span(source, what)
    return True


def _names_span(source: Source, what: str) -> bool:
    """Whether the latest trace has such a span; where it has none, the error is that of a trace."""
    from otel_mas.analyse.spans import find_spans
    from otel_mas.errors import TraceNotFound

    try:
        return bool(find_spans(source.latest().graph().causal, what))
    except TraceNotFound:
        return False


def _tree(found: Trace | Conversation) -> Answer:
    from otel_mas.api import Conversation
    from otel_mas.report import json, terminal

    notes = found.questions(), found.reasons(), found.error_messages()

    def trees(width: int) -> Iterator[Text]:
        from rich.text import Text

        for position, trace in enumerate(found.traces if isinstance(found, Conversation) else (found,)):
            if position:
                yield Text("")
            yield from terminal.heading(trace.spans, width)
            yield from terminal.tree(trace.graph().causal, width, *notes)

    return Answer(lambda: json.spans(found.spans, found.problems, *notes), trees)


def _spans(found: Trace | Conversation, name: str) -> Answer:
    from otel_mas.report.json.span import span_details
    from otel_mas.report.terminal.span import span

    details = found.span_details(name)

    def lines(width: int) -> Iterator[Text]:
        from rich.text import Text

        for position, one in enumerate(details):
            if position:
                yield Text("")
            yield from span(one, width)

    return Answer(lambda: span_details(details, found.problems), lines)
