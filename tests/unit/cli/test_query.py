"""`otel-mas query` and `otel-mas compare`: what they print."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli

Run = Callable[..., Result]


@pytest.fixture
def run(store: Path) -> Run:
    """`run("query", "agents")` on the team's store."""
    return lambda *words: CliRunner().invoke(cli, [*words, "--store", str(store)])


def test_query_traces_is_the_command_traces(run: Run) -> None:
    assert run("query", "traces", "--agent", "researcher").stdout == run("traces", "--agent", "researcher").stdout


@pytest.mark.parametrize(
    ("words", "name", "heading"),
    [
        (("executions",), "executions", "overhead"),
        (("executions", "--slowest", "--kind", "model"), "executions", "tokens"),
        (("agents",), "statistics", "success"),
        (("agents", "--by", "tool"), "statistics", "P90"),
        (("chains",), "chains", "called"),
        (("stages",), "stages", "stage"),
        (("outcomes",), "outcomes", "all runs' cost per one"),
        (("events", "--type", "TOOL_CALL"), "events", "detail"),
        (("metrics", "cost", "--by", "model", "--window", "1h"), "metrics", "mean"),
    ],
)
def test_each_answer_is_a_table_or_a_document(words: tuple[str, ...], name: str, heading: str, run: Run) -> None:
    printed, document = run("query", *words), run("query", *words, "--json")

    assert printed.exit_code == document.exit_code == 0, printed.output
    assert heading in printed.stdout.splitlines()[0]
    assert len(json.loads(document.stdout)[name]) > 0
    assert all(len(line) <= 120 for line in printed.stdout.splitlines())


def test_filters_are_those_of_traces(run: Run) -> None:
    found = json.loads(run("query", "executions", "--agent", "researcher", "--kind", "tool", "--json").stdout)

    assert {one["name"] for one in found["executions"]} == {"web_search", "read_notes"}
    assert run("query", "executions", "--status", "handoff").stdout == "No execution matches.\n"
    assert "no such option" in run("query", "events", "--status", "ok").output.lower()


def test_rows_beyond_the_first_are_counted_and_a_limit_of_traces_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otel_mas.report.query_tables.MOST", 3)

    cut, whole = run("query", "executions", "--limit", "1"), run("query", "executions", "--limit", "3", "--all")

    assert len(whole.stdout.splitlines()) > 10
    assert "limit" not in whole.stderr
    assert cut.stderr.startswith("otel-mas: only the newest 1 traces were read; --limit reads more")


def test_sets_are_named_by_filters_and_attributes(run: Run) -> None:
    words = ("--before", "status=interrupted", "--before", "service.name=research-team", "--after", "status=ok")
    printed, document = run("compare", *words), json.loads(run("compare", *words, "--json").stdout)

    assert printed.exit_code == 0, printed.output
    assert "too few runs to tell" in printed.stdout
    assert (document["runs_before"], document["runs_after"]) == (1, 1)
    assert {one["verdict"] for one in document["measures"]} == {"cannot tell"}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--before", "status", "--after", "status=ok"), "'status' is no KEY=VALUE"),
        (("--before", "status=fine", "--after", "status=ok"), "no trace has the status 'fine'"),
        (("--before", "status=ok", "--after", "service.version=7"), "has no run for 'after', service.version=7"),
        (("--before", "since=soon", "--after", "status=ok"), "neither a duration nor a time"),
    ],
)
def test_what_cannot_be_compared_is_one_line(words: tuple[str, ...], text: str, run: Run) -> None:
    result = run("compare", *words)

    assert result.exit_code != 0
    assert text in result.output


def test_sql_prints_numbers_to_the_right_and_columns_that_are_empty_too(run: Run) -> None:
    query = (
        "SELECT 'a' AS text, 10 AS number, NULL AS missing, 1.5 AS real UNION ALL SELECT 'bb' || char(27), 2, NULL, 20"
    )

    assert run("sql", query).stdout.splitlines() == [
        "text  number  missing  real",
        "a         10            1.5",
        "bb         2             20",
    ]
    assert run("sql", "SELECT printf('%0100d', 0) AS long").stdout.splitlines() == ["long", "0" * 59 + "…"]


def test_traces_of_other_services_are_counted_in_a_note(tmp_path: Path) -> None:
    spans = [
        {"traceId": digit * 32, "spanId": "a" * 16, "name": "GET", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
        for digit in "12"
    ]
    for number, words in ((1, "1 trace was left out"), (2, "2 traces were left out")):
        path = tmp_path / f"{number}.jsonl"
        path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans[:number]}]}]}))

        found = CliRunner().invoke(cli, ["query", "topology", "--from", str(path)])

        assert (found.stdout, found.exit_code) == ("No edge matches.\n", 0)
        assert f"{words}: no step of an agent, tool or model" in found.stderr
