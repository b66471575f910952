"""`otel-mas replay`: what it refuses before the app runs, and the environment that it gives the app."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from otel_mas.cli import cli
from otel_mas.cli.run import recorded_environment
from otel_mas.config import Settings
from otel_mas.replay.keys import KEYS, PLACEHOLDER


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
