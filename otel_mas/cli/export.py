"""`otel-mas export`: traces out of the store, as OTLP/JSON lines, or as trace records from any source."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from otel_mas.cli.files import written
from otel_mas.cli.options import Target, debug, one_target, source_option
from otel_mas.cli.output import note, print_problems

if TYPE_CHECKING:
    from otel_mas.causal import CausalGraph
    from otel_mas.otlp.one_trace import OneTrace

_STDOUT = "-"
_SPANS_PER_LINE = 1000
_OTLP, _RECORDS, _MESSAGE_PACK = "otlp", "records", "records-msgpack"
_SPEEDSCOPE, _PERFETTO, _JAEGER, _ZIPKIN = "speedscope", "perfetto", "jaeger", "zipkin"


@click.command("export")
@one_target
@click.option("--all", "everything", is_flag=True, help="Every trace, instead of TRACE.")
@click.option(
    "-o", "--output", metavar="FILE", default=_STDOUT, show_default=True, help="Where to; gzipped if it ends in .gz."
)
@click.option(
    "--with-content",
    "--content",
    "content",
    is_flag=True,
    help="With content: messages, tool calls, exceptions. Without, only what happened.",
)
@click.option("--span-lines", is_flag=True, help="OTLP with one span a line, which a diff shows better.")
@click.option("--one-trace", is_flag=True, help="OTLP with all traces of a conversation under the id of the first.")
@click.option(
    "--format",
    "form",
    type=click.Choice([_OTLP, _RECORDS, _MESSAGE_PACK, _JAEGER, _ZIPKIN, _SPEEDSCOPE, _PERFETTO]),
    default=_OTLP,
    show_default=True,
    help="OTLP/JSON lines; trace records as JSON lines or MessagePack; JSON for Jaeger's UI or Zipkin; a timeline for"
    " speedscope or Perfetto.",
)
@source_option
@debug
def command(
    target: Target,
    everything: bool,
    output: str,
    content: bool,
    span_lines: bool,
    one_trace: bool,
    form: str,
    store: str | None,
) -> None:
    """Write traces as OTLP/JSON lines, as a Collector's file exporter does, or in another form.

    Anything that reads OTLP files reads such a one; `otel-mas import` puts it back into a store. Trace records
    (docs/records.md) are for programs that know nothing of OTLP. OTLP comes from a store only, all else from any
    source. Content (messages, tool calls, exceptions) is in it with --with-content only; spans that have not ended are
    in timelines alone. `otel-mas replay` answers from OTLP with content.
    """
    if span_lines and form != _OTLP:
        raise click.UsageError("--span-lines is for OTLP: leave it out, or --format.")
    if one_trace and (form != _OTLP or target.conversation is None):
        raise click.UsageError("--one-trace is for OTLP of a --conversation: leave it out, or say which.")
    if everything and (target.trace or target.conversation):
        raise click.UsageError("--all is every trace: give no TRACE and no --conversation.")
    if form in (_SPEEDSCOPE, _PERFETTO):
        _export_timeline(target, everything, output, content, store, form)
    elif form in (_JAEGER, _ZIPKIN):
        _export_spans(target, everything, output, content, store, form)
    elif form == _OTLP:
        per_line = 1 if span_lines else _SPANS_PER_LINE
        _export_otlp(target, everything, output, content, store, per_line, one_trace=one_trace)
    else:
        _export_records(target, everything, output, content, store, packed=form == _MESSAGE_PACK)


def _export_records(
    target: Target, everything: bool, output: str, content: bool, store: str | None, *, packed: bool
) -> None:
    from otel_mas.api import open as open_source
    from otel_mas.config import Settings
    from otel_mas.trace_records.encoded import encoded

    settings, left_out, written_records = Settings.from_env(), 0, 0
    with open_source(store) as source, _opened(output) as file:
        for run in source.each() if everything else (target.find(source),):
            records = run.records(payload=content or settings.content_may_leave)
            ended = [record for record in records if not record.is_open]
            file.writelines(encoded(ended, packed))
            left_out, written_records = left_out + len(records) - len(ended), written_records + len(ended)
            print_problems(run.problems)
    _note_left_out(left_out)
    if output != _STDOUT:
        note(f"wrote {written_records} records to {output}")


def _export_spans(target: Target, everything: bool, output: str, content: bool, store: str | None, form: str) -> None:
    import orjson

    from otel_mas.api import open as open_source
    from otel_mas.config import Settings
    from otel_mas.report.jaeger import jaeger
    from otel_mas.report.zipkin import zipkin
    from otel_mas.sources.store.source import StoreSource
    from otel_mas.sources.store.with_content import spans_with_content

    settings = Settings.from_env(store=store)
    content = content or settings.content_may_leave
    with open_source(store) as source:
        runs = list(source.each()) if everything else [target.find(source)]
        spans = sorted((span for run in runs for span in run.spans), key=lambda span: span.trace_id)
        for run in runs:
            print_problems(run.problems)
    ended = [span for span in spans if span.end_ns is not None]
    if content and StoreSource.recognises(Path(settings.store)):
        ended = spans_with_content(settings.store, dict.fromkeys(span.trace_id for span in ended))
    with _opened(output) as file:
        file.write(orjson.dumps((jaeger if form == _JAEGER else zipkin)(ended, content=content)))
    _note_left_out(sum(span.end_ns is None for span in spans))
    if output != _STDOUT:
        note(f"wrote {len(ended)} spans to {output}")


def _note_left_out(spans: int) -> None:
    if spans:
        note(f"left out {spans} {'span' if spans == 1 else 'spans'} that have not ended")


def _export_timeline(
    target: Target, everything: bool, output: str, content: bool, store: str | None, form: str
) -> None:
    from otel_mas.api import open as open_source
    from otel_mas.report.perfetto import perfetto
    from otel_mas.report.speedscope import speedscope

    if content:
        raise click.UsageError(f"a timeline for {form} has no content: leave out --with-content.")
    with open_source(store) as source:
        runs = list(source.each()) if everything else [target.find(source)]
        graphs = [run.graph().causal for run in runs]
        for run in runs:
            print_problems(run.problems)
    with _opened(output) as file:
        import orjson

        file.write(perfetto(graphs) if form == _PERFETTO else orjson.dumps(speedscope(graphs)))
    if output != _STDOUT:
        note(f"wrote {sum(len(graph.spans) for graph in graphs)} spans to {output}")


def _export_otlp(
    target: Target,
    everything: bool,
    output: str,
    content: bool,
    store: str | None,
    per_line: int,
    *,
    one_trace: bool,
) -> None:
    from otel_mas.config import Settings
    from otel_mas.store.log_reader import LogReader
    from otel_mas.store.otlp_lines import write_lines

    if store is not None and "://" in store:
        raise click.UsageError("OTLP comes from a store only: give its path, or --format records.")
    settings = Settings.from_env(store=store)
    ids, still_open, joined = _chosen(settings.store, None if everything else target, one_trace)
    allowed = settings.content_attribute_bytes if content else settings.shipped_content
    reader = LogReader(settings.store)
    try:
        with _opened(output) as file:
            spans, left_out = write_lines(reader, ids, file, content=allowed, per_line=per_line, joined=joined)
    finally:
        reader.close()
    print_problems(left_out)
    _note_left_out(still_open)
    if output != _STDOUT:
        note(f"wrote {spans} spans of {len(ids)} {'trace' if len(ids) == 1 else 'traces'} to {output}")


def _chosen(store: str, target: Target | None, one_trace: bool) -> tuple[list[str], int, OneTrace | None]:
    """The ids of the traces, the oldest first, how many of their spans are still open, and what makes them one."""
    from otel_mas.api.source import Source
    from otel_mas.otlp.one_trace import OneTrace
    from otel_mas.sources.store.source import StoreSource

    with Source(StoreSource.open(store)) as source:
        if target is None:
            return [one.trace_id for one in reversed(source.traces(limit=sys.maxsize))], 0, None
        run = target.find(source)
        ids = list(dict.fromkeys(span.trace_id for span in run.spans))
        joined = OneTrace(ids, _unlinked(run.graph().causal)) if one_trace else None
        return ids, sum(span.end_ns is None for span in run.spans), joined


def _unlinked(graph: CausalGraph) -> dict[str, list[tuple[str, str]]]:
    """By effect the causes that are known, but not by a link."""
    from otel_mas.causal import CHILD
    from otel_mas.causal.links import METADATA

    found: dict[str, list[tuple[str, str]]] = {}
    for edge in graph.edges:
        if edge.provenance == METADATA and edge.kind != CHILD and edge.cause not in graph.externals:
            found.setdefault(edge.effect, []).append((edge.cause, str(edge.kind)))
    return found


@contextmanager
def _opened(output: str) -> Iterator[IO[bytes]]:
    if output == _STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with written(output) as file:
        yield file
