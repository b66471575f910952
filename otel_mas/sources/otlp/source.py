"""OTLP files as a source: one, a folder of them, or a pattern; what a Collector or `otel-mas export` wrote."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from otel_mas.errors import SourceError
from otel_mas.errors.log import logger
from otel_mas.model import Query, SummaryBuilder, Trace, TraceSummary
from otel_mas.sources.base import Capabilities
from otel_mas.sources.otlp.files import OtlpFile, is_otlp
from otel_mas.sources.spans_only import FILTERS, SpansOnlySource, full_id

_SUFFIXES = (".json", ".jsonl", ".pb", ".bin", ".otlp", ".gz", ".zst", ".zstd")
_Signature = tuple[tuple[str, int, int], ...]


class OtlpFileSource(SpansOnlySource):
    """Reads files as they are at each question: one that has grown is read again.

    Args:
        target: a file, a folder (whose OTLP files are read together), or a pattern like `logs/*.jsonl.gz`.
    """

    reads: ClassVar[str] = "OTLP files: JSON lines or protobuf, gzip, zstd or neither; a file, a folder or a pattern"
    capabilities = Capabilities(filters=FILTERS, conversations=True, local=True)

    def __init__(self, target: str) -> None:
        self.location = target
        self._signature: _Signature = ()
        self._builders: dict[str, SummaryBuilder] = {}
        self._parts_of: dict[str, set[int]] = {}
        self._warned: set[str] = set()

    @classmethod
    def recognises(cls, path: Path) -> bool:
        if path.is_dir():
            return any(map(is_otlp, _in_folder(path)))
        return is_otlp(path) if path.is_file() else False

    @classmethod
    def open(cls, target: str) -> OtlpFileSource:
        """Raises SourceError where there is no such file, or it is something else."""
        source = cls(str(Path(target).expanduser()))
        source._refresh()
        return source

    def traces(self, query: Query) -> Sequence[TraceSummary]:
        self.check(query)
        builders = self._counted(query.attributes)
        found = [builder.summary(builder.missing) for builder in builders if builder.matches(query)]
        found.sort(key=lambda one: (-one.start_ns, one.trace_id))
        return found[: query.limit]

    def trace(self, trace_id: str) -> Trace:
        wanted = full_id(trace_id)
        self._refresh()
        if wanted not in self._parts_of:
            raise self.no_trace(wanted)
        return self._read([wanted])[0]

    def conversation(self, thread: str, service: str | None = None) -> Sequence[Trace]:
        self._refresh()
        query = Query(conversation_id=thread, service=service)
        found = [builder for builder in self._builders.values() if builder.matches(query)]
        found.sort(key=lambda builder: (builder.start_ns, builder.trace_id))
        return self._read([builder.trace_id for builder in found])

    def _counted(self, attributes: Sequence[tuple[str, str]]) -> Iterable[SummaryBuilder]:
        """Counts of all traces; the files are read once more where other attributes than columns are asked for."""
        if not attributes:
            self._refresh()
            return self._builders.values()
        return self._count(self._paths(), attributes)[0].values()

    def _refresh(self) -> None:
        """Count the traces again, where files have changed since."""
        paths = self._paths()
        signature = _signature(paths)
        if signature != self._signature:
            self._builders, self._parts_of = self._count(paths)
            self._signature = signature

    def _count(
        self, paths: Sequence[Path], attributes: Sequence[tuple[str, str]] = ()
    ) -> tuple[dict[str, SummaryBuilder], dict[str, set[int]]]:
        from otel_mas.sources.traces import SpanReader

        builders: dict[str, SummaryBuilder] = {}
        parts: dict[str, set[int]] = {}
        reader = SpanReader(bodies=False, attributes=[name for name, _ in attributes])
        for number, file, part in self._parts(paths):
            for span in reader.read(file.read(part)):
                builder = builders.get(span.trace_id)
                if builder is None:
                    builder = builders[span.trace_id] = SummaryBuilder(span.trace_id, attributes)
                    parts[span.trace_id] = set()
                builder.add(span)
                parts[span.trace_id].add(number)
        return builders, parts

    def _read(self, trace_ids: Sequence[str]) -> list[Trace]:
        from otel_mas.sources.traces import traces

        wanted = set().union(*(self._parts_of[trace_id] for trace_id in trace_ids))
        messages = (
            message
            for number, file, part in self._parts(self._paths())
            if number in wanted
            for message in file.read(part)
        )
        found = {trace.trace_id: trace for trace in traces(messages)}
        for trace_id in trace_ids:
            if trace_id not in found:  # the file has changed since
                raise self.no_trace(trace_id)
        return [found[trace_id] for trace_id in trace_ids]

    def _parts(self, paths: Sequence[Path]) -> Iterator[tuple[int, OtlpFile, bytes]]:
        """Every part of every file, numbered through."""
        number = 0
        for path in paths:
            file = OtlpFile(path)
            try:
                for part in file.parts():
                    yield number, file, part
                    number += 1
            except ValueError as error:
                raise SourceError(str(error)) from None
            except OSError as error:
                raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
            self._warn(file.problems)

    def _paths(self) -> list[Path]:
        path = Path(self.location)
        if path.is_dir():
            found = _in_folder(path)
        elif path.exists():
            return [path]
        else:
            found = sorted(one for one in map(Path, glob.glob(self.location)) if one.is_file())
        if not found:
            raise SourceError(f"no OTLP file at {self.location}: give a file, a folder of them, or a pattern")
        return found

    def _warn(self, problems: Sequence[str]) -> None:
        for problem in problems:
            if problem not in self._warned:
                self._warned.add(problem)
                logger.warning("otel-mas: %s", problem)


def _in_folder(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file() and is_otlp(path))


def _signature(paths: Sequence[Path]) -> _Signature:
    try:
        stats = [(path, path.stat()) for path in paths]
    except OSError as error:
        raise SourceError(f"cannot read {error.filename}: {error.strerror or error}") from error
    return tuple((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats)
