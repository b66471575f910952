"""Rows of an SQL query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from otel_mas.errors import UnsupportedQuery
from otel_mas.model.frame import Tabular
from otel_mas.sources.base import AnswersSql
from otel_mas.sources.base import Source as Port

if TYPE_CHECKING:
    from otel_mas.report.frame import Frame
    from otel_mas.store.query_sql import SqlNames


class SqlRows(list[tuple[Any, ...]], Tabular):
    """Rows of an SQL query, as tuples; `columns` has their names. `more`: there are further ones."""

    def __init__(
        self, columns: Sequence[str] = (), rows: Iterable[tuple[Any, ...]] = (), *, more: bool = False
    ) -> None:
        super().__init__(rows)
        self.columns = tuple(columns)
        self.more = more

    def _frame(self) -> Frame:
        from otel_mas.report import frame

        return frame.sql(self.columns, self)


def sql(port: Port, query: str, parameters: Sequence[Any] | Mapping[str, Any], limit: int | None) -> SqlRows:
    """The rows of a query to a store. Raises `UnsupportedQuery` for other sources."""
    found = _store(port).sql(query, parameters, limit)
    return SqlRows(found.columns, found.rows, more=found.more)


def sql_names(port: Port) -> SqlNames:
    """Views and functions of a store. Raises `UnsupportedQuery` for other sources."""
    return _store(port).sql_names()


def _store(port: Port) -> AnswersSql:
    if not isinstance(port, AnswersSql):
        raise UnsupportedQuery(
            f"{port.location} answers no SQL, a local store does: `otel-mas import` puts OTLP files into one"
        )
    return port


__all__ = ["SqlRows", "sql", "sql_names"]
