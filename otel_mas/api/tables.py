"""Handles as data frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from otel_mas.report.frame import Frame


class Tabular(ABC):
    """A handle that is a table too. The columns are described in docs/notebook.md."""

    __slots__ = ()

    @abstractmethod
    def _frame(self) -> Frame: ...

    def to_pandas(self) -> pandas.DataFrame:
        """As a `pandas.DataFrame`. Raises `MissingExtra` without pandas."""
        return self._frame().to_pandas()

    def to_arrow(self) -> pyarrow.Table:
        """As a `pyarrow.Table`. Raises `MissingExtra` without pyarrow."""
        return self._frame().to_arrow()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        """For whatever reads Arrow: `polars.DataFrame(...)`, `duckdb.sql(...)`, `pyarrow.table(...)`."""
        stream: Any = self.to_arrow()
        return stream.__arrow_c_stream__(requested_schema)
