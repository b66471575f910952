"""Printing: answers on stdout, notes on stderr."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO, TypeVar

from otel_mas.errors.printable import printable, printable_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from otel_mas.api import Conversation, Source, Trace

F = TypeVar("F")


class Limited(Protocol):
    """An answer about many traces."""

    @property
    def limited(self) -> bool: ...
    @property
    def incomplete(self) -> str | None: ...


PIPED_WIDTH = 120
_MAX_WIDTH = 160
_MAX_PROBLEMS = 20


def print_lines(lines: Callable[[int], Iterable[Text]], err: bool = False) -> None:
    """Print lines that are made for a width: coloured on a terminal, plain and of a fixed width elsewhere."""
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        for line in lines(PIPED_WIDTH):
            print_line(line.plain.rstrip(), err=err)
        return
    console = _terminal(stream)
    for line in lines(min(console.width, _MAX_WIDTH)):
        line.plain = printable(line.plain)  # of the same length, so that the styles keep their places
        console.print(line, no_wrap=True, overflow="ignore", crop=False)


def _terminal(stream: TextIO) -> Console:
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)


def print_json(document: object) -> None:
    """One JSON document; indented, for people read it too."""
    import orjson

    document_text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    _print(printable_json(document_text))


def print_json_line(document: object) -> None:
    """One JSON document on a line, for programs that read line by line."""
    import orjson

    _print(printable_json(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS).decode()))


def print_problems(problems: Iterable[str]) -> None:
    """Print problems of a shown trace on stderr, a line each."""
    from otel_mas.report.text import plain

    lines = [plain(problem) for problem in problems]
    for line in lines[:_MAX_PROBLEMS]:
        note(line)
    if len(lines) > _MAX_PROBLEMS:
        note(f"and {len(lines) - _MAX_PROBLEMS} more problems; --json lists all of them.")


def note(message: str) -> None:
    """A line for the person at the terminal that is no part of the answer."""
    print_line(f"otel-mas: {message}", err=True)


def note_limits(answer: Limited, limit: int, noun: str = "traces") -> None:
    """Say on stderr which part of what was asked about was not read."""
    if answer.limited:
        note(f"only the newest {limit:,} {noun} were read; --limit reads more")
    if answer.incomplete:
        note(answer.incomplete)


def print_line(line: str, err: bool = False) -> None:
    """Print one line, whose foreign text may hold anything: no control character reaches the terminal."""
    _print(printable(line), err)


def _print(text: str, err: bool = False) -> None:
    # Not `click.echo`, which sends UTF-8 to a terminal that says that it has ASCII.
    print(text, file=sys.stderr if err else sys.stdout, flush=True)


def naming(found: Trace | Conversation, source: Source) -> tuple[str, ...]:
    """The words of a command line that name a trace, or the conversation that it is part of."""
    from otel_mas.api import Trace

    thread = found.conversation_id if isinstance(found, Trace) else found.thread
    if thread is None:
        return (found.spans[0].trace_id[:12],) if found.spans else ("latest",)
    if source.capabilities.local:
        services = {summary.service for summary in source.traces(conversation=thread, limit=sys.maxsize)}
        needs_service = len(services) > 1
    else:  # to look for other services would cost requests
        needs_service = bool(found.service)
    return ("--conversation", thread, *(("--service", found.service) if needs_service else ()))


def target_words(found: Trace | Conversation, source: Source) -> tuple[str, ...]:
    """The words of a command line that name exactly this trace, or this conversation."""
    from otel_mas.api import Trace

    if not isinstance(found, Trace):
        return naming(found, source)
    return (found.trace_id[:12] if source.capabilities.id_prefixes else found.trace_id,)


def pasteable(*words: str, store: str) -> str:
    """A command line of ours that works when pasted: names the store where it is not the default one."""
    from otel_mas.config import Settings

    default = Path(Settings.from_env().store).expanduser()
    if "://" in store:
        place = ["--from", store]
    else:
        place = [] if Path(store).absolute() == default.absolute() else ["--store", store]
    return shlex.join(["otel-mas", *words, *place])
