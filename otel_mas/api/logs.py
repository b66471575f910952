"""Log records of the app, kept with their spans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

from otel_mas.analyse.log import LogRecord
from otel_mas.model.frame import Tabular

if TYPE_CHECKING:
    from otel_mas.report.frame import Frame


class Logs(Sequence[LogRecord], Tabular):
    """Log records of a trace or conversation, by time."""

    def __init__(self, records: Iterable[LogRecord]) -> None:
        self._records = tuple(records)

    @overload
    def __getitem__(self, number: int) -> LogRecord: ...
    @overload
    def __getitem__(self, number: slice) -> tuple[LogRecord, ...]: ...
    def __getitem__(self, number: int | slice) -> LogRecord | tuple[LogRecord, ...]:
        return self._records[number]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[LogRecord]:
        return iter(self._records)

    def __repr__(self) -> str:
        return f"<Logs, {len(self):,} records>"

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.logs(self)


__all__ = ["Logs"]
