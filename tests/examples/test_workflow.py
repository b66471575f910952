"""The workflow for GitHub is valid, and its steps do what they say, as far as that is to be seen without GitHub."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.user_cache import user_cache

PROJECT = Path(__file__).parents[2] / "examples" / "ci"
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PROJECT / "agents.yml").read_text())
    return found


@pytest.fixture
def actionlint(surroundings: dict[str, str]) -> Path:
    """The checker of workflows, built once into the user's cache."""
    folder = user_cache(surroundings) / ACTIONLINT.replace("/", "-")
    if not (folder / "actionlint").exists():
        go = shutil.which("go", path=surroundings.get("PATH"))
        environment = {**surroundings, "GOBIN": str(folder)}
        done = go and subprocess.run([go, "install", ACTIONLINT], env=environment, capture_output=True, text=True)
        if not done or done.returncode:
            missing = f"actionlint cannot be built: {done.stderr[-300:] if done else 'Go is not installed'}"
            if surroundings.get("CI"):
                pytest.fail(missing)
            pytest.skip(missing)
    return folder / "actionlint"


def test_workflow_is_valid(actionlint: Path) -> None:
    done = subprocess.run([actionlint, PROJECT / "agents.yml"], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


def test_installation_names_what_the_project_imports(workflow: dict[str, Any]) -> None:
    wanted = (PROJECT / "requirements.txt").read_text()

    assert all(name in wanted for name in ("langgraph", "langchain-openai", "otel-mas", "pytest", "pytest-asyncio"))
    assert all("-r requirements.txt" in next(_steps(job, "Install")) for job in workflow["jobs"].values())


def test_steps_of_the_replay_pass_without_a_key_and_write_their_results(
    workflow: dict[str, Any], tmp_path: Path
) -> None:
    shutil.copytree(PROJECT, tmp_path, dirs_exist_ok=True)
    # What is installed here is what `Install` would install.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for name in ("Tests, from the recordings", "Recordings against the suite"):
        for command in _steps(workflow["jobs"]["replay"], name):
            done = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", command],
                cwd=tmp_path,
                env={**os.environ, "PATH": path, "PYTEST_ADDOPTS": "-p no:langsmith_plugin"},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stdout + done.stderr
    assert 'tests="2"' in (tmp_path / "tests.xml").read_text()
    assert "three sections, joined" in (tmp_path / "suite.xml").read_text()


def _steps(job: dict[str, Any], name: str) -> Iterator[str]:
    yield from (step["run"] for step in job["steps"] if step.get("name") == name)
