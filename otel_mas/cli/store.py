"""`otel-mas store`: looking after a store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_mas.cli.options import answering, debug, not_empty, place, readable
from otel_mas.cli.output import note, print_json, say
from otel_mas.model.status import STATUSES

if TYPE_CHECKING:
    from otel_mas.model import TraceSummary

_MOST_LISTED = 20


@click.group("store")
def command() -> None:
    """Look after a store: what is in it, whether it is damaged, how to mend it and to make it smaller."""


@command.command("stats")
@place
@answering
def stats(store: str | None, as_json: bool) -> None:
    """Show sizes, counts, who records now, what was dropped, how far destinations are."""
    from otel_mas.cli import store_stats

    store_stats.show(_path(store), as_json)


@command.command("check")
@place
@answering
@click.pass_context
def check(ctx: click.Context, store: str | None, as_json: bool) -> None:
    """Check the whole file, one line for each thing that is wrong; exit code 1 if anything is.

    SQLite's own check, missing tables and columns, values of wrong types, rows that refer to nothing, summaries that do
    not fit their spans, and content that cannot be decoded.
    """
    from otel_mas.cli.store_stats import CheckDocument
    from otel_mas.store.upkeep.check import check as checked

    path = _path(store)
    problems = checked(path)
    if as_json:
        print_json(CheckDocument(path=str(path), problems=problems))
    else:
        for problem in problems:
            say(problem)
        note(f"{path} is damaged: `otel-mas store repair` saves what can be read" if problems else f"{path} is sound")
    if problems:
        ctx.exit(1)


@command.command("repair")
@click.option(
    "--into", metavar="FILE", callback=not_empty, help="The new file. [default: the store's name with .repaired]"
)
@place
@debug
def repair(store: str | None, into: str | None) -> None:
    """Save what can be read of a damaged store into a new file, and say what was lost.

    The damaged file is not changed. To go on with the new one, move the old file and its -wal and -shm away, and the
    new one to its place.
    """
    from otel_mas.report.text import count
    from otel_mas.store.upkeep.repair import repair as repaired

    path = _path(store)
    done = repaired(path, Path(into) if into else path.with_name(f"{path.stem}.repaired{path.suffix}"))
    saved = ", ".join(count(done.saved.get(f"{thing}s", 0), thing) for thing in ("trace", "span", "message"))
    say(f"saved {saved} into {done.path}")
    for line in done.lost:
        note(f"lost: {line}")


@command.command("compact")
@place
@debug
def compact(store: str | None) -> None:
    """Write the file anew without its free pages. Refused while a process records into it."""
    from otel_mas.report.text import byte_size
    from otel_mas.store.upkeep.shrink import compact as compacted

    before, after = compacted(_path(store))
    say(f"{byte_size(before)} before, {byte_size(after)} now")


@command.command("prune")
@click.argument("traces", nargs=-1, metavar="[TRACE]...")
@click.option("--older-than", metavar="AGE", callback=readable("duration_ns"), help="Only started before: 12h, 30d.")
@click.option("--status", type=click.Choice(STATUSES), help="Only with this status.")
@click.option("--service", metavar="NAME", help="Only of this service.")
@click.option("--max-size", metavar="SIZE", help="Only as many, the oldest first, as bring the store below: 500MB.")
@click.option("--dry-run", is_flag=True, help="Delete nothing; list what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@place
@debug
def prune(
    traces: tuple[str, ...],
    older_than: str | None,
    status: str | None,
    service: str | None,
    max_size: str | None,
    dry_run: bool,
    yes: bool,
    store: str | None,
) -> None:
    """Delete traces that fit everything that is given, with all that only they need.

    TRACE is the id of a trace or the beginning of it. What still runs stays, and what a destination has not got yet is
    counted as lost there. Refused while a process records.
    """
    from otel_mas.report.text import count
    from otel_mas.store.upkeep.shrink import prune as pruned

    if not any((traces, older_than, status, service, max_size)):
        raise click.UsageError("Say which: TRACE, --older-than, --status, --service or --max-size.")
    path = _path(store)
    limit = None if max_size is None else _bytes(max_size)
    found = _selected(path, traces, older_than, status, service, limit)
    _list(found)
    if not found or dry_run:
        note(f"{count(len(found), 'trace')} would be deleted" if found else "no trace fits: nothing to delete")
        return
    if not yes:
        click.confirm(f"Delete {count(len(found), 'trace')} from {path}?", abort=True, err=True)
    say(f"deleted {count(pruned(path, found), 'trace')}")


def _selected(
    path: Path,
    traces: tuple[str, ...],
    older_than: str | None,
    status: str | None,
    service: str | None,
    max_bytes: int | None,
) -> list[TraceSummary]:
    """The matching traces, oldest first."""
    import time

    from otel_mas.api.when import duration_ns
    from otel_mas.model import Query
    from otel_mas.store import StoreReader
    from otel_mas.store.health import examine
    from otel_mas.store.upkeep.shrink import used_per_trace

    with StoreReader(path) as reader:
        named = {reader.trace(one).trace_id for one in traces}
        found = reader.traces(Query(status=status, service=service, limit=sys.maxsize))[::-1]
    before_ns = None if older_than is None else time.time_ns() - duration_ns(older_than)
    found = [
        one
        for one in found
        if (not named or one.trace_id in named)
        and (before_ns is None or one.start_ns < before_ns)
        and one.status != "running"
    ]
    if max_bytes is None:
        return found
    used, sizes = examine(path, check_s=0.0).used_bytes, used_per_trace(path)
    kept = []
    for one in found:
        if used <= max_bytes:
            break
        used -= sizes.get(one.trace_id, 0)
        kept.append(one)
    return kept


def _list(found: list[TraceSummary]) -> None:
    from otel_mas.report.text import count, local_time, plain

    for one in found[:_MOST_LISTED]:
        spans = count(one.span_count, "span")
        say(f"{one.trace_id[:12]}  {local_time(one.start_ns)}  {one.status:11}  {plain(one.name)}  {spans}")
    if len(found) > _MOST_LISTED:
        say(f"and {len(found) - _MOST_LISTED:,} more")


def _bytes(text: str) -> int:
    from otel_mas.config import parse

    try:
        return parse.size(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not {error}", param_hint="--max-size") from None


def _path(store: str | None) -> Path:
    from otel_mas.config import Settings

    return Path(Settings.from_env(store=store).store).expanduser()
