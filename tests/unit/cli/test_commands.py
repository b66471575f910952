"""Every command that reads: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import COMMANDS, cli
from otel_mas.model import StatusCode
from otel_mas.semconv import attributes as names

Run = Callable[..., Result]
EXPLAINING = ("show", "graph", "critical-path", "cost")


@pytest.fixture
def run(store: Path) -> Run:
    """`run("graph", "latest")` on the team's store."""

    def invoke(*words: str, on: Path = store) -> Result:
        return CliRunner().invoke(cli, [*words, "--store", str(on)])

    return invoke


def test_traces_lists_the_newest_first(run: Run) -> None:
    result = run("traces")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert [line.split()[0] for line in lines] == ["trace", "5c0a83be", "4bf92f35"]
    assert "interrupted" in lines[2]
    assert result.stderr == ""


def test_traces_takes_filters(run: Run) -> None:
    result = run("traces", "--status", "interrupted", "--agent", "researcher", "--min-duration", "2s", "--json")
    (trace,) = json.loads(result.stdout)["traces"]
    assert trace["trace_id"].startswith("4bf92f35")
    assert (trace["status"], trace["agents"], trace["span_count"]) == ("interrupted", ["researcher"], 23)


def test_no_match_and_an_empty_store_are_notes_and_no_errors(run: Run, team: ModuleType, tmp_path: Path) -> None:
    for words in (("--tool", "web_search"), ("--attribute", "gen_ai.tool.name=web_search"), ("--model", "in-house-7b")):
        assert len(json.loads(run("traces", *words, "--json").stdout)["traces"]) >= 1, words
    assert json.loads(run("traces", "--attribute", "service.name=x", "--json").stdout)["traces"] == []
    nothing = run("traces", "--service", "nobody")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "no trace in" in nothing.stderr
    assert "matches" in nothing.stderr
    empty = team.write(tmp_path / "empty.db", traces=[])
    assert "yet: record one with `otel-mas run" in run("traces", on=empty).stderr
    assert json.loads(run("traces", "--json", on=empty).stdout) == {"traces": [], "incomplete": None}


@pytest.mark.parametrize("name", EXPLAINING)
def test_a_command_explains_the_latest_trace_by_default(run: Run, name: str) -> None:
    result = run(name)
    assert result.exit_code == 0
    assert "trace 5c0a83be11d24e7f" in result.stdout.splitlines()[0]
    assert run(name, "latest").stdout == result.stdout


@pytest.mark.parametrize("name", EXPLAINING)
def test_a_command_explains_a_conversation_as_one(run: Run, name: str) -> None:
    result = run(name, "--conversation", "demo-1", "--service", "research-team")
    assert result.exit_code == 0
    assert result.stderr == ""
    expected = ["trace 4bf92f3577b34da6", "trace 5c0a83be11d24e7f"] if name == "show" else ["2 traces"]
    assert [text for text in expected if text not in result.stdout] == []


@pytest.mark.parametrize("name", EXPLAINING)
def test_a_trace_of_a_longer_conversation_comes_with_the_command_for_all_of_it(
    run: Run, store: Path, name: str
) -> None:
    result = run(name, "4bf9")
    assert result.stderr == (
        "otel-mas: this is one of 2 traces of thread demo-1; all of them:"
        f" otel-mas {name} --conversation demo-1 --store {store}\n"
    )


def test_the_pasteable_command_leaves_out_the_default_store(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_MAS_STORE", str(store))
    result = CliRunner().invoke(cli, ["graph", "4bf9"])
    assert result.stderr.endswith("otel-mas graph --conversation demo-1\n")


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("show", ["spans", "questions", "problems"]),
        ("graph", ["nodes", "edges", "possible_edges", "externals", "questions", "problems"]),
        ("critical-path", ["total_ns", "steps", "problems"]),
        ("cost", ["by_agent", "by_model", "total", "unpriced", "problems"]),
    ],
)
def test_json_is_one_document_of_the_documented_form(run: Run, name: str, keys: list[str]) -> None:
    document = json.loads(run(name, "4bf9", "--json").stdout)
    assert list(document) == keys


def test_show_and_traces_have_the_message_of_an_error(run: Run, team: ModuleType, tmp_path: Path) -> None:
    built = team.TraceBuilder("ee" * 16)
    root = built.workflow(0, 9, "error")
    error = {names.ERROR_TYPE: "ValueError"}
    failed = built.span("execute_tool pay", 1, 5, root, attributes=error, status=StatusCode.ERROR)
    store = team.write(tmp_path / "failed.db", traces=[built.trace()])
    assert "execute_tool pay  ✗ ValueError  ended the run" in run("show", on=store).stdout
    assert json.loads(run("traces", "--json", on=store).stdout)["traces"][0]["error_message"] is None
    with closing(sqlite3.connect(store)) as connection, connection:
        stored = (bytes.fromhex(failed.span_id), names.EXCEPTION_MESSAGE, b'"no card on file"')
        connection.execute("INSERT INTO contents (trace, span_id, name, value) SELECT id, ?, ?, ? FROM traces", stored)
    assert "execute_tool pay  ✗ ValueError: no card on file  ended the run" in run("show", on=store).stdout
    assert "research_team  ✗ no card on file  thread" in run("traces", on=store).stdout
    spans = json.loads(run("show", "--json", on=store).stdout)["spans"]
    assert [span["error_message"] for span in spans] == [None, "no card on file"]
    assert json.loads(run("traces", "--json", on=store).stdout)["traces"][0]["error_message"] == "no card on file"


def test_the_graph_shows_what_no_tree_shows(run: Run) -> None:
    text = run("graph", "--conversation", "demo-1").stdout
    assert "← trigger from summarise#1, #2, #3; waited for summarise#3" in text
    assert "← resume of approve after 59.02 s waiting for input" in text


def test_the_critical_path_shows_short_steps_on_request(run: Run) -> None:
    assert "shorter steps in between" in run("critical-path", "4bf9").stdout
    assert "shorter steps in between" not in run("critical-path", "4bf9", "--all").stdout


@pytest.mark.parametrize("name", ["traces", *EXPLAINING])
def test_piped_output_has_no_colour_whatever_the_surroundings_force(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for variable in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
        monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("COLUMNS", "40")
    result = run(name)
    assert "\x1b" not in result.stdout + result.stderr
    assert max(map(len, result.stdout.splitlines())) > 60


@pytest.mark.parametrize("name", EXPLAINING)
def test_an_unknown_trace_is_one_line_and_exit_code_4(run: Run, name: str) -> None:
    result = run(name, "abcdef")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith("otel-mas: no trace abcdef in ")
    assert result.stderr.count("\n") == 1


def test_the_latest_of_an_empty_store_is_not_found(run: Run, team: ModuleType, tmp_path: Path) -> None:
    result = run("graph", on=team.write(tmp_path / "empty.db", traces=[]))
    assert result.exit_code == 4
    assert "record one with `otel-mas run" in result.stderr


@pytest.mark.parametrize("name", ["traces", *EXPLAINING])
def test_an_error_about_a_missing_store_has_the_command_that_makes_one(name: str) -> None:
    result = CliRunner().invoke(cli, [name])
    assert result.exit_code == 1
    assert result.stderr.startswith("otel-mas: there is no store at ")
    assert "otel-mas run" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_no_store_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    result = run("traces", on=path)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "is not an otel-mas store" in result.stderr


def test_an_unknown_scheme_is_refused_naming_what_is_known() -> None:
    result = CliRunner().invoke(cli, ["traces", "--store", "tempo://localhost"])
    assert result.exit_code == 1
    assert "no source reads tempo://" in result.stderr
    assert "store://" in result.stderr


@pytest.mark.parametrize("words", [("graph", "--debug"), ("--debug", "graph")])
def test_debug_lets_the_error_through_for_its_traceback(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, list(words))
    assert type(result.exception).__name__ == "NotAStore"


def test_a_bug_of_ours_is_one_line_that_asks_to_be_reported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from otel_mas.report import terminal

    def broken(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(terminal, "traces", broken)
    result = run("traces")
    assert result.exit_code == 70
    assert result.stderr.startswith("otel-mas: a bug in otel-mas: ZeroDivisionError")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("graph", "4bf9", "--conversation", "demo-1"), "Give either TRACE or --conversation"),
        (("graph", "--service", "x"), "give --conversation too"),
        (("traces", "--since", "once"), "neither a duration nor a time"),
        (("traces", "--min-duration", "2"), "write it like 500ms"),
        (("traces", "--status", "good"), "'good' is not one of"),
        (("traces", "--attribute", "version"), "'version' is no KEY=VALUE"),
        (("traces", "--older-than", "2026-11-21"), "write it like 500ms"),
        (("traces", "--limit", "0"), "0 is not in the range"),
        (("grahp",), "No such command 'grahp'"),
    ],
)
def test_a_wrong_option_is_a_usage_error(run: Run, words: tuple[str, ...], text: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert text in result.stderr


def test_a_thread_of_several_services_asks_whose(run: Run, store: Path, team: ModuleType) -> None:
    other = team.TraceBuilder("77" * 16)
    other.workflow(0, 10, "ok")
    team.write(store, run_id="run-2", traces=[other.trace()], service="other-app")
    result = run("graph", "--conversation", "demo-1")
    assert result.exit_code == 1
    assert "other-app, research-team" in result.stderr
    assert "--service" in result.stderr
    assert run("graph", "--conversation", "demo-1", "--service", "other-app").exit_code == 0
    assert "--conversation demo-1 --service research-team" in run("graph", "4bf9").stderr


@pytest.mark.parametrize("name", EXPLAINING)
def test_a_problem_of_a_trace_is_a_line_on_stderr(run: Run, team: ModuleType, tmp_path: Path, name: str) -> None:
    built = team.TraceBuilder("bd" * 16)
    run_span = built.workflow(0, 100, "ok")
    lost = built.span("never written", 1, 99, run_span)
    built.task("orphan", 5, 3, lost)
    built.spans.remove(lost)
    path = team.write(tmp_path / "bad.db", traces=[built.trace(incomplete="1 span was dropped")])
    result = run(name, on=path)
    assert result.exit_code == 0
    assert result.stdout != ""
    lines = result.stderr.splitlines()
    assert all(line.startswith("otel-mas: ") for line in lines)
    for text in ("1 span was dropped", "a parent that is not here", "ends before it starts"):
        assert len([line for line in lines if text in line]) == 1
    assert any("1 span was dropped" in line for line in json.loads(run(name, "--json", on=path).stdout)["problems"])


@pytest.mark.parametrize("name", ["run", "traces", *EXPLAINING])
def test_a_commands_help_begins_like_the_list_of_commands(name: str) -> None:
    command = cli.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    brief = COMMANDS[name][1].rstrip(".").split(":")[0].split(",")[0]
    assert command.help is not None
    assert command.help.split("\n\n")[0].startswith(brief)


def test_every_source_is_read_by_the_same_commands(store: Path, tmp_path: Path) -> None:
    """An OTLP file, by its path and by its scheme: the spans are the store's."""
    file = tmp_path / "out.jsonl.gz"

    def answer(*words: str) -> str:
        result = CliRunner().invoke(cli, list(words))
        assert result.exit_code == 0, result.output
        return result.stdout

    answer("export", "--all", "-o", str(file), "--store", str(store))

    def spans(place: str) -> list[tuple[str, str, int]]:
        found = json.loads(answer("show", "latest", "--json", "--from", place))["spans"]
        return [(span["span_id"], span["name"], span["start_ns"]) for span in found]

    assert len(spans(str(store))) == 4
    assert spans(str(file)) == spans(f"otlp+file://{file}") == spans(str(store))
