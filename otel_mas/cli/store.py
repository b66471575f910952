"""`otel-mas store`: looking after a store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import click

from otel_mas.cli.options import debug, json_option, not_empty, parsed_by, store_option
from otel_mas.cli.output import note, print_json, print_line
from otel_mas.cli.ship_status import DestinationForm, destination_form
from otel_mas.model.status import STATUSES
from otel_mas.report.forms import form_of

if TYPE_CHECKING:
    from otel_mas.model import TraceSummary
    from otel_mas.store.health import StoreStats

_MAX_LISTED = 20


# The second part of each Annotated is the field's documentation: docs/cli.md is generated from it.


class RecordingForm(TypedDict):
    service: Annotated[str, "the name of its service"]
    run_id: Annotated[str | None, "the `otel-mas run` that it belongs to"]
    heartbeat_ns: Annotated[int, "its last sign of life; nanoseconds since the Unix epoch"]


class DroppedForm(TypedDict):
    reason: Annotated[str, "why, such as queue full, disk full or exit time-out"]
    spans: Annotated[int, "spans that were recorded and not stored"]
    contents: Annotated[int, "contents and messages, likewise"]


class StatsDocument(TypedDict):
    path: Annotated[str, "of the store"]
    layout: Annotated[int, "version of its tables"]
    file_bytes: Annotated[int, "of the file"]
    wal_bytes: Annotated[int, "of its write-ahead log"]
    used_bytes: Annotated[int, "of the file, without free pages"]
    traces: Annotated[int, "how many"]
    incomplete: Annotated[int, "traces of which something is known to be missing"]
    spans: Annotated[int, "spans that have ended"]
    open_spans: Annotated[int, "spans that have not"]
    messages: Annotated[int, "messages, each counted once"]
    oldest_ns: Annotated[int | None, "start of the oldest trace; nanoseconds since the Unix epoch"]
    newest_ns: Annotated[int | None, "start of the newest trace"]
    recording: Annotated[list[RecordingForm], "processes that record now"]
    dropped: Annotated[list[DroppedForm], "what was dropped, by reason"]
    withheld: Annotated[int, "contents that could not be redacted"]
    redacted: Annotated[dict[str, int], "secrets and personal data that were taken out, by rule or kind"]
    destinations: Annotated[list[DestinationForm], "where it is shipped to, and how far that is"]


class CheckDocument(TypedDict):
    path: Annotated[str, "of the store"]
    problems: Annotated[list[str], "a line for each thing that is wrong; empty where the store is sound"]


@click.group("store")
def command() -> None:
    """Look after a store: statistics, damage and its repair, size."""


@command.command("stats")
@store_option
@json_option
def stats(store: str | None, as_json: bool) -> None:
    """Show sizes, counts, recording processes, dropped spans, and how far destinations are."""
    from otel_mas.store.health import read_stats

    found = read_stats(_path(store))
    if as_json:
        print_json(_stats_form(found))
        return
    for line in _stats_lines(found):
        print_line(line)


def _stats_form(found: StoreStats) -> StatsDocument:
    return form_of(
        StatsDocument,
        found,
        path=str(found.path),
        recording=[form_of(RecordingForm, one) for one in found.writing],
        dropped=[form_of(DroppedForm, one) for one in found.dropped],
        redacted=dict(found.redacted),
        destinations=[destination_form(one) for one in found.destinations],
    )


def _stats_lines(found: StoreStats) -> Iterator[str]:
    from otel_mas.report.text import byte_size, count, local_time, plain

    yield f"{found.path} (layout {found.layout})"
    journal = f", and {byte_size(found.wal_bytes)} of write-ahead log" if found.wal_bytes else ""
    yield f"  size       {byte_size(found.file_bytes)}, of which {byte_size(found.used_bytes)} in use{journal}"
    incomplete = f", {found.incomplete:,} incomplete" if found.incomplete else ""
    yield f"  traces     {found.traces:,}{incomplete}"
    yield f"  spans      {found.spans:,}" + (f", and {found.open_spans:,} open" if found.open_spans else "")
    yield f"  messages   {found.messages:,}"
    if found.oldest_ns is not None and found.newest_ns is not None:
        yield f"  from       {local_time(found.oldest_ns)} to {local_time(found.newest_ns)}"
    for process in found.writing:
        yield f"  recording  {plain(process.service)}" + (f", run {process.run_id}" if process.run_id else "")
    for one in found.dropped:
        contents = f" and {count(one.contents, 'content')}" if one.contents else ""
        yield f"  dropped    {count(one.spans, 'span')}{contents}: {one.reason}"
    if found.redacted:
        yield f"  redacted   {', '.join(f'{taken:,} {rule}' for rule, taken in found.redacted.items())}"
    if found.withheld:
        yield f"  withheld   {count(found.withheld, 'content')} that could not be redacted"
    for destination in found.destinations:
        yield f"  shipped    {destination.shipped:,} to {plain(destination.name)}, {destination.waiting:,} wait"


@command.command("check")
@store_option
@json_option
@click.pass_context
def check(ctx: click.Context, store: str | None, as_json: bool) -> None:
    """Check the whole file, one line for each thing that is wrong; exit code 1 if anything is.

    SQLite's own check, missing tables and columns, values of wrong types, rows that refer to nothing, summaries that do
    not fit their spans, and content that cannot be decoded.
    """
    from otel_mas.store.upkeep.check import check as checked

    path = _path(store)
    problems = checked(path)
    if as_json:
        print_json(CheckDocument(path=str(path), problems=problems))
    else:
        for problem in problems:
            print_line(problem)
        note(f"{path} is damaged: `otel-mas store repair` saves what can be read" if problems else f"{path} is sound")
    if problems:
        ctx.exit(1)


@command.command("repair")
@click.option(
    "--into", metavar="FILE", callback=not_empty, help="The new file. [default: the store's name with .repaired]"
)
@store_option
@debug
def repair(store: str | None, into: str | None) -> None:
    """Save the readable part of a damaged store into a new file, and list what was lost.

    The damaged file is not changed. To go on with the new one, move the old file and its -wal and -shm away, and the
    new one to its place.
    """
    from otel_mas.report.text import count
    from otel_mas.store.upkeep.repair import repair as repaired

    path = _path(store)
    done = repaired(path, Path(into) if into else path.with_name(f"{path.stem}.repaired{path.suffix}"))
    saved = ", ".join(count(done.saved.get(f"{thing}s", 0), thing) for thing in ("trace", "span", "message"))
    print_line(f"saved {saved} into {done.path}")
    for line in done.lost:
        note(f"lost: {line}")


@command.command("compact")
@store_option
@debug
def compact(store: str | None) -> None:
    """Write the file anew without its free pages. Refused while a process records into it."""
    from otel_mas.report.text import byte_size
    from otel_mas.store.upkeep.shrink import compact as compacted

    before, after = compacted(_path(store))
    print_line(f"{byte_size(before)} before, {byte_size(after)} now")


@command.command("prune")
@click.argument("traces", nargs=-1, metavar="[TRACE]...")
@click.option("--older-than", metavar="AGE", callback=parsed_by("duration_ns"), help="Only started before: 12h, 30d.")
@click.option("--status", type=click.Choice(STATUSES), help="Only with this status.")
@click.option("--service", metavar="NAME", help="Only of this service.")
@click.option("--max-size", metavar="SIZE", help="Only as many, the oldest first, as bring the store below: 500MB.")
@click.option("--dry-run", is_flag=True, help="Delete nothing; list what would go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_option
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

    TRACE is the id of a trace or the beginning of it. Running traces stay. Spans that a destination has not got yet
    are counted as lost there. Refused while a process records.
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
    print_line(f"deleted {count(pruned(path, found), 'trace')}")


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

    for one in found[:_MAX_LISTED]:
        spans = count(one.span_count, "span")
        print_line(f"{one.trace_id[:12]}  {local_time(one.start_ns)}  {one.status:11}  {plain(one.name)}  {spans}")
    if len(found) > _MAX_LISTED:
        print_line(f"and {len(found) - _MAX_LISTED:,} more")


def _bytes(text: str) -> int:
    from otel_mas.config import parse

    try:
        return parse.size(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not {error}", param_hint="--max-size") from None


def _path(store: str | None) -> Path:
    from otel_mas.config import Settings

    return Path(Settings.from_env(store=store).store).expanduser()
