"""The commands that explain one trace or conversation: graph, critical-path and cost."""

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


@explains("graph")
def graph(found: Trace | Conversation) -> Answer:
    """Show what caused what: each task with its causes, how, and what each join waited for.

    A lane is a cause under way to its effect, ● a task, ○ one without a cause in the picture. "read" names those whose
    messages a task read although they did not cause it.
    """
    from otel_mas.report import json, terminal

    causal, questions = found.graph().causal, found.questions()
    return Answer(
        lambda: json.graph(causal, found.problems, questions),
        under_heading(found, lambda width: terminal.graph(causal, width, questions, found.reasons())),
    )


@explains("critical-path")
@click.option("--all", "every", is_flag=True, help="Show small steps too, instead of gathering them.")
def critical_path(found: Trace | Conversation, every: bool) -> Answer:
    """Show what the duration is made of, step by step, and why each next step waited.

    Only what is listed here makes a run shorter when it gets faster. The percentages leave out the time spent
    waiting for input.
    """
    from otel_mas.report import json, terminal

    causal, path = found.graph().causal, found.graph().critical_path()
    return Answer(
        lambda: json.critical_path(causal, path, found.problems),
        under_heading(found, lambda width: terminal.critical_path(causal, path, width, every=every)),
    )


@explains("cost")
def cost(found: Trace | Conversation) -> Answer:
    """Show tokens and cost in USD, by agent and by model.

    A call whose model has no known price is named, and counts as unknown, not as 0.
    """
    from otel_mas.report import json, terminal

    table = found.graph().cost()
    return Answer(
        lambda: json.cost(table, found.problems), under_heading(found, lambda width: terminal.cost(table, width))
    )
