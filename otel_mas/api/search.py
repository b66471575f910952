"""Matches of a search through messages and other content."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_mas.model import PartialList
from otel_mas.model.frame import Tabular
from otel_mas.model.search import Match

if TYPE_CHECKING:
    from otel_mas.report.frame import Frame


class Matches(PartialList[Match], Tabular):
    """Matches of a search, those of the newest trace first. `limited`: there may be more in older traces."""

    def __init__(self, found: Iterable[Match] = (), *, limited: bool = False, incomplete: str | None = None) -> None:
        super().__init__(found, incomplete)
        self.limited = limited

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.matches(self)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.matches(self, self.limited)


__all__ = ["Matches"]
