"""SQL queries of a store by its users: read-only views, and functions that read the bytes.

The file is opened read-only, and an authorizer lets nothing pass but reading: no writing, no other file, no pragma, no
extension, and not the key for digests.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from otel_mas.dialects import OWN_SCOPE
from otel_mas.errors import UnsupportedQuery, arguments
from otel_mas.model import Query
from otel_mas.store.carried import CARRY_CONTENT
from otel_mas.store.columns import COLUMNS
from otel_mas.store.connection import open_for_reading
from otel_mas.store.sql_functions import HIDDEN, functions, register
from otel_mas.store.statements import load, statements
from otel_mas.store.summaries import EVERYTHING, statement_of

VIEWS: Final = ("traces", "spans", "links", "events", "messages", "contents")
_MAX_BYTES: Final = 2**28
"""Size of a text or blob that a query makes."""
_STEPS_BETWEEN_SIGNALS = 100_000
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_REFUSED_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer"})
_SECRET = "store"  # the table with the key for digests


@dataclass(slots=True)
class Rows:
    """Names of the columns, and the rows. `more`: the query has further ones."""

    columns: tuple[str, ...] = ()
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    more: bool = False


@dataclass(frozen=True, slots=True)
class SqlNames:
    """Names for queries: columns by view, and for each function its arguments and what it returns."""

    views: Mapping[str, Sequence[str]]
    functions: Mapping[str, tuple[str, str]]


def query_sql(
    reader: Any, query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), limit: int | None = None
) -> Rows:
    """The rows of a query.

    Args:
        reader: the `StoreReader` of the store.
        query: one SELECT, WITH or VALUES.
        parameters: values of its `?` or `:name`.
        limit: rows that are read at most.

    Raises:
        UnsupportedQuery: SQLite refuses it, it is no query, or its limit asks for nothing.
    """
    if limit is not None:
        arguments.number_of("limit", limit)
    with _opened(reader) as connection:
        connection.set_authorizer(_authorize)
        connection.set_progress_handler(lambda: 0, _STEPS_BETWEEN_SIGNALS)  # else Ctrl-C waits for the query
        try:
            cursor = connection.execute(query, parameters)
            if cursor.description is None:
                raise UnsupportedQuery(f"this is no query; {_hint()}")
            rows = cursor.fetchall() if limit is None else cursor.fetchmany(limit + 1)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise UnsupportedQuery(_explained(error)) from error
        except (UnicodeError, OverflowError, TypeError) as error:
            raise UnsupportedQuery(f"the query cannot be run: {error}") from error
        more = limit is not None and len(rows) > limit
        return Rows(tuple(one[0] for one in cursor.description), rows[:limit] if more else rows, more)


def sql_names(reader: Any) -> SqlNames:
    """The views with their columns, and the functions."""
    with _opened(reader) as connection:
        views = {
            view: [name for _, name, *_ in connection.execute(f"PRAGMA temp.table_info({view})")] for view in VIEWS
        }
    known = functions(reader)
    return SqlNames(
        views,
        {
            name: (arguments, " ".join((function.__doc__ or "").split()))
            for name, (arguments, function) in known.items()
            if name not in HIDDEN
        },
    )


@contextmanager
def _opened(reader: Any) -> Iterator[sqlite3.Connection]:
    with closing(open_for_reading(reader.path)) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        register(connection, functions(reader))
        script = load("views").replace("{columns}", ", ".join(f"s.{column.name}" for column in COLUMNS))
        script = script.replace("{carry_content}", _of_the_file(CARRY_CONTENT.replace("?", f"'{OWN_SCOPE}'")))
        summaries = _summaries(connection, reader.now_ns())
        for statement in statements(script.replace("{summaries}", summaries)):
            connection.execute(statement)
        yield connection


def _summaries(connection: sqlite3.Connection, now_ns: int) -> str:
    """The list of traces as a query without parameters."""
    text, values = statement_of(connection, Query(limit=EVERYTHING), now_ns)
    text = re.sub(r"--[^\n]*", "", text)
    return _of_the_file(re.sub(r":(\w+)", lambda name: str(int(str(values[name[1]]))), text))


def _of_the_file(text: str) -> str:
    """SQL that means the tables of the file, and not the views of the same names."""
    return re.sub(r"\b(FROM|JOIN) (traces|open_spans|instances|scopes)\b", r"\1 main.\2", text)


def _authorize(action: int, one: str | None, other: str | None, schema: str | None, view: str | None) -> int:
    if action not in _ALLOWED:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and other in _REFUSED_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_READ and one == _SECRET:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _explained(error: Exception) -> str:
    reason = str(error)
    if "not authorized" in reason or "prohibited" in reason:
        reason = f"only reading is allowed ({reason})"
    called = [f"{name}({args})" for name, (args, _) in functions(None).items() if f"function {name}()" in reason]
    return f"{reason}; {''.join(f'it is {one}; ' for one in called)}{_hint()}"


def _hint() -> str:
    return f"the views are {', '.join(VIEWS)}: `otel-mas sql` alone lists their columns, and the functions"
