"""Attributes to column values and back."""

from __future__ import annotations

import sqlite3

from otel_mas.model.columns import COLUMN_ATTRIBUTES
from otel_mas.semconv import attributes as names
from otel_mas.store import migrations
from otel_mas.store.columns import ATTRIBUTES, COLUMNS, attributes_of, column_values, storable


def test_attributes_survive_the_way_into_columns_and_back() -> None:
    attributes = {
        names.MAS_TASK_ID: "t1",
        names.MAS_TASK_STEP: 3,
        names.MAS_COST_USD: 0.25,
        names.MAS_COST_SIMULATED: False,
        names.MAS_CAUSE_REFS: ("send|c|x", 'quo"te'),
    }
    values = column_values({**attributes, "foreign": 1})
    assert attributes_of([values.get(place) for place in range(len(COLUMNS))]) == attributes


def test_a_value_that_sql_cannot_hold_stays_out_of_the_columns() -> None:
    assert not any(column_values({names.MAS_TASK_ID: ["a", "b"], names.MAS_TASK_NAME: b"x"}))
    assert storable(2**63) is None
    assert storable("\ud800x") == "?x"


def test_the_tables_have_exactly_the_columns_of_the_list() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrations.migrate(connection)
    for table in ("spans", "open_spans"):
        present = [(row[1], row[2]) for row in connection.execute(f"PRAGMA table_info({table})")]
        ours = [(column.name, column.type) for column in COLUMNS]
        start = present.index(ours[0])
        assert present[start : start + len(ours)] == ours
        assert len(present) == start + len(ours) + (table == "spans")


def test_the_attributes_with_a_column_are_those_that_every_source_has_at_hand() -> None:
    assert sorted(ATTRIBUTES) == sorted(COLUMN_ATTRIBUTES)
