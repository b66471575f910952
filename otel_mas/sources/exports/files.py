"""One file of another program's export, as messages for the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from otel_mas.sources import installed_sources
from otel_mas.sources.exports.source import ExportSource
from otel_mas.sources.exports.spans import messages

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

_OF_FILES: Final = ("+file", "+sqlite")


@dataclass(slots=True)
class ExportFile:
    """A file that one of the installed sources of exports reads. After iteration, `problems` has a line for each span
    that could not be read."""

    path: Path
    source: type[ExportSource]
    problems: list[str] = field(default_factory=list)

    @classmethod
    def recognised(cls, path: Path) -> Self | None:
        """The file, where a source recognises what is in it."""
        for scheme, point in installed_sources().items():
            if scheme.endswith(_OF_FILES):
                source = point.load()
                if issubclass(source, ExportSource) and source.is_one(path):
                    return cls(path, source)
        return None

    def messages(self) -> Iterator[ResourceSpans]:
        """All of its spans that can be read.

        Raises:
            ValueError: the rest of the file is not of its form.
        """
        found: list[str] = []
        try:
            yield from messages(self.source.readable(self.path, found), found)
        finally:
            self.problems += [f"{self.path}: {problem}" for problem in found]


__all__ = ["ExportFile"]
