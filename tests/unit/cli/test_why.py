"""`otel-mas why-not`, `state` and `error`, as people read and misuse them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli

ANSWERS = Path(__file__).parents[2] / "answers"
TEAM = ("--from", str(ANSWERS / "example_team.jsonl.gz"), "--conversation", "tram")
DESK = ("--from", str(ANSWERS / "newsdesk.jsonl.gz"))


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def test_the_sentence_comes_first_then_what_shows_it() -> None:
    lines = run("why-not", "writer", *DESK).stdout.splitlines()

    assert lines[2] == "writer was not reached: reader failed (RuntimeError: there are no facts to write about)."
    assert lines[3] == "failed · recorded"
    assert "reader" in lines[5]


def test_a_name_that_resembles_one_is_told() -> None:
    assert "Names in this run: writer" in run("why-not", "Writer", *TEAM).stdout
    assert "Names in this run: researcher" in run("why-not", "reseacher", *TEAM).stdout


def test_the_command_for_the_conversation_keeps_the_agent() -> None:
    told = run("why-not", "writer", *TEAM[:2]).stderr
    assert "otel-mas why-not writer --conversation tram" in told


@pytest.mark.parametrize(
    "options", [("--at", "writer", "--channel", "next"), ("--at", "writer", "--compare", "a", "b")]
)
def test_state_answers_one_question_at_a_time(options: tuple[str, ...]) -> None:
    result = run("state", *TEAM, *options)
    assert result.exit_code == 2
    assert "one of --channel, --at and --compare" in result.stderr


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (("--at", "nobody"), "no task is called 'nobody'"),
        (("--at", "supervisor"), "several tasks are called 'supervisor': say which of supervisor#1, supervisor#2"),
        (("--channel", "other"), "no change of a channel 'other' was recorded: those written are question"),
        (("--at", "+never"), "is not a duration"),
    ],
)
def test_what_the_state_has_not_is_one_line(options: tuple[str, ...], refusal: str) -> None:
    result = run("state", *TEAM, *options)
    assert result.exit_code == 1
    assert refusal in result.stderr


def test_versions_are_compared() -> None:
    lines = run("state", *TEAM, "--compare", "supervisor#1", "supervisor#2").stdout.splitlines()
    assert [line.split() for line in lines if line.startswith("next")] == [
        ["next", "–", "v1", "changed", "by", "supervisor#1"]
    ]


def test_the_markdown_of_an_error_has_no_heading_of_the_terminal() -> None:
    text = run("error", *DESK, "--format", "markdown").stdout

    assert text.startswith("# `ConnectionError: the archive has no connection")
    assert "[redacted]" in text
    assert "## Stack" in text


def test_a_run_without_errors_says_so() -> None:
    assert "No error was recorded. `otel-mas traces --status error` lists" in run("error", *TEAM).stdout
