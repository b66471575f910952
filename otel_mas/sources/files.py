"""The part that sources of files share: one file, a folder of them, or a pattern, read as they are at each question."""

from __future__ import annotations

import glob
from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Self

from otel_mas.errors import SourceError, TraceNotFound
from otel_mas.errors.log import logger
from otel_mas.model import Query, Span, SummaryBuilder, Trace, TraceSummary
from otel_mas.model.trace_id import beginning_of_id
from otel_mas.sources.base import Capabilities
from otel_mas.sources.spans_only import FILTERS, SpansOnlySource

_READ_TOGETHER = 100
"""Traces that are in memory at once, when many are read."""

_Signature = tuple[tuple[str, int, int], ...]


class FileSource(SpansOnlySource):
    """Reads files as they are at each question: one that has grown is read again.

    Args:
        target: a file, a folder (whose files of this form are read together), or a pattern like `logs/*.jsonl.gz`.
    """

    capabilities = Capabilities(filters=FILTERS, id_prefixes=True, conversations=True, content=True, local=True)
    form: ClassVar[str]
    """For people: "OTLP file"."""
    suffixes: ClassVar[tuple[str, ...]]

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._signature: _Signature = ()
        self._builders: dict[str, SummaryBuilder] = {}
        self._parts_of: dict[str, set[int]] = {}
        self._warned: set[str] = set()

    @staticmethod
    @abstractmethod
    def is_one(path: Path) -> bool:
        """Whether the file begins like one of this form."""

    @abstractmethod
    def count(self, paths: Sequence[Path], attributes: Collection[str]) -> Iterator[tuple[int, str, Span | None]]:
        """All spans, once each, without bodies, but with these attributes beside the columns.

        Each comes with the number of a part of the files and its trace id; a part that has more of a trace comes with
        None for a span.
        """

    @abstractmethod
    def read(self, paths: Sequence[Path], parts: Collection[int]) -> Iterable[Trace]:
        """The traces of these parts."""

    @classmethod
    def recognises(cls, path: Path) -> bool:
        if path.is_dir():
            return any(map(cls.is_one, cls._in_folder(path)))
        return cls.is_one(path) if path.is_file() else False

    @classmethod
    def open(cls, target: str) -> Self:
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
        wanted = beginning_of_id(trace_id)
        self._refresh()
        found = [wanted] if wanted in self._parts_of else [one for one in self._parts_of if one.startswith(wanted)]
        if not found:
            raise self.no_trace(wanted)
        if len(found) > 1:
            raise TraceNotFound(f"several traces in {self.location} begin with {wanted}: give more digits")
        return self._read(found)[0]

    def conversation(self, thread: str, service: str | None = None) -> Sequence[Trace]:
        self._refresh()
        query = Query(conversation_id=thread, service=service)
        found = [builder for builder in self._builders.values() if builder.matches(query)]
        found.sort(key=lambda builder: (builder.start_ns, builder.trace_id))
        return self._read([builder.trace_id for builder in found])

    def read_each(self, trace_ids: Sequence[str]) -> Iterator[Trace]:
        """These traces, some read together: a part of a file has spans of many."""
        for at in range(0, len(trace_ids), _READ_TOGETHER):
            yield from self._read(trace_ids[at : at + _READ_TOGETHER])

    def warn(self, problems: Iterable[str]) -> None:
        """Log what could not be read, each problem once."""
        for problem in problems:
            if problem not in self._warned:
                self._warned.add(problem)
                logger.warning("otel-mas: %s", problem)

    def _refresh(self) -> None:
        """Count the traces again, where files have changed since."""
        paths = self._paths()
        signature = _signature(paths)
        if signature != self._signature:
            self._builders, self._parts_of = self._count(paths)
            self._signature = signature

    def _counted(self, attributes: Sequence[tuple[str, str]]) -> Iterable[SummaryBuilder]:
        """Counts of all traces; the files are read once more where other attributes than columns are asked for."""
        if not attributes:
            self._refresh()
            return self._builders.values()
        return self._count(self._paths(), attributes)[0].values()

    def _count(
        self, paths: Sequence[Path], attributes: Sequence[tuple[str, str]] = ()
    ) -> tuple[dict[str, SummaryBuilder], dict[str, set[int]]]:
        builders: dict[str, SummaryBuilder] = {}
        parts: dict[str, set[int]] = {}
        for number, trace_id, span in self.count(paths, [name for name, _ in attributes]):
            builder = builders.get(trace_id)
            if builder is None:
                builder = builders[trace_id] = SummaryBuilder(trace_id, attributes)
                parts[trace_id] = set()
            if span is not None:
                builder.add(span)
            parts[trace_id].add(number)
        return builders, parts

    def _read(self, trace_ids: Sequence[str]) -> list[Trace]:
        wanted = set().union(*(self._parts_of[trace_id] for trace_id in trace_ids))
        found = {trace.trace_id: trace for trace in self.read(self._paths(), wanted)}
        for trace_id in trace_ids:
            if trace_id not in found:  # the file has changed since
                raise self.no_trace(trace_id)
        return [self.given.add(found[trace_id]) for trace_id in trace_ids]

    def _paths(self) -> list[Path]:
        path = Path(self.location)
        if path.is_dir():
            found = self._in_folder(path)
        elif path.exists():
            return [path]
        else:
            found = sorted(one for one in map(Path, glob.glob(self.location)) if one.is_file())
        if not found:
            raise SourceError(f"no {self.form} at {self.location}: give a file, a folder of them, or a pattern")
        return found

    @classmethod
    def _in_folder(cls, folder: Path) -> list[Path]:
        return sorted(
            path for path in folder.iterdir() if path.suffix in cls.suffixes and path.is_file() and cls.is_one(path)
        )


def _signature(paths: Sequence[Path]) -> _Signature:
    try:
        stats = [(path, path.stat()) for path in paths]
    except OSError as error:
        raise SourceError(f"cannot read {error.filename}: {error.strerror or error}") from error
    return tuple((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats)
