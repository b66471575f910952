"""`otel-mas log`: everything that was said and done, in causal order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otel_mas.cli.options import Target, not_empty, one_target, parsed_by, source_options
from otel_mas.cli.output import note, print_json_line, print_lines, print_problems

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.analyse.log import Entry
    from otel_mas.api import Conversation, Trace
    from otel_mas.api.follow import Follower
    from otel_mas.api.log import Selection


@click.command("log")
@one_target
@click.option(
    "--since",
    metavar="TIME",
    callback=parsed_by("instant_ns"),
    help="Every trace that started since, oldest first, instead of TRACE: 1h, 2d, 2026-11-21T10:00.",
)
@click.option("--agent", metavar="NAME", help="Only of this agent or task, or to or from it.")
@click.option("--tool", metavar="NAME", help="Only calls of this tool, and their results.")
@click.option("--model", metavar="NAME", help="Only prompts to this model, and its answers.")
@click.option("--kind", "kinds", metavar="KIND", multiple=True, help="Only of this kind; several add up.")
@click.option("--grep", metavar="TEXT", help="Only with this text in it, in any case.")
@click.option("--full", is_flag=True, help="Whole prompts, also what their reader knew, and all lines of every text.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    callback=not_empty,
    help="Write it there: JSON lines (.jsonl), or MessagePack (.msgpack).",
)
@click.option("--follow", is_flag=True, help="Show apps as they run, until Ctrl-C; with TRACE until it has ended.")
@source_options
def command(
    target: Target,
    store: str | None,
    as_json: bool,
    since: str | None,
    kinds: tuple[str, ...],
    output: str | None,
    follow: bool,
    **chosen: Any,
) -> None:
    """Show what was said and done, in causal order.

    An entry for each prompt (what is new to its reader), answer, tool call and result, hand-off, Send, routing
    decision, verdict of a guardrail, grade, retrieval, question to a person and its answer, change of the state, retry
    and error.
    """
    from otel_mas.api import open as open_source
    from otel_mas.api.log import Selection
    from otel_mas.trace_records.encoded import names_a_form

    if since is not None and (target.trace or target.conversation):
        raise click.UsageError("--since is every trace of that time: give no TRACE and no --conversation.")
    if output is not None and not names_a_form(Path(output)):
        raise click.UsageError(f"{output}: end its name in .jsonl or .msgpack, which says in which form it is.")
    if follow and (since is not None or output is not None):
        raise click.UsageError("--follow shows what happens from now on: give no --since and no --output.")
    selection = Selection.of(kinds=kinds, **chosen)
    with open_source(store) as source:
        if follow:
            trace_id = target.find(source).spans[0].trace_id if target.trace == "latest" else target.trace
            follower = source.follow(trace_id, conversation=target.conversation, kinds=kinds, **chosen)
            _follow(follower, as_json, selection.full)
            return
        runs = [target.find(source)] if since is None else source.each(since=since, grep=selection.chosen.text)
        if output is not None:
            _write(output, selection.entries(runs))
        elif as_json:
            for entry in selection.entries(runs):
                print_json_line(_form(entry))
        else:
            _print(runs, selection)


def _print(runs: Iterable[Trace | Conversation], selection: Selection) -> None:
    """Lines under a heading for each run that has an entry; on stderr what is wrong with it."""
    problems: list[str] = []
    shown = 0

    def lines(width: int) -> Iterator[Text]:
        nonlocal shown
        from rich.text import Text

        from otel_mas.report import terminal

        for run, entries in selection.by_run(runs):
            for number, entry in enumerate(entries):
                if not number:
                    if shown:
                        yield Text("")
                    yield from terminal.heading(run.spans, width)
                    yield Text("")
                yield from terminal.log([entry], width, run.spans[0].start_ns, full=selection.full)
                shown += 1
            problems.extend(run.problems)

    print_lines(lines)
    if not shown:
        note("nothing matches" if selection.chooses else "nothing was said or done in it")
    print_problems(problems)


def _follow(follower: Follower, as_json: bool, full: bool) -> None:
    """Print entries as they become known; those of another trace than the one before under its name."""
    shown: str | None = None

    def lines(width: int) -> Iterator[Text]:
        nonlocal shown
        from rich.text import Text

        from otel_mas.report import terminal

        for entry in follower:
            if entry.trace_id != shown:
                shown = entry.trace_id
                yield Text(f"── trace {entry.trace_id[:16]}", style="dim")
            yield from terminal.log([entry], width, None, full=full)

    try:
        with follower:
            if as_json:
                for entry in follower:
                    print_json_line(_form(entry))
            else:
                print_lines(lines)
    except KeyboardInterrupt:
        return
    if follower.trace_id in follower.stopped:
        note("the process of this trace is gone: some of its spans have not ended")


def _form(entry: Entry) -> dict[str, Any]:
    from otel_mas.report.json import log as json

    return dict(json.entry(entry))


def _write(output: str, entries: Iterable[Entry]) -> None:
    from otel_mas.cli.files import written
    from otel_mas.trace_records.encoded import encoded_fields, is_message_pack

    number = 0
    with written(output) as file:
        for line in encoded_fields(map(_form, entries), is_message_pack(Path(output))):
            file.write(line)
            number += 1
    note(f"wrote {number:,} {'entry' if number == 1 else 'entries'} to {output}")
