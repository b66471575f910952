"""The summary at the end of `otel-mas run`."""

from __future__ import annotations

import shlex
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from otel_mas.api.run import Run
from otel_mas.cli import cli
from otel_mas.cli.summary import print_run_summary
from otel_mas.model import Finding, Severity, StatusCode
from otel_mas.semconv import attributes as names


def output(path: Path, capsys: pytest.CaptureFixture[str], run_id: str = "run-1") -> str:
    print_run_summary(path, run_id)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_it_shows_the_traces_the_path_the_cost_and_further_commands(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = output(store, capsys).splitlines()
    assert lines[1] == "otel-mas recorded"
    assert [line.split()[0] for line in lines[3:5]] == ["4bf92f35", "5c0a83be"]
    assert lines[6] == "critical path of thread demo-1, 2 traces"
    path = lines[8 : lines.index("", 8)]
    assert any("waiting for input  approve resumed" in line for line in path)
    assert any("collect waited for summarise#3" in line for line in path)
    assert "8 model calls, 5,186 tokens in, 1,023 out, $0.0013 simulated, 1 call without a price (in-house-7b)" in lines
    assert "\x1b" not in "".join(lines)


def test_its_commands_work_when_pasted(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = [line for line in output(store, capsys).splitlines() if line.startswith("  otel-mas ")]
    assert commands.pop() == f"  otel-mas serve --store {store}"
    assert len(commands) == 4
    for command in commands:
        words = shlex.split(command)[1:]
        assert str(store) in words
        assert CliRunner().invoke(cli, words).exit_code == 0


def test_it_shows_the_question_that_waits_for_a_human(
    team: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = team.write(tmp_path / "paused.db", traces=team.research_traces()[:1])
    assert "approve is waiting for input: Publish this?" in output(path, capsys)


def test_it_shows_where_an_error_happened_and_what_was_lost(
    team: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = team.TraceBuilder("ee" * 16)
    run = built.span("invoke_workflow w", 0, 9, status=StatusCode.ERROR, attributes={names.MAS_ERROR_SPAN: "x-y"})
    task = built.task("tools", 1, 8, run, outcome="error")
    built.span("execute_tool t", 2, 7, task, attributes={names.ERROR_TYPE: "ValueError"}, status=StatusCode.ERROR)
    path = team.write(tmp_path / "failed.db", traces=[built.trace(incomplete="2 spans were dropped")])
    text = output(path, capsys)
    assert "✗ tools › execute_tool t: ValueError\n" in text
    assert f"problem: trace {'ee' * 16}: 2 spans were dropped\n" in text
    assert f"otel-mas graph {'ee' * 6} --store {path}" in text


def test_nothing_recorded_is_reported(store: Path, team: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """By a process that recorded no trace; of a run that never wrote to the store nothing is printed."""
    team.write(store, run_id="empty", traces=[])
    assert "otel-mas recorded nothing" in output(store, capsys, run_id="empty")
    assert not print_run_summary(store, "another")
    assert not print_run_summary(store.with_name("none.db"), "empty")
    assert capsys.readouterr().err == ""


def test_a_run_that_goes_on_from_a_pause_is_explained_with_it(
    team: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = team.research_traces()
    path = team.write(tmp_path / "two.db", run_id="run-1", traces=[first])
    team.write(path, run_id="run-2", traces=[second])
    text = output(path, capsys, run_id="run-2")
    assert [line.split()[0] for line in text.splitlines()[3:4]] == ["5c0a83be"]
    assert "critical path of thread demo-1, 2 traces" in text
    assert "approve resumed after the human answered" in text


def test_a_run_that_begins_anew_in_a_conversation_is_explained_alone(
    team: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier, later = team.TraceBuilder("0a" * 16), team.TraceBuilder("0b" * 16)
    earlier.workflow(0, 100, "ok")
    later.workflow(1000, 1100, "ok")
    path = team.write(tmp_path / "two.db", run_id="run-1", traces=[earlier.trace()])
    team.write(path, run_id="run-2", traces=[later.trace()])
    text = output(path, capsys, run_id="run-2")
    assert "critical path\n" in text
    assert f"otel-mas graph {'0b' * 6}" in text


def test_of_many_conversations_the_longest_trace_is_explained(
    team: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    traces = []
    for number in range(8):
        built = team.TraceBuilder(f"{number}a" * 16)
        root = built.span(
            "invoke_workflow w", number, 100 * (number + 1), attributes={names.GEN_AI_CONVERSATION_ID: f"t{number}"}
        )
        built.chat(number + 1, 50, root, 10, 10)
        traces.append(built.trace())
    text = output(team.write(tmp_path / "many.db", traces=traces), capsys)
    assert "and 3 more" in text
    assert "critical path of 7a7a7a7a, the longest" in text


def test_the_error_that_ended_the_run_differs_from_handled_ones(
    team: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the tasks around them, where the names alone would be the same. No model, no word about models."""
    built = team.TraceBuilder("ef" * 16)
    error = {names.ERROR_TYPE: "KeyError", names.MAS_TASK_ID: "x", names.MAS_TASK_NAME: "bad"}
    ends = {names.MAS_RUN_OUTCOME: "error", names.MAS_ERROR_SPAN: f"{built.trace_id}-ef00000000000005"}
    run = built.span("invoke_workflow w", 0, 90, attributes=ends)
    caught = built.task("caught", 1, 8, run)
    built.span("task bad", 2, 7, caught, attributes=error, status=StatusCode.ERROR)
    wrap = built.task("wrap", 10, 80, run, outcome="error")
    error = {**error, names.MAS_TASK_ID: "y", names.MAS_TASK_OUTCOME: "error"}
    built.span("task bad", 20, 70, wrap, attributes=error, status=StatusCode.ERROR)
    path = team.write(tmp_path / "failed.db", traces=[built.trace()])
    lines = output(path, capsys).splitlines()
    assert [line for line in lines if line.startswith("✗")] == [
        "✗ ended the run: wrap#1/bad#1: KeyError",
        "✗ handled: caught#1/bad#1: KeyError",
    ]
    assert "model call" not in "\n".join(lines)
    tree = CliRunner().invoke(cli, ["show", "--store", str(path)]).stdout
    assert "task bad#1  ✗ KeyError  handled" in tree
    assert "task bad#1  ✗ KeyError  ended the run" in tree


def test_the_worst_finding_is_a_line_and_explain_the_first_command(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(severity: Severity, summary: str) -> Finding:
        return Finding(code="x", severity=severity, confidence=1, summary=summary, subject="a", spans=("1",))

    told = [found(Severity.WARNING, "writer goes round in circles"), found(Severity.WARNING, "b")]
    monkeypatch.setattr(Run, "findings", lambda _: [*told, found(Severity.INFO, "c")])
    lines = output(store, capsys).splitlines()
    assert "! writer goes round in circles (and 1 more finding)" in lines
    assert lines[lines.index("look further") + 1].startswith("  otel-mas explain ")

    monkeypatch.setattr(Run, "findings", lambda _: [found(Severity.INFO, "c")])
    assert "explain" not in output(store, capsys)


def test_findings_of_a_long_run_are_left_to_explain(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otel_mas.cli.summary._MOST_EXAMINED", 3)
    monkeypatch.setattr(Run, "findings", lambda _: pytest.fail("it was examined"))
    lines = output(store, capsys).splitlines()
    assert lines[lines.index("look further") + 1].startswith("  otel-mas explain ")
