"""`otel-mas sql`: SQL queries of a store, read-only."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import click

from otel_mas.cli.options import debug, store_option
from otel_mas.cli.output import note, print_json, print_line, print_lines

if TYPE_CHECKING:
    from rich.text import Text

    from otel_mas.api.sql import SqlRows
    from otel_mas.store.query_sql import SqlNames

_STDIN = "-"
_MOST_CHARACTERS = 60
_MARGIN = "  "


class SqlDocument(TypedDict):
    columns: Annotated[list[str], "names of the columns"]
    rows: Annotated[
        list[list[str | int | float | None]], "values of each row: text, numbers, null; a blob as hex digits"
    ]
    more: Annotated[bool, "there are rows beyond --limit"]


class SqlNamesDocument(TypedDict):
    views: Annotated[dict[str, list[str]], "columns by view"]
    functions: Annotated[dict[str, list[str]], "by function its arguments, and what it returns"]


@click.command("sql")
@click.argument("query", required=False)
@click.option("--limit", metavar="N", default=1000, show_default=True, type=click.IntRange(min=1), help="Rows at most.")
@click.option("--json", "form", flag_value="json", help="Print JSON instead of a table.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV, with a line of names.")
@store_option
@debug
def command(query: str | None, limit: int, form: str | None, store: str | None) -> None:
    """Ask a store by SQL: one SELECT over readable views, with functions that read the recorded bytes.

    The store is opened read-only; nothing but reading is allowed. "-" as QUERY reads it from standard input. Without
    QUERY the views, their columns and the functions are listed. docs/sql.md has examples.
    """
    from otel_mas.api.source import Source
    from otel_mas.api.sql import sql, sql_names
    from otel_mas.config import Settings
    from otel_mas.sources.store.source import StoreSource

    port = StoreSource.open(Settings.from_env(store=store).store)
    with Source(port):
        if query is None:
            _list(sql_names(port), form)
            return
        rows = sql(port, sys.stdin.read() if query == _STDIN else query, (), limit)
    if form == "json":
        document: SqlDocument = {
            "columns": list(rows.columns),
            "rows": [[_plain(value) for value in row] for row in rows],
            "more": rows.more,
        }
        print_json(document)
    elif form == "csv":
        for row in [rows.columns, *rows]:
            print_line(_csv_line(row))
    else:
        print_lines(lambda width: _table(rows, width))
    if rows.more:
        note(f"printed {limit:,} rows; there are more: --limit asks for them")


def _list(names: SqlNames, form: str | None) -> None:
    if form == "json":
        document: SqlNamesDocument = {
            "views": {view: list(columns) for view, columns in names.views.items()},
            "functions": {name: list(about) for name, about in names.functions.items()},
        }
        print_json(document)
        return
    print_line("Views")
    for view, columns in names.views.items():
        print_line(f"{_MARGIN}{view}: {', '.join(columns)}")
    print_line("")
    print_line("Functions")
    for name, (arguments, meaning) in names.functions.items():
        print_line(f"{_MARGIN}{name}({arguments}): {meaning}")


def _table(rows: SqlRows, width: int) -> Iterator[Text]:
    """Numbers to the right; long texts are cut, which JSON has whole."""
    from otel_mas.report.tables import Head
    from otel_mas.report.terminal.table import grid
    from otel_mas.report.text import plain

    heads = [
        Head(plain(name), numeric=_is_numeric([row[place] for row in rows]), widest=_MOST_CHARACTERS)
        for place, name in enumerate(rows.columns)
    ]
    yield from grid(heads, [[plain(_cell(value)) for value in row] for row in rows], width, keep_empty=True)


def _is_numeric(values: Sequence[Any]) -> bool:
    return all(value is None or isinstance(value, int | float) for value in values)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(_plain(value))


def _csv_line(row: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["" if value is None else _plain(value) for value in row])
    return line.getvalue()


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
