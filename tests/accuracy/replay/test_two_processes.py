"""A conversation that pauses in one process and goes on in another, replayed process by process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import otel_mas

pytestmark = pytest.mark.slow  # six processes

REPOSITORY = Path(__file__).resolve().parents[3]
OTEL_MAS = str(Path(sys.executable).with_name("otel-mas"))
APP = (sys.executable, "-m", "tests.accuracy.replay.paused_app")


def called(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=REPOSITORY)


def test_each_process_gets_the_answers_of_its_own_part(tmp_path: Path) -> None:
    store = str(tmp_path / "runs.db")
    recorded = [
        called(OTEL_MAS, "run", "--store", store, "--", *APP, str(tmp_path / "first.db")),
        called(OTEL_MAS, "run", "--store", store, "--", *APP, str(tmp_path / "first.db"), "yes"),
    ]
    assert [one.returncode for one in recorded] == [0, 0], [one.stderr for one in recorded]
    with otel_mas.open(store) as source:
        assert len(source.conversation("the thread").traces) == 2

    replay = (
        OTEL_MAS,
        "replay",
        "--conversation",
        "the thread",
        "--from",
        store,
        "--store",
        str(tmp_path / "again.db"),
    )
    database = str(tmp_path / "second.db")
    again = [called(*replay, "--", *APP, database), called(*replay, "--", *APP, database, "yes")]

    assert [one.stdout for one in again] == [one.stdout for one in recorded], [one.stderr for one in again]
    assert "1 answered, 0 live, 0 missed" in again[0].stderr
    assert "2 answered, 0 live, 0 missed" in again[1].stderr


def test_each_request_to_another_process_gets_its_own_answer(tmp_path: Path) -> None:
    app = (sys.executable, "-m", "tests.accuracy.replay.service_app")
    store, again = str(tmp_path / "runs.db"), str(tmp_path / "again.db")
    recorded = called(OTEL_MAS, "run", "--store", store, "--", *app)
    assert recorded.returncode == 0, recorded.stderr
    with otel_mas.open(store) as source:
        assert len(source.traces()) == 1  # of both processes

    replayed = called(OTEL_MAS, "replay", "latest", "--from", store, "--store", again, "--", *app)
    assert replayed.stdout == recorded.stdout, replayed.stderr
    assert "3 answered, 0 live, 0 missed" in replayed.stderr


def test_the_latest_run_is_replayed_with_all_of_its_traces(tmp_path: Path) -> None:
    store = str(tmp_path / "runs.db")
    app = tmp_path / "app.py"
    app.write_text(
        "from tests.accuracy.replay.witness import Witness\n"
        "for n in range(3):\n    print(Witness(of=str(n)).invoke('the same').content)\n"
    )
    recorded = called(OTEL_MAS, "run", "--store", store, "--", sys.executable, str(app))
    again = called(OTEL_MAS, "replay", "latest", "--store", store, "--from", store, "--", sys.executable, str(app))

    assert len(set(recorded.stdout.splitlines())) == 3, recorded.stderr
    assert again.stdout == recorded.stdout
    assert "not recorded" not in again.stderr
    assert "3 answered, 0 live, 0 missed" in again.stderr
