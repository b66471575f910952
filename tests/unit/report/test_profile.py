"""Profiles for people: the whole as a snapshot, and what must hold of every one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from types import ModuleType

import pytest
from rich.cells import cell_len
from rich.text import Text

from otel_mas.analyse.profile import FunctionRow, Profile, profile
from otel_mas.causal import build
from otel_mas.report import terminal

Snapshot = Callable[[str, str], None]
FUNCTIONS = (
    FunctionRow("app.load", "reader", "reader", 3, 1, 62_000_000, 62_000_000, 1_000_000, 21_000_000),
    FunctionRow("app.rank", "reader", "reader", 1, 0, 3_000, 3_000, 3_000, 3_000),
)


def shown(lines: Iterable[Text]) -> str:
    return "".join(f"{line.plain.rstrip()}\n" for line in lines)


@pytest.fixture
def found(team: ModuleType) -> Profile:
    return replace(profile([build(team.research_traces())]), functions=FUNCTIONS)


def test_a_profile_shows_rows_hot_spots_functions_and_what_they_add_up_to(found: Profile, snapshot: Snapshot) -> None:
    snapshot("profile", shown(terminal.profile(found, 140)))


def test_of_several_runs_the_percentiles_are_told_with_their_doubt(team: ModuleType) -> None:
    text = shown(terminal.profile(profile([build([one]) for one in team.research_traces()], turns=False), 120))
    assert text.startswith("2 runs, ")
    assert "(P50), ~" in text
    assert "~ says little" in text


@pytest.mark.parametrize("width", [60, 100, 160])
def test_no_line_is_wider_than_asked_for(found: Profile, width: int) -> None:
    assert max(cell_len(line.plain) for line in terminal.profile(found, width)) <= width


def test_long_lists_name_what_they_leave_out(team: ModuleType) -> None:
    causal = build(team.research_traces())
    many = tuple(replace(FUNCTIONS[0], name=f"app.f{number}") for number in range(23))
    text = shown(terminal.profile(replace(profile([causal]), functions=many), 120))
    assert "and 3 more functions; --json lists all of them" in text


def test_no_run_has_a_line() -> None:
    assert shown(terminal.profile(profile([]), 80)) == "No run.\n"
