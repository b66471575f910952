"""The example team's conversation, run bare and recorded once for the whole test run, in two processes each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.model_server import ModelServer

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "Should Elmstead reopen its tram line?"
THREAD, SERVICE = "t", "research-team"
SETTINGS = {"OTEL_SERVICE_NAME": SERVICE, "OTEL_MAS_SIMULATED_COST": "true"}


@dataclass(frozen=True)
class Invocation:
    """One process of the team, ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class ExampleTeam:
    """Both invocations, which pause for approval and resume: without recording and with it, and the store."""

    bare: tuple[Invocation, ...]
    recorded: tuple[Invocation, ...]
    store: Path


@pytest.fixture(scope="session")
def example_team(
    once: Callable[[str, Callable[[Path], None]], Path], clean_environment: Callable[[Path], dict[str, str]]
) -> ExampleTeam:
    def run(folder: Path) -> None:
        environment = clean_environment(folder) | SETTINGS
        under = [str(Path(sys.executable).with_name("otel-mas")), "run", "--store", str(folder / "runs.db"), "--"]
        with ModelServer(pace=0) as server:
            ended = {
                name: [
                    _invoke([*prefix, *team_command(folder / f"{name}.sqlite", server.url, *more)], environment)
                    for more in ([QUESTION], ["--resume", "approve"])
                ]
                for name, prefix in (("bare", []), ("recorded", under))
            }
        (folder / "ended.json").write_text(json.dumps(ended))

    folder = once("example-team", run)
    ended = json.loads((folder / "ended.json").read_text())
    bare, recorded = ([Invocation(**one) for one in ended[name]] for name in ("bare", "recorded"))
    return ExampleTeam(tuple(bare), tuple(recorded), folder / "runs.db")


def team_command(checkpoints: Path, server: str, *more: str) -> list[str]:
    """The command that runs the team on its thread."""
    team = [sys.executable, "-m", "examples.research_team", "--thread", THREAD]
    return [*team, "--db", str(checkpoints), "--model-url", server, *more]


def _invoke(command: list[str], environment: dict[str, str]) -> dict[str, object]:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    return {"returncode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}
