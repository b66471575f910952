"""The part that sources of other programs' exports share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from otel_mas.errors import SourceError
from otel_mas.model import Span, Trace
from otel_mas.sources.exports.spans import ExportedSpan, messages
from otel_mas.sources.files import FileSource
from otel_mas.sources.otlp.stream import ByteStream
from otel_mas.sources.traces import SpanReader, traces
from otel_mas.store.files import SQLITE_MAGIC, header

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

_MALFORMED = (TypeError, AttributeError, KeyError, IndexError, ValueError, OverflowError, RecursionError)
_HEAD_BYTES = 2**16


def beginning(path: Path) -> bytes:
    """The first 64 KiB of a file, unpacked; nothing where it is a database, or cannot be read."""
    try:
        if SQLITE_MAGIC.startswith(header(path)):  # closing one that this process has open would take its locks
            return b""
        with path.open("rb") as file:
            return ByteStream(file).peek(_HEAD_BYTES).lstrip()
    except OSError:
        return b""


def documents(path: Path) -> Iterator[Any]:
    """The JSON of a file: one document, or one on each line.

    Raises:
        ValueError: it is no JSON, or a document is too long.
    """
    if header(path).startswith(SQLITE_MAGIC):
        raise ValueError("it is a database of SQLite")
    with path.open("rb") as file:
        stream = ByteStream(file)
        if _is_json(stream.peek(_HEAD_BYTES).lstrip().partition(b"\n")[0]):
            yield from (orjson.loads(line) for line in stream.lines() if line is not None and line.strip())
            return
        text = stream.read(stream.max_bytes + 1)
        if len(text) > stream.max_bytes:
            raise ValueError(f"it is one document of over {stream.max_bytes >> 20} MiB")
        yield orjson.loads(text)


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


class ExportSource(FileSource):
    """Files of one form. A subclass says how a file begins, and reads its spans."""

    @classmethod
    @abstractmethod
    def spans(cls, path: Path, problems: list[str]) -> Iterator[ExportedSpan]:
        """The spans of a file, those of a trace one after the other where the file has them so.

        Args:
            problems: gets a line for each span that cannot be read.

        Raises:
            ValueError: the file is not of this form.
        """

    def count(self, paths: Sequence[Path], attributes: Collection[str]) -> Iterator[tuple[int, str, Span]]:
        reader = SpanReader(bodies=False, attributes=attributes)
        for number, path in enumerate(paths):
            for span in reader.read(self._messages(path)):
                yield number, span.trace_id, span

    def read(self, paths: Sequence[Path], parts: Collection[int]) -> Iterable[Trace]:
        return traces(
            message for number, path in enumerate(paths) if number in parts for message in self._messages(path)
        )

    @classmethod
    def readable(cls, path: Path, problems: list[str]) -> Iterator[ExportedSpan]:
        """The spans of a file, as `spans` gives them.

        Raises:
            OSError: it cannot be read.
            ValueError: it is not of this form, or from some place on.
        """
        try:
            yield from cls.spans(path, problems)
        except _MALFORMED as error:
            raise ValueError(f"{path} is no {cls.form}: {error}") from None

    def _messages(self, path: Path) -> Iterator[ResourceSpans]:
        problems: list[str] = []
        try:
            yield from messages(self.readable(path, problems), problems)
        except OSError as error:
            raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
        except ValueError as error:
            raise SourceError(str(error)) from None
        self.warn(f"{path}: {problem}" for problem in problems)
