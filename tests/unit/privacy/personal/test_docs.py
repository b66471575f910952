"""The tables of docs/privacy.md are what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from otel_mas.config.personal import KINDS
from otel_mas.privacy.personal.national_ids import BARE, FORMS
from otel_mas.privacy.personal.removal import PersonalData

PAGE = Path(__file__).parents[4].joinpath("docs", "privacy.md").read_text()
ROWS = [re.findall(r"`([^`]+)`", line.split("|", 2)[2]) for line in PAGE.splitlines() if re.match(r"\| [A-Za-z]", line)]


@pytest.mark.parametrize("row", [row for row in ROWS if row], ids=lambda row: row[0])
def test_a_row_says_what_is_stored(row: list[str]) -> None:
    text, *stored = row
    assert PersonalData(list(KINDS), regions=["US"]).value("", text) == (stored[0] if stored else text)


def test_there_are_rows_of_both_kinds() -> None:
    assert sum(len(row) == 2 for row in ROWS) == 10
    assert sum(len(row) == 1 for row in ROWS) == 10


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_named(kind: str) -> None:
    assert kind in PAGE


def test_each_module_of_national_ids_can_be_loaded() -> None:
    from otel_mas.privacy.personal.national_ids import validator

    for module in {*BARE, *(module for _, modules in FORMS for module in modules.split())}:
        assert callable(validator(module))
