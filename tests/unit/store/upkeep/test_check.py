"""`check` finds each kind of damage, and nothing in a sound store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from otel_mas.store.upkeep.check import check


def test_nothing_is_wrong_with_a_sound_store(stored: Path) -> None:
    assert check(stored) == []


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("UPDATE traces SET spans = 7", "the summaries of 2 traces do not fit their spans"),
        ("DELETE FROM traces WHERE id = 1", "20 spans belong to no trace"),
        ("DELETE FROM instances", "40 spans belong to no process"),
        ("DELETE FROM resources", "40 spans have a resource that is missing"),
        ("DELETE FROM spans WHERE id = 40", "1 links belong to no span"),
        ("UPDATE spans SET start_ns = 'soon' WHERE id < 3", "2 values of spans.start_ns are of a wrong type"),
        ("UPDATE spans SET agent = x'00' WHERE id = 3", "1 values of spans.agent are of a wrong type"),
        ("UPDATE spans SET body = x'ffff' WHERE id = 3", "the body of span 3 of the log cannot be decoded"),
        ("UPDATE messages SET body = 'x'", "message 000102030405060708090a0b0c0d0e0f is no JSON"),
        ("UPDATE contents SET value = x'7b'", "content 1 is no JSON"),
        ("DROP TABLE facets", "table facets is missing"),
        ("ALTER TABLE contents DROP COLUMN name", "table contents lacks name"),
    ],
)
def test_each_kind_of_damage_is_named(stored: Path, sql: Callable[[str], None], damage: str, problem: str) -> None:
    sql(damage)
    assert problem in check(stored)


def test_pages_that_are_gone_are_found_by_sqlite(stored: Path) -> None:
    data = bytearray(stored.read_bytes())
    data[-8192:] = bytes(8192)
    stored.write_bytes(data)
    assert check(stored)


def test_an_attribute_may_have_any_type_that_the_app_gave_it(stored: Path, sql: Callable[[str], None]) -> None:
    sql("UPDATE spans SET input_tokens = 'many', agent = 5")
    assert check(stored) == []
