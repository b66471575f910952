"""Many rows a statement: the same rows as one by one, in few statements."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.store import statements


def table() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE t (a INTEGER, b TEXT, UNIQUE (a, b))")
    return connection


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("xyz")), max_size=300))
def test_rows_go_in_once_in_their_order_whatever_their_number(rows: list[tuple[int, str]]) -> None:
    connection = table()
    done = statements.insert(connection, "INSERT OR IGNORE INTO t (a, b)", rows)
    assert connection.execute("SELECT a, b FROM t ORDER BY rowid").fetchall() == list(dict.fromkeys(rows))
    assert done == len(set(rows))


@given(st.sets(st.integers(0, 300)), st.sets(st.integers(0, 300)))
def test_present_and_deleted_are_exactly_those_asked_for(stored: set[int], asked: set[int]) -> None:
    connection = table()
    statements.insert(connection, "INSERT INTO t (a, b)", [(n, "x") for n in stored])
    wanted = [value for n in asked for value in (n, "x")]
    assert statements.present(connection, "t", ("a", "b"), wanted) == {(n, "x") for n in stored & asked}
    statements.delete(connection, "t", ("a", "b"), wanted)
    assert {a for (a,) in connection.execute("SELECT a FROM t")} == stored - asked


def test_rows_that_leave_columns_out_have_their_defaults_there() -> None:
    connection = table()
    connection.execute("CREATE TABLE d (a INTEGER, b TEXT DEFAULT 'none', c TEXT)")
    rows: list[dict[str, object]] = [{"a": 1}, {"a": 2, "c": "c"}, {"a": 3}, {"a": 4, "b": "b"}]
    assert statements.insert_mappings(connection, "INSERT INTO d", rows) == len(rows)
    stored = connection.execute("SELECT a, b, c FROM d ORDER BY a").fetchall()
    assert stored == [(1, "none", None), (2, "none", "c"), (3, "none", None), (4, "b", None)]


def test_the_conflict_clause_follows_the_values() -> None:
    connection = table()
    statements.insert(connection, "INSERT INTO t (a, b)", [(1, "x")])
    statements.insert(
        connection, "INSERT INTO t (a, b)", [(1, "x"), (2, "y")], "ON CONFLICT (a, b) DO UPDATE SET b = 'z'"
    )
    assert connection.execute("SELECT a, b FROM t ORDER BY a").fetchall() == [(1, "z"), (2, "y")]


@pytest.mark.parametrize(("rows", "executed"), [(0, 0), (1, 1), (8, 1), (64, 1), (100, 9), (640, 3), (5120, 10)])
def test_a_hundred_rows_are_a_handful_of_statements(rows: int, executed: int) -> None:
    connection = table()
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    statements.insert(connection, "INSERT INTO t (a, b)", [(n, "x") for n in range(rows)])
    assert len(seen) == executed
