"""Traces of a store as OTLP/JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO

from otel_mas.otlp.array_parts import with_split_arrays
from otel_mas.otlp.framing import LogRow
from otel_mas.otlp.json import json_line
from otel_mas.otlp.one_trace import OneTrace
from otel_mas.privacy.withhold import Withholder
from otel_mas.store.log_reader import LogReader


def write_lines(
    reader: LogReader,
    ids: Sequence[str],
    file: IO[bytes],
    *,
    content: int,
    per_line: int,
    joined: OneTrace | None = None,
) -> tuple[int, list[str]]:
    """Write traces as OTLP/JSON lines.

    Args:
        reader: of the store.
        ids: of the traces, in the order of the file.
        file: to write to.
        content: bytes of content on a span at most; 0 for none.
        per_line: spans in a line at most.
        joined: makes one trace of them.

    Returns:
        Number of spans written, and a line for each that cannot be.
    """
    withholder = None if content else Withholder()
    spans = 0
    problems: list[str] = []
    for trace_id in ids:
        for rows in _parts(reader.trace(trace_id, content), per_line):
            left_out: list[LogRow] = []
            kept = rows if withholder is None else list(_withheld(rows, withholder, left_out))
            written = kept if joined is None else list(_joined(kept, joined, left_out))
            file.write(json_line([row._replace(body=with_split_arrays(row.body)) for row in written], left_out))
            spans += len(rows) - len(left_out)
            problems += [f"left out span {row.key} of trace {trace_id}: its body cannot be decoded" for row in left_out]
    return spans, problems


def _withheld(rows: Sequence[LogRow], withholder: Withholder, left_out: list[LogRow]) -> Iterator[LogRow]:
    for row in rows:
        try:
            yield withholder.row(row)[0]
        except ValueError:
            left_out.append(row)


def _joined(rows: Sequence[LogRow], joined: OneTrace, left_out: list[LogRow]) -> Iterator[LogRow]:
    for row in rows:
        try:
            yield joined.row(row)
        except ValueError:
            left_out.append(row)


def _parts(rows: Iterator[LogRow], per_line: int) -> Iterator[list[LogRow]]:
    while part := list(islice(rows, per_line)):
        yield part


__all__ = ["write_lines"]
