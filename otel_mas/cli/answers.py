"""Answers of commands about one trace or conversation: as JSON, or as lines under a heading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from otel_mas.cli.options import Target, one_target, source_options
from otel_mas.cli.output import naming, note, pasteable, print_json, print_lines, print_problems

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.api import Conversation, Source, Trace


class Answer(NamedTuple):
    """A command's answer: a JSON document, and lines for a width; only the one that is asked for is made."""

    document: Callable[[], object]
    lines: Callable[[int], Iterable[Text]]


def explains(name: str, argument: str | None = None) -> Callable[[Callable[..., Answer]], click.Command]:
    """A command that prints an answer about what TRACE or --conversation names, and on stderr what is wrong with it.

    It may take an argument of its own before TRACE.
    """

    def decorate(answer: Callable[..., Answer]) -> click.Command:
        @one_target
        @source_options
        @wraps(answer)
        def command(target: Target, store: str | None, as_json: bool, **options: Any) -> None:
            from otel_mas.api import open as open_source

            with open_source(store) as source:
                found = target.find(source)
                words = (name, options[argument]) if argument else (name,)
                explained(words, answer(found, **options), found, source, as_json=as_json)

        return click.command(name)(click.argument(argument)(command) if argument else command)

    return decorate


def explained(
    asked: Sequence[str], answer: Answer, found: Trace | Conversation, source: Source, *, as_json: bool
) -> None:
    """Print an answer to these words of a command line."""
    if as_json:
        print_json(answer.document())
    else:
        print_lines(answer.lines)
    print_problems(found.problems)
    _note_conversation(asked, found, source)


def _note_conversation(asked: Sequence[str], found: Trace | Conversation, source: Source) -> None:
    """Note how to read the conversation that a trace belongs to; counting its traces must cost no request."""
    from otel_mas.api import Trace

    thread = found.conversation_id if isinstance(found, Trace) else None
    if thread is None or not isinstance(found, Trace) or not source.capabilities.conversations:
        return
    everything = pasteable(*asked, *naming(found, source), store=source.location)
    if not source.capabilities.local:
        note(f"this trace belongs to thread {thread}; all of it: {everything}")
        return
    number = len(source.traces(conversation=thread, service=found.service or None, limit=1_000))
    if number > 1:
        note(f"this is one of {number} traces of thread {thread}; all of them: {everything}")


def under_heading(
    found: Trace | Conversation, lines: Callable[[int], Iterable[Text]]
) -> Callable[[int], Iterator[Text]]:
    def report(width: int) -> Iterator[Text]:
        from rich.text import Text

        from otel_mas.report import terminal

        yield from terminal.heading(found.spans, width)
        yield Text("")
        yield from lines(width)

    return report
