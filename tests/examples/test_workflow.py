"""The workflow for GitHub is valid, and its steps do what they say, as far as that is to be seen without GitHub."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.model_server import ModelServer
from tests.go_programs import go_program
from tests.wheels import REPOSITORY, Environment, build_wheel

PROJECT = REPOSITORY / "examples" / "ci"
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT / "agents.yml").read_text())
    return found


def test_workflow_is_valid(surroundings: dict[str, str]) -> None:
    done = subprocess.run(
        [go_program(ACTIONLINT, surroundings), PROJECT / "agents.yml"], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout


def test_installation_names_what_the_project_imports(workflow: dict[str, Any]) -> None:
    wanted = (PROJECT / "requirements.txt").read_text()

    assert all(name in wanted for name in ("langgraph", "langchain-openai", "otel-mas", "pytest", "pytest-asyncio"))
    assert all("-r requirements.txt" in next(_steps(job, "Install")) for job in workflow["jobs"].values())


class Runner:
    """Runs the steps of a job as the runner of GitHub does: with `bash -e`, in a clean clone and environment."""

    def __init__(self, folder: Path, environment: Environment, **variables: str) -> None:
        self.folder = folder
        self._environment = environment
        self._variables = variables
        shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "Recorded")):
            self.run(f"git -c user.name=me -c user.email=me@example.org {shlex.join(command)}")

    def run(self, command: str, **more: str) -> str:
        steps = ("bash", "-e", "-o", "pipefail", "-c", command)
        return self._environment.run_active(*steps, cwd=self.folder, **self._variables, **more)


@pytest.fixture(scope="module")
def installed(
    workflow: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, surroundings: dict[str, str]
) -> Environment:
    """A clean environment, filled by the step `Install` with the wheel of this repository."""
    folder = tmp_path_factory.mktemp("installed")
    version = build_wheel(folder).name.split("-")[1]
    pins = folder / "constraints.txt"
    pins.write_text((REPOSITORY / "constraints.txt").read_text() + f"otel-mas=={version}\n")
    environment = Environment(folder / "venv", surroundings, with_pip=True)
    path = f"{environment.bin}{os.pathsep}{environment.variables['PATH']}"
    links = f"{folder} {environment.variables.get('PIP_FIND_LINKS', '')}".strip()
    steps = {command for job in workflow["jobs"].values() for command in _steps(job, "Install")}
    assert len(steps) == 1
    for command in steps:
        found = {"PIP_CONSTRAINT": str(pins), "PIP_FIND_LINKS": links}
        environment.run("bash", "-e", "-c", command, cwd=PROJECT, PATH=path, **found)
    assert "otel_mas" in environment.python("-c", "import otel_mas; print(otel_mas.__file__)")
    return environment


def test_steps_of_the_replay_pass_without_a_key_and_write_their_results(
    workflow: dict[str, Any], installed: Environment, tmp_path: Path
) -> None:
    runner = Runner(tmp_path / "project", installed)

    for name in ("Tests, from the recordings", "Recordings against the suite"):
        for command in _steps(workflow["jobs"]["replay"], name):
            runner.run(command)

    assert 'tests="2"' in (runner.folder / "tests.xml").read_text()
    assert "three sections, joined" in (runner.folder / "suite.xml").read_text()
    assert runner.run("git status --porcelain -- fixtures") == ""


def test_steps_of_the_renewal_record_anew_and_show_what_changed(
    workflow: dict[str, Any], installed: Environment, tmp_path: Path
) -> None:
    [step] = [one for one in workflow["jobs"]["renew"]["steps"] if one.get("name", "").startswith("Record anew")]
    [show] = _steps(workflow["jobs"]["renew"], "Show what changed")
    assert list(step["env"]) == ["OPENAI_API_KEY"]
    with ModelServer(pace=0) as server:
        runner = Runner(tmp_path / "project", installed, OPENAI_BASE_URL=server.url)
        team = runner.folder / "report_team.py"
        team.write_text(team.read_text().replace("Plan a report on", "Plan a short report on"))
        runner.run(step["run"], OPENAI_API_KEY="local")
        changed = runner.run(show)

    assert "fixtures/trams.jsonl" in changed
    assert "Plan a short report on" in (runner.folder / "fixtures" / "trams.jsonl").read_text()
    [replay] = _steps(workflow["jobs"]["replay"], "Tests, from the recordings")
    runner.run(replay)


def _steps(job: dict[str, Any], name: str) -> Iterator[str]:
    yield from (step["run"] for step in job["steps"] if step.get("name") == name)
