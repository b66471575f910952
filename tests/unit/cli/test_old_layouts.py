"""Every command reads a store of every layout that there has been as it reads one of today."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from otel_mas.api.debug_session.states import SessionState
from otel_mas.api.debug_session.watcher import Watcher
from otel_mas.cli import cli
from otel_mas.store.migrations import VERSION
from tests.unit.store.layouts.make import TRACE
from tests.unit.store.test_layouts import layout_of, recording, stored

ID = TRACE.hex()
LAYOUTS = [1, *(pytest.param(layout, marks=pytest.mark.slow) for layout in range(2, VERSION))]
"""The oldest one takes every step to today's."""
COMMANDS = [
    ["traces"],
    ["show", ID],
    ["show", "0202020202020202", "--trace", ID],
    ["log", ID],
    ["log", "--since", "2020-01-01", "--grep", "error"],
    ["graph", ID],
    ["critical-path", ID],
    ["profile", ID],
    ["why-not", "planner", ID],
    ["state", ID],
    ["error", ID],
    ["cost", ID],
    *(["query", what] for what in ("executions", "agents", "chains", "events")),
    ["query", "metrics", "duration"],
    ["sql", "SELECT * FROM spans"],
    ["sql", "SELECT * FROM contents"],
    ["export", ID, "-o", "-"],
    ["report", ID, "-o", "report.html"],
    ["store", "check"],
]
"""Commands that only read; `store stats` and `doctor` tell of the file, too."""


def output(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [*words, "--store", "runs.db"])
    return done.exit_code, done.output.replace(f"{Path.cwd()}/", "")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, str]]:
    """What the commands print about the store of today's layout."""
    folder = tmp_path_factory.mktemp("today")
    stored(VERSION, folder).chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return [output(*words) for words in COMMANDS]


def test_the_commands_succeed(expected: list[tuple[int, str]]) -> None:
    assert [code for code, _ in expected] == [0] * len(COMMANDS)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_command_about_an_old_store_prints_what_it_prints_about_a_new_one(
    layout: int, expected: list[tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words, answer in zip(COMMANDS, expected, strict=True):
        stored(layout, tmp_path)  # anew: each command is the first one
        assert output(*words) == answer, words


@pytest.mark.parametrize("layout", LAYOUTS)
def test_commands_that_tell_of_the_file_or_change_it_take_old_stores_too(
    layout: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words, phrase in (
        (["store", "stats"], rf"layout {VERSION}\)"),
        (["store", "compact"], "before"),
        (["store", "prune", "--older-than", "1d", "--yes"], "nothing to delete"),
        (["store", "repair"], r"saved 1 trace, 2 spans"),
        (["log", ID, "--follow"], "✗ error"),
    ):
        stored(layout, tmp_path).chmod(0o600)
        code, text = output(*words)
        assert code == 0, text
        assert re.search(phrase, text), text
    code, text = output("compare", "--before", "service=shop", "--after", "service=none")  # of one run alone
    assert (code, "no run for 'after'" in text) == (1, True)
    stored(layout, tmp_path)
    assert f'"layout": {VERSION}' in output("doctor", "--json")[1]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_store_that_an_older_version_records_into_is_read_and_not_followed(
    layout: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = stored(layout, tmp_path)
    recording(path)
    for words in COMMANDS:
        code, text = output(*words)
        assert code == 0, text
    code, text = output("log", "--follow")
    assert code == 1
    assert "a process records into the store at runs.db now (shop)" in text
    assert layout_of(path) == layout


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_debug_session_attaches_to_an_old_store(layout: int, tmp_path: Path) -> None:
    with closing(Watcher(stored(layout, tmp_path), 30.0)) as watcher:
        watcher.look()
        assert watcher.state is SessionState.ATTACHED
