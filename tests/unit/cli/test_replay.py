"""`otel-mas replay`: what it refuses before the app runs, and the environment that it gives the app."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.cli import cli
from otel_mas.cli.run import recorded_environment
from otel_mas.config import Settings
from otel_mas.replay.keys import KEYS, PLACEHOLDER

APP = "tests.unit.replay.changed_app"


def test_an_app_is_not_run_for_real_where_recording_is_switched_off(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    result = CliRunner().invoke(cli, ["replay", "latest", "--", "python", "-c", "print('run for real')"])
    assert result.exit_code != 0
    assert "recording is off" in str(result.exception) + result.output
    assert "run for real" not in capfd.readouterr().out


def test_every_process_has_placeholders_for_keys_where_nothing_is_live() -> None:
    real = {"OPENAI_API_KEY": "real", "PATH": "/bin"}
    replayed = recorded_environment(real, Settings(replay="latest"), "run")
    assert {replayed[name] for name in KEYS} == {PLACEHOLDER}
    live = recorded_environment(real, Settings(replay="latest", replay_live=("models",)), "run")
    assert live["OPENAI_API_KEY"] == "real"
    assert not set(KEYS) & recorded_environment({}, Settings(), "run").keys()


def test_a_file_that_is_not_there_is_called_a_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["replay", str(tmp_path / "run.jsonl"), "--", "python", "-c", "1"])
    assert "there is no file" in str(result.exception) + result.output


def test_names_to_be_live_that_are_not_recorded_and_calls_that_were_not_made_are_said(tmp_path: Path) -> None:
    store = str(tmp_path / "runs.db")
    otel_mas.instrument(store=store)
    otel_mas.tool("pay")(lambda amount: amount)(3)
    otel_mas.shutdown()

    arguments = ["--store", store, "--from", store, "--live", "reseracher", "--", sys.executable, "-c", "1"]
    said = " ".join(CliRunner(catch_exceptions=False).invoke(cli, ["replay", "latest", *arguments]).output.split())

    assert "--live reseracher: the recording has no agent or node of this name" in said
    assert "1 of 1 recorded calls were not made again" in said


@pytest.mark.parametrize("options", [[], ["--quiet"], ["--from-task", "report#1", "--stub", f"{APP}:stub"]])
def test_a_comparison_is_written_also_where_nothing_is_changed(options: list[str], tmp_path: Path) -> None:
    store, file = str(tmp_path / "runs.db"), tmp_path / "both.json"
    app = ["--", sys.executable, "-m", APP]
    runner = CliRunner(catch_exceptions=False)
    runner.invoke(cli, ["run", "--store", store, *app])

    arguments = ["replay", "latest", "--from", store, "--store", store, "--comparison", str(file), *options, *app]
    result = runner.invoke(cli, arguments)

    assert result.exit_code == 0, result.output
    found = json.loads(file.read_text())
    assert found["changes"] == []
    assert found["first_difference"] == ("report#1" if "--stub" in options else None)
    assert ("recorded and replayed" in result.output) == ("--quiet" not in options)


def test_a_comparison_that_cannot_be_written_is_refused_before_the_app_runs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "nowhere" / "both.json")
    result = CliRunner().invoke(cli, ["replay", "latest", "--comparison", file, "--", "python", "-c", "print('ran')"])

    assert result.exit_code == 2
    assert "There is no folder" in result.output
    assert "ran" not in capfd.readouterr().out
