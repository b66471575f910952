"""Trace records: what happened in a run, for other programs; from a run, from files, into files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otel_mas.api.files import new_file
from otel_mas.errors import SourceError, arguments
from otel_mas.errors.log import logger
from otel_mas.model.frame import Tabular
from otel_mas.trace_records.encoded import encoded, is_message_pack
from otel_mas.trace_records.record import EventType, Modality, TokenCost, TraceRecord

if TYPE_CHECKING:
    from otel_mas.report.frame import Frame


class Records(list[TraceRecord], Tabular):
    """Trace records in a list, in the order of time."""

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write them into a new file: MessagePack if its name ends in .msgpack, else JSON lines; .gz after it packs it.

        Only its owner can read it. An older file at the path stays until the new one is complete.

        Raises:
            MissingExtra: MessagePack is asked for, and the package msgpack is not installed.
            SourceError: No file can be called that.
            OSError: It cannot be written.
        """
        target = arguments.path("path", path)
        with new_file(target) as file:
            file.writelines(encoded(self, is_message_pack(target)))

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.records(self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook
        from otel_mas.report.query_tables import records

        return notebook.table(records(self))


def read_records(path: str | os.PathLike[str]) -> Iterator[TraceRecord]:
    """The records of a file, one after the other: JSON lines or MessagePack, gzip, zstd or neither.

    A record that cannot be read is named in a warning, with its line, and costs no other.

    Raises:
        SourceError: the file cannot be read.
        MissingExtra: it needs a package that is not installed.
    """
    from otel_mas.sources.records.files import RecordFile

    file = RecordFile(arguments.path("path", path))
    try:
        for _, record in file.records():
            yield record
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}") from error
    for problem in file.problems:
        logger.warning("otel-mas: %s", problem)


__all__ = [
    "EventType",
    "Modality",
    "Records",
    "TokenCost",
    "TraceRecord",
    "read_records",
]
