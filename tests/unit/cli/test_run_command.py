"""How the line of `otel-mas run` is read; running itself is tested elsewhere."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from otel_mas.cli import cli


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Any, bool]]:
    """The arguments with which `otel_mas.cli.run` is called; its app always exits with 7."""
    calls: list[tuple[list[str], Any, bool]] = []

    def run(arguments: list[str], settings: Any, *, summary: bool = True) -> int:
        calls.append((arguments, settings, summary))
        return 7

    fake = ModuleType("otel_mas.cli.run")
    fake.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "otel_mas.cli.run", fake)
    return calls


@pytest.mark.parametrize(
    ("line", "app"),
    [
        (["--", "python", "app.py", "--store", "x"], ["python", "app.py", "--store", "x"]),
        (["python", "app.py", "--quiet"], ["python", "app.py", "--quiet"]),
        (["--", "-m", "package.app", "-v"], [sys.executable, "-m", "package.app", "-v"]),
        (["-m", "package.app", "--help"], [sys.executable, "-m", "package.app", "--help"]),
        (["--store", "runs.db", "-m", "app"], [sys.executable, "-m", "app"]),
        (["my-script", "--", "-m"], ["my-script", "--", "-m"]),
    ],
)
def test_everything_from_the_app_on_is_the_apps(asked: list[Any], line: list[str], app: list[str]) -> None:
    result = CliRunner().invoke(cli, ["run", *line])
    assert result.exit_code == 7
    assert asked[0][0] == app


def test_options_become_settings(asked: list[Any]) -> None:
    CliRunner().invoke(
        cli, ["run", "--store", "/tmp/r.db", "--content", "none", "--simulated-cost", "--quiet", "--", "app"]
    )
    _, settings, summary = asked[0]
    assert (settings.store, settings.content, settings.simulated_cost, summary) == ("/tmp/r.db", "none", True, False)


def test_faults_become_a_setting(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_FAULTS", "model_slow")
    CliRunner().invoke(cli, ["run", "--fault", "tool_hang:delay=200ms", "--fault-seed", "3", "--", "app"])
    CliRunner().invoke(cli, ["run", "--", "app"])

    assert [(settings.faults, settings.fault_seed) for _, settings, _ in asked] == [
        ("tool_hang:delay=0.2", 3),
        ("model_slow", 0),
    ]


def test_options_that_are_not_given_are_left_to_the_environment(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_MAS_CONTENT", "full")
    monkeypatch.setenv("OTEL_MAS_SIMULATED_COST", "true")
    CliRunner().invoke(cli, ["run", "app"])
    _, settings, summary = asked[0]
    assert (settings.content, settings.simulated_cost, summary) == ("full", True, True)


@pytest.mark.parametrize(
    ("line", "words"),
    [(["--stroe", "x", "--", "app"], "No such option"), ([], "Missing argument"), (["--"], "Missing argument")],
)
def test_a_wrong_line_is_a_usage_error_and_nothing_runs(asked: list[Any], line: list[str], words: str) -> None:
    result = CliRunner().invoke(cli, ["run", *line])
    assert result.exit_code == 2
    assert words in result.stderr
    assert asked == []


def test_an_invalid_setting_is_one_line_and_exit_code_2(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_QUEUE_SPANS", "many")
    result = CliRunner().invoke(cli, ["run", "app"])
    assert result.exit_code == 2
    assert result.stderr.startswith("otel-mas: OTEL_MAS_QUEUE_SPANS")
    assert asked == []
