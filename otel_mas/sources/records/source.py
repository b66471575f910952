"""Files of trace records as a source: one, a folder of them, or a pattern; of otel-mas or of any other program."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from otel_mas.errors import SourceError
from otel_mas.model import Span, Trace
from otel_mas.sources.files import FileSource
from otel_mas.sources.records.files import RecordFile, is_record_file
from otel_mas.trace_records.ids import otel_span_id, otel_trace_id
from otel_mas.trace_records.record import OCCURRENCES, TraceRecord
from otel_mas.trace_records.spans import spans_of, traces_of

_PART: Final = 1_000
"""Records of a file that are read again together."""
_FILE: Final = 2**40
"""More than the parts of any file."""


_SMALL: Final = 2**24
"""Bytes of files of which the records are kept while the source is open, so that they are read once."""
_PACKED: Final = (".gz", ".zst", ".zstd")
_WITHOUT_CONTENT: Final = {"payload": None, "events": ()}


class RecordFileSource(FileSource):
    """Files of trace records. Spans have the attributes that the records have, and content as attributes."""

    reads: ClassVar[str] = (
        "trace records: JSON lines or MessagePack, gzip, zstd or neither; a file, a folder or a pattern"
    )
    form: ClassVar[str] = "file of trace records"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".jsonl", ".ndjson", ".msgpack", ".mp", ".gz", ".zst", ".zstd")
    is_one = staticmethod(is_record_file)

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._held: list[Trace] | None = None

    def count(self, paths: Sequence[Path], attributes: Collection[str]) -> Iterator[tuple[int, str, Span | None]]:
        self._held = None
        if _are_small(paths):
            self._held = traces_of(record for _, record in self._records(paths))
            yield from ((0, trace.trace_id, span) for trace in self._held for span in trace.spans)
            return
        # Records that depend on others wait until all are known, without content: those that may name a causal parent
        # alone, and errors and changes of state, which may be part of another record's span.
        waiting: dict[str, list[tuple[int, TraceRecord]]] = defaultdict(list)
        counted: dict[str, dict[str, int]] = defaultdict(dict)
        for part, record in self._records(paths):
            trace_id = otel_trace_id(record.trace_id)
            if record.event_type in OCCURRENCES or not record.complete:
                waiting[trace_id].append((part, record.model_copy(update=_WITHOUT_CONTENT)))
                yield part, trace_id, None
                continue
            (span,) = spans_of(trace_id, (record,))
            own, known = hash((span.start_ns, span.end_ns, span.status, span.name)), counted[trace_id]
            yield part, trace_id, None if known.get(span.span_id) == own else span
            known[span.span_id] = own
        for trace_id, found in waiting.items():
            records = [record for _, record in found if not _is_part(trace_id, record, counted[trace_id])]
            for span in spans_of(trace_id, records):
                yield found[0][0], trace_id, span

    def read(self, paths: Sequence[Path], parts: Collection[int]) -> Iterable[Trace]:
        if self._held is not None:
            return self._held
        return traces_of(record for _, record in self._records(paths, parts.__contains__))

    def _records(
        self, paths: Sequence[Path], wanted: Callable[[int], bool] = lambda part: True
    ) -> Iterator[tuple[int, TraceRecord]]:
        """The records of all files, each with the number of its part."""
        for number, path in enumerate(paths):
            file, first = RecordFile(path), number * _FILE
            try:
                for place, record in file.records(partial(_among, wanted, first)):
                    yield first + place // _PART, record
            except ValueError as error:
                raise SourceError(str(error)) from None
            except OSError as error:
                raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
            self.warn(file.problems)


def _among(wanted: Callable[[int], bool], first: int, place: int) -> bool:
    return wanted(first + place // _PART)


def _is_part(trace_id: str, record: TraceRecord, spans: Collection[str]) -> bool:
    """Whether it tells of what happened in one of these spans."""
    return record.event_type in OCCURRENCES and otel_span_id(trace_id, record.span_id) in spans


def _are_small(paths: Sequence[Path]) -> bool:
    try:
        return sum(path.stat().st_size * (8 if path.suffix in _PACKED else 1) for path in paths) <= _SMALL
    except OSError:
        return False


__all__ = ["RecordFileSource"]
