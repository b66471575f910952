"""Checking a store: SQLite's own check, and the invariants of our tables."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from otel_mas.errors import StoreCorrupt
from otel_mas.store.connection import open_for_reading, translated_errors
from otel_mas.store.upkeep.schema import tables

MOST_PROBLEMS = 100

# Queries that must find nothing, and their meaning where they find `{n}` rows.
_INVARIANTS = (
    ("spans s LEFT JOIN traces t ON t.id = s.trace WHERE t.id IS NULL", "{n} spans belong to no trace"),
    ("spans s LEFT JOIN instances i ON i.id = s.instance WHERE i.id IS NULL", "{n} spans belong to no process"),
    (
        "spans s LEFT JOIN resources r ON r.id = s.resource WHERE s.resource > 0 AND r.id IS NULL",
        "{n} spans have a resource that is missing",
    ),
    (
        "spans s LEFT JOIN scopes c ON c.id = s.scope WHERE s.scope > 0 AND c.id IS NULL",
        "{n} spans have a scope that is missing",
    ),
    ("links l LEFT JOIN spans s ON s.id = l.span WHERE s.id IS NULL", "{n} links belong to no span"),
    ("open_spans o LEFT JOIN traces t ON t.id = o.trace WHERE t.id IS NULL", "{n} open spans belong to no trace"),
    ("contents c LEFT JOIN traces t ON t.id = c.trace WHERE t.id IS NULL", "{n} contents belong to no trace"),
    ("message_lists m LEFT JOIN traces t ON t.id = m.trace WHERE t.id IS NULL", "{n} message lists belong to no trace"),
    ("message_lists WHERE length(digests) % 16", "{n} message lists are cut"),
    ("traces WHERE length(trace_id) <> 16", "{n} trace ids are not 16 bytes long"),
    ("spans WHERE length(span_id) <> 8", "{n} span ids are not 8 bytes long"),
    (
        "traces t LEFT JOIN "
        "(SELECT trace, count(*) n, sum(status = 2) e FROM spans WHERE version = 0 GROUP BY trace) s ON s.trace = t.id "
        "WHERE (t.spans, t.errors) IS NOT (coalesce(s.n, 0), coalesce(s.e, 0))",
        "the summaries of {n} traces do not fit their spans",
    ),
)


def check(path: str | os.PathLike[str]) -> list[str]:
    """Check the whole store.

    Returns:
        A line for each thing that is wrong; none where the store is sound.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreError: it cannot be read.
    """
    path = Path(path).expanduser()
    problems: list[str] = []
    try:
        connection = open_for_reading(path, in_place=False)
    except StoreCorrupt as error:
        return [str(error)]
    with translated_errors(path), closing(connection):
        for part in (_sqlite, _missing, _types, _invariants, _bodies):
            try:
                for problem in part(connection):
                    problems.append(problem)
                    if len(problems) >= MOST_PROBLEMS:
                        return problems
            except (sqlite3.Error, OverflowError, UnicodeError) as error:
                problems.append(f"{part.__name__[1:]} could not be checked: {error}")
    return problems


def _sqlite(connection: sqlite3.Connection) -> Iterator[str]:
    for (line,) in connection.execute(f"PRAGMA integrity_check({MOST_PROBLEMS // 2})"):
        if line != "ok":
            yield f"SQLite: {' '.join(str(line).split())}"
    for table, *_ in connection.execute("PRAGMA foreign_key_check").fetchmany(10):
        yield f"SQLite: a row of {table} refers to one that is missing"


def _missing(connection: sqlite3.Connection) -> Iterator[str]:
    for table, columns in tables().items():
        present = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        if not present:
            yield f"table {table} is missing"
        elif lacking := columns.keys() - present:
            yield f"table {table} lacks {', '.join(sorted(lacking))}"


def _types(connection: sqlite3.Connection) -> Iterator[str]:
    for table, columns in tables().items():
        wrong = ", ".join(
            f"sum(typeof({name}) NOT IN ({', '.join(repr(one) for one in types)}))" for name, types in columns.items()
        )
        try:
            row = connection.execute(f"SELECT {wrong} FROM {table} NOT INDEXED").fetchone()
        except sqlite3.Error as error:
            yield f"table {table} cannot be read to its end: {error}"
            continue
        for name, number in zip(columns, row, strict=True):
            if number:
                yield f"{number} values of {table}.{name} are of a wrong type"


def _invariants(connection: sqlite3.Connection) -> Iterator[str]:
    for query, meaning in _INVARIANTS:
        try:
            (number,) = connection.execute(f"SELECT count(*) FROM {query}").fetchone()
        except sqlite3.Error:
            continue  # a table that cannot be read has been named
        if number:
            yield meaning.format(n=number)


def _bodies(connection: sqlite3.Connection) -> Iterator[str]:
    from otel_mas.otlp.decode import decode_body, decode_resource, decode_scope

    for query, decode, meaning in (
        ("SELECT id, body FROM spans", decode_body, "the body of span {key} of the log cannot be decoded"),
        ("SELECT id, body FROM resources", decode_resource, "resource {key} cannot be decoded"),
        ("SELECT id, body FROM scopes WHERE length(body)", decode_scope, "scope {key} cannot be decoded"),
        (
            "SELECT lower(hex(digest)), body FROM messages WHERE body IS NOT NULL",
            orjson.loads,
            "message {key} is no JSON",
        ),
        ("SELECT id, value FROM contents", orjson.loads, "content {key} is no JSON"),
    ):
        yield from _undecodable(connection, query, decode, meaning)


def _undecodable(
    connection: sqlite3.Connection, query: str, decode: Callable[[Any], object], meaning: str
) -> Iterator[str]:
    try:
        for key, body in connection.execute(query):
            try:
                decode(body)
            except (ValueError, TypeError):
                yield meaning.format(key=key)
    except (sqlite3.Error, OverflowError, UnicodeError):
        return  # a table that cannot be read has been named
