"""`otel-mas diff`: two runs, or two sets of runs, step by step."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypedDict

import click

from otel_mas.cli.files import written
from otel_mas.cli.filters import filters_of, limit_option
from otel_mas.cli.options import not_empty, parsed_by, source_options
from otel_mas.cli.output import note, note_limits, print_json, print_lines, print_problems

if TYPE_CHECKING:
    from otel_mas.api import Conversation, Source, Trace
    from otel_mas.api.diff import Diff, SetDiff

DIFFERENT = 1
_STDOUT = "-"
_THREAD = "thread:"


class _Limits(TypedDict):
    ratio: float
    least: str
    least_usd: float


@click.command("diff")
@click.argument("first", metavar="[A]", required=False)
@click.argument("second", metavar="[B]", required=False)
@click.option("--before", metavar="KEY=VALUE", multiple=True, help="Instead of A: a set of runs.")
@click.option("--after", metavar="KEY=VALUE", multiple=True, help="Instead of B: a set of runs.")
@limit_option("How many of each set at most.")
@click.option("--against", metavar="SOURCE", callback=not_empty, help="Read B from here instead of where A is from.")
@click.option("--ratio", type=float, default=1.25, show_default=True, help="Slower: so many times as long, or as dear.")
@click.option(
    "--least",
    metavar="DURATION",
    default="20ms",
    show_default=True,
    callback=parsed_by("duration_ns"),
    help="Slower: and by this much.",
)
@click.option("--least-usd", type=float, default=0.00001, show_default=True, help="Dearer: and by this much.")
@click.option("--all", "every", is_flag=True, help="Print every step, also those that are the same.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where something differs, as `git diff` does.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    callback=not_empty,
    help="Write a page to this file, too; - prints the page alone.",
)
@source_options
def command(
    first: str | None,
    second: str | None,
    before: tuple[str, ...],
    after: tuple[str, ...],
    limit: int,
    against: str | None,
    ratio: float,
    least: str,
    least_usd: float,
    every: bool,
    exit_code: bool,
    output: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Show two runs step by step: steps added, removed, reordered, asked or answered differently, slower, dearer.

    Steps are aligned by causal place (writer#2 is writer#2), then by what they were asked and answered, so a step that
    was inserted shifts none of the others. "differs from X on": X differs although none of its causes does.

    A and B are ids of traces or their beginnings, "latest", or thread:NAME for a conversation. Without B it is the
    latest trace; without A, too, the one before it. With --before and --after, of which KEY is as in `otel-mas
    compare`, sets of runs are compared by the labels of their steps: in what share of the runs each is, and medians.

    The exit code is 0; with --exit-code it is 1 where two runs differ in anything but times and costs, or where a
    difference was found between two sets.

    \b
    otel-mas diff 1ba1b66c d851fb2f
    otel-mas diff 1ba1b66c latest --against yesterday.db --exit-code
    otel-mas diff --before service.version=1.1 --after service.version=1.2
    """
    from otel_mas.api import open as open_source

    limits: _Limits = {"ratio": ratio, "least": least, "least_usd": least_usd}
    with ExitStack() as opened:
        source = opened.enter_context(open_source(store))
        other = source if against is None else opened.enter_context(open_source(against))
        if before or after:
            if first is not None or not (before and after):
                raise click.UsageError("Give either A and B, or both --before and --after.")
            sets = (filters_of("--before", before), filters_of("--after", after))
            found: Diff | SetDiff = source.diff(before=sets[0], after=sets[1], limit=limit, against=other, **limits)
            problems: Iterable[str] = ()
        else:
            one, two = _runs(source, other, first, second)
            found, problems = one.diff(two, **limits), [*one.problems, *two.problems]
        if output == _STDOUT:
            sys.stdout.buffer.write(found.to_html().encode())
        else:
            if output is not None:
                _write(found, output)
            _print(found, limit, every=every, as_json=as_json)
        print_problems(dict.fromkeys(problems))
    if exit_code and not found.same:
        click.get_current_context().exit(DIFFERENT)


def _write(found: Diff | SetDiff, output: str) -> None:
    document = found.to_html().encode()
    with written(output) as file:
        file.write(document)
    note(f"wrote {output} ({len(document) / 1024:,.0f} KB): open it in a browser")


def _print(found: Diff | SetDiff, limit: int, *, every: bool, as_json: bool) -> None:
    from otel_mas.api.diff import SetDiff
    from otel_mas.report import terminal

    if as_json:
        print_json(found.to_json())
    elif isinstance(found, SetDiff):
        print_lines(lambda width: terminal.set_diff(found, width, every=every))
    else:
        print_lines(lambda width: terminal.diff(found, found.outputs, width, every=every))
    if isinstance(found, SetDiff):
        note_limits(found, limit, "runs of a set")


def _runs(
    source: Source, other: Source, first: str | None, second: str | None
) -> tuple[Trace | Conversation, Trace | Conversation]:
    two = _run(other, second or "latest")
    if first is not None:
        return _run(source, first), two
    if other is not source:
        return _run(source, "latest"), two
    newest = source.traces(limit=2)
    if len(newest) < 2:
        raise click.UsageError(f"{source.location} has one trace only: there is none to compare it with.")
    return source.trace(newest[1].trace_id), two


def _run(source: Source, name: str) -> Trace | Conversation:
    """Raises `TraceNotFound`."""
    if name.startswith(_THREAD):
        return source.conversation(name.removeprefix(_THREAD))
    return source.latest() if name == "latest" else source.trace(name)
