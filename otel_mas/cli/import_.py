"""`otel-mas import`: OTLP files, and exports of other programs, into a store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_mas.cli.options import debug
from otel_mas.cli.output import note, print_line, print_problems

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

    from otel_mas.sources.exports.files import ExportFile
    from otel_mas.sources.otlp.files import OtlpFile

_DAY_NS = 86_400 * 10**9


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--store", metavar="PATH", help="Import into this store. [default: as for OTEL_MAS_STORE]")
@click.option(
    "--may-ship", is_flag=True, help="Allow shipping of the imported spans. Without, they stay on this machine."
)
@debug
def command(files: tuple[Path, ...], store: str | None, may_ship: bool) -> None:
    """Import files into a store: OTLP as JSON lines or protobuf, compressed with gzip, zstd or not at all, and what
    other programs have exported (docs/sources.md).

    A second import of a file changes nothing. Of a truncated file the whole lines or messages are imported. Spans are
    stored as they come; where OTEL_MAS_PERSONAL_DATA or OTEL_MAS_REMOVE_PATHS is set, without secrets and that data.
    """
    from otel_mas.config import Settings
    from otel_mas.errors import SourceError
    from otel_mas.store.importing import import_spans

    settings = Settings.from_env(store=store)
    opened = [_opened(path) for path in files]
    unreadable: list[str] = []
    done = import_spans(settings.store, _messages(opened, unreadable), may_ship=may_ship, settings=settings)
    print_problems(problem for file in opened for problem in file.problems)
    others = sum(getattr(file, "other_signals", 0) for file in opened)
    if others:
        note(f"left out {others} lines of logs and metrics")
    if done.without_ids:
        note(f"left out {done.without_ids} spans without ids")
    print_line(f"imported {done.added} spans into {settings.store}; {done.duplicates} were there already")
    if done.oldest_ns is not None and done.oldest_ns < time.time_ns() - int(settings.max_age_days * _DAY_NS):
        note(f"some are older than {settings.max_age_days:g} days: recording into this store will delete them")
    if unreadable:
        raise SourceError("; ".join(unreadable))


def _opened(path: Path) -> OtlpFile | ExportFile:
    """The file, by what is in it; OTLP, of which reading it tells what is wrong, where it is nothing that is known."""
    from otel_mas.sources.otlp.files import OtlpFile, is_otlp

    if is_otlp(path):
        return OtlpFile(path)
    from otel_mas.sources.exports.files import ExportFile

    return ExportFile.recognised(path) or OtlpFile(path)


def _messages(files: list[OtlpFile | ExportFile], unreadable: list[str]) -> Iterator[ResourceSpans]:
    for file in files:
        try:
            yield from file.messages()
        except ValueError as error:
            unreadable.append(str(error))
