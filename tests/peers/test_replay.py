"""Packages that replay, on a fan-out with shuffled schedules: how many branches get the answer of another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.environments import environment
from tests.peers.peers import REPOSITORY

SCRIPT = Path(__file__).with_name("fan_out_replay.py")
SCHEDULES = 20
ENVIRONMENTS = {
    "vcrpy": ("vcrpy==9.4.2", "langgraph==1.2.24", "langchain-openai==1.7.4"),
    "agent-trace": (
        "agent-observability-trace-cli==0.1.11",
        "langgraph==1.2.24",
        "langchain-openai==1.1.0",
        "openai==2.8.0",  # of newer ones it does not see the calls: they use httpx2
    ),
    "timetravel": ("agent-timetravel==0.2.5", "langgraph==1.2.24", "langchain-openai==1.7.4"),
}
pytestmark = pytest.mark.slow


def replayed(by: str, requests: str, python: str, home: Path, *more: str) -> dict[str, int]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_PROXY": "127.0.0.1",
    }
    command = [python, str(SCRIPT), "--by", by, "--requests", requests, "--schedules", str(SCHEDULES), *more]
    done = subprocess.run(command, env=environ, cwd=home, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("requests", ["same", "different"])
def test_every_branch_gets_its_own_answer(requests: str, tmp_path: Path) -> None:
    found = replayed("otel-mas", requests, sys.executable, tmp_path)
    assert found == {"answers": SCHEDULES * 6, "wrong": 0, "failed": 0, "sent": 0}


@pytest.mark.parametrize("by", ENVIRONMENTS)
@pytest.mark.parametrize("requests", ["same", "different"])
def test_in_the_recorded_order_every_package_answers_right(
    by: str, requests: str, tmp_path: Path, surroundings: dict[str, str]
) -> None:
    python = environment(f"replay-{by}", ENVIRONMENTS[by], surroundings)
    found = replayed(by, requests, python, tmp_path, "--one-by-one")
    assert found == {"answers": SCHEDULES * 6, "wrong": 0, "failed": 0, "sent": 0}


@pytest.mark.parametrize(
    ("by", "requests"),
    [
        ("agent-trace", "same"),
        ("agent-trace", "different"),
        ("vcrpy", "same"),
        ("vcrpy", "different"),
        ("timetravel", "same"),
    ],
)
def test_a_match_by_order_or_url_gives_branches_the_answers_of_others(
    by: str, requests: str, tmp_path: Path, surroundings: dict[str, str]
) -> None:
    found = replayed(by, requests, environment(f"replay-{by}", ENVIRONMENTS[by], surroundings), tmp_path)
    assert found["wrong"] > 0


def test_a_match_by_content_in_order_fails_where_a_branch_comes_early(
    tmp_path: Path, surroundings: dict[str, str]
) -> None:
    found = replayed(
        "timetravel", "different", environment("replay-timetravel", ENVIRONMENTS["timetravel"], surroundings), tmp_path
    )
    assert found["failed"] > SCHEDULES / 2  # of six branches one order in 720 is the recorded one
    assert found["wrong"] == found["sent"] == 0


def test_a_match_by_the_body_is_right_only_where_requests_differ(tmp_path: Path, surroundings: dict[str, str]) -> None:
    python = environment("replay-vcrpy", ENVIRONMENTS["vcrpy"], surroundings)
    assert replayed("vcrpy-body", "different", python, tmp_path)["wrong"] == 0
    assert replayed("vcrpy-body", "same", python, tmp_path)["wrong"] > 0
