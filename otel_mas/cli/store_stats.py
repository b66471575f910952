"""`otel-mas store stats`: what is in a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypedDict

from otel_mas.cli.output import print_json, say
from otel_mas.cli.ship_status import DestinationForm, form
from otel_mas.store.health import StoreStats, read_stats

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
    redacted: Annotated[dict[str, int], "secrets that were taken out, by rule"]
    destinations: Annotated[list[DestinationForm], "where it is shipped to, and how far that is"]


class CheckDocument(TypedDict):
    path: Annotated[str, "of the store"]
    problems: Annotated[list[str], "a line for each thing that is wrong; empty where the store is sound"]


def show(path: Path, as_json: bool) -> None:
    """Print what there is to say of the store."""
    found = read_stats(path)
    if as_json:
        print_json(_document(found))
        return
    for line in _lines(found):
        say(line)


def _document(found: StoreStats) -> StatsDocument:
    return StatsDocument(
        path=str(found.path),
        layout=found.layout,
        file_bytes=found.file_bytes,
        wal_bytes=found.wal_bytes,
        used_bytes=found.used_bytes,
        traces=found.traces,
        incomplete=found.incomplete,
        spans=found.spans,
        open_spans=found.open_spans,
        messages=found.messages,
        oldest_ns=found.oldest_ns,
        newest_ns=found.newest_ns,
        recording=[
            RecordingForm(service=one.service, run_id=one.run_id, heartbeat_ns=one.heartbeat_ns)
            for one in found.writing
        ],
        dropped=[DroppedForm(reason=one.reason, spans=one.spans, contents=one.contents) for one in found.dropped],
        withheld=found.withheld,
        redacted=dict(found.redacted),
        destinations=[form(one) for one in found.destinations],
    )


def _lines(found: StoreStats) -> Iterator[str]:
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
