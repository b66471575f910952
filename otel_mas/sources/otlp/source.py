"""OTLP files as a source: one, a folder of them, or a pattern; what a Collector or `otel-mas export` wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from otel_mas.errors import SourceError
from otel_mas.model import Span, Trace
from otel_mas.sources.files import FileSource
from otel_mas.sources.otlp.files import OtlpFile, is_otlp


class OtlpFileSource(FileSource):
    """Files of OTLP messages."""

    reads: ClassVar[str] = "OTLP files: JSON lines or protobuf, gzip, zstd or neither; a file, a folder or a pattern"
    form: ClassVar[str] = "OTLP file"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".jsonl", ".pb", ".bin", ".otlp", ".gz", ".zst", ".zstd")
    is_one = staticmethod(is_otlp)

    def count(self, paths: Sequence[Path], attributes: Collection[str]) -> Iterator[tuple[int, str, Span]]:
        from otel_mas.sources.traces import SpanReader

        reader = SpanReader(bodies=False, attributes=attributes)
        for number, file, part in self._parts(paths):
            for span in reader.read(file.read(part)):
                yield number, span.trace_id, span

    def read(self, paths: Sequence[Path], parts: Collection[int]) -> Iterable[Trace]:
        from otel_mas.sources.traces import traces

        return traces(
            message for number, file, part in self._parts(paths) if number in parts for message in file.read(part)
        )

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
            self.warn(file.problems)
