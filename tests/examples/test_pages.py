"""Blocks of docs/evaluate.md, docs/replay.md and docs/topology.md run, on recordings of apps as they speak of."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import otel_mas
from otel_mas.evaluate import EvaluationHarness, Suite

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]
APP = Path(__file__).with_name("documented_app.py")
STOPS = "errors.ReplayStopped: "


def _blocks(page: str, kind: str) -> list[str]:
    text = (REPOSITORY / "docs" / page).read_text()
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


REPLAYED = _blocks("replay.md", "python")
COMMANDS = [line.partition("  #")[0] for block in _blocks("replay.md", "sh") for line in block.splitlines()]


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {"PATH": path, "PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}", "OTEL_MAS_STORE": "runs.db"}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True
    )


def _recorded(name: str, folder: Path) -> None:
    shutil.copy(APP, folder / "app.py")
    for command in (
        f"otel-mas run --quiet -- python app.py {name}",
        "otel-mas export latest --with-content --span-lines -o run.jsonl",
    ):
        done = _run(command, folder)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def recorded(tmp_path: Path, once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[str], Path]:
    """`recorded("writing")`: a folder with the app, a store with one run of it, and the same run as a file."""

    def copy(name: str) -> Path:
        made = once(f"documented-{name}", lambda folder: _recorded(name, folder))
        return Path(shutil.copytree(made, tmp_path / name))

    return copy


@pytest.mark.parametrize("block", REPLAYED)
def test_python_of_the_page_on_replays_runs(block: str, recorded: Callable[[str], Path]) -> None:
    folder = recorded("writing")
    (folder / "block.py").write_text(f"import otel_mas\nfrom app import cheap_model, graph, state\n\n{block}")

    done = _run("python block.py", folder)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_page_on_replays_does_what_it_says(command: str, recorded: Callable[[str], Path]) -> None:
    folder = recorded("writing")
    really = "--live descendants" in command
    stops = "--change" in command and not really and "--stub" not in command

    done = _run(command.replace(" -- ", " --yes -- ") if really else command, folder)

    assert done.returncode == (1 if stops else 0), done.stdout + done.stderr
    assert (STOPS in done.stdout + done.stderr) == stops, done.stdout + done.stderr
    if "--comparison" in command:
        assert (folder / "both.json").exists()


def test_the_page_on_evaluations_runs(recorded: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = recorded("asking")
    monkeypatch.chdir(folder)
    case, polite = _blocks("evaluate.md", "python")
    scope: dict[str, object] = {}

    exec(case, scope)
    assert scope["report"].passed, str(scope["report"])  # type: ignore[attr-defined]

    exec(polite, scope := {"__name__": __name__})
    with otel_mas.open("runs.db") as source:
        checked = {"name": "polite", "checks": scope["Polite"](word="costs")}  # type: ignore[operator]
        report = EvaluationHarness(otel_mas.evaluate.EvaluationCase(**checked)).score(source.latest())
    assert report.cases[0].runs[0].results[-1].reason == "looked for 'costs'"


def test_files_of_the_page_on_evaluations_are_what_they_are_for(tmp_path: Path) -> None:
    [suite] = _blocks("evaluate.md", "yaml")
    [entry_point] = _blocks("evaluate.md", "toml")
    (tmp_path / "suite.yaml").write_text(suite)

    [case] = Suite.read(tmp_path / "suite.yaml").cases
    assert [name for name, _ in case.evaluators()][-1] == "judge"
    groups = tomllib.loads(entry_point)["project"]["entry-points"]
    assert groups == {"otel_mas_evaluator": {"polite": "my_package.evaluators:Polite"}}


def test_the_page_on_topologies_runs(
    recorded: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(recorded("publishing"))
    first, as_graph = _blocks("topology.md", "python")
    scope: dict[str, object] = {}

    exec(first, scope)
    assert "supervisor -> researcher, writer" in capsys.readouterr().out
    exec(as_graph, scope)

    with otel_mas.open("runs.db") as source:
        result = otel_mas.evaluate.topology.match(scope["expected"], source.latest())  # type: ignore[arg-type]
    assert result.outcome.value == "passed", result.text
