"""Graphs in a Celery worker: one store, each job's runs once and whole, also where its process then ends at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.accuracy.trees import spans_of, trees

REPOSITORY = Path(__file__).resolve().parents[2]
OTEL_MAS = Path(sys.executable).with_name("otel-mas")
JOBS = 12
ASK = """
import sys
from tests.accuracy.queued import answer
asked = [answer.delay(number) for number in range(int(sys.argv[1]))]
print(*[result.get(timeout=300, interval=0.1) for result in asked])
"""


@pytest.mark.parametrize("jobs_per_process", ["1", "100"])
def test_jobs_are_recorded_once_and_whole_whichever_process_runs_them(jobs_per_process: str, tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    environment = {**os.environ, "QUEUE_FOLDER": str(tmp_path)}
    celery = ["-m", "celery", "-A", "tests.accuracy.queued", "worker", "--pool", "prefork", "--concurrency", "2"]
    celery += ["--max-tasks-per-child", jobs_per_process, "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    with (tmp_path / "log").open("w") as log:
        worker = subprocess.Popen(
            [OTEL_MAS, "run", "--store", store, "--quiet", "--", sys.executable, *celery],
            cwd=REPOSITORY,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        asked = subprocess.run(
            [sys.executable, "-c", ASK, str(JOBS)],
            cwd=REPOSITORY,
            env={**environment, "OTEL_MAS_ENABLED": "false"},
            capture_output=True,
            text=True,
            timeout=300,
        )
    finally:
        end(worker)
    assert asked.returncode == 0, asked.stderr + (tmp_path / "log").read_text()
    processes = set(asked.stdout.split())
    assert len(processes) == (JOBS if jobs_per_process == "1" else 2)

    def app(number: int) -> str:
        return f"invoke_workflow app(task one(work of {number}) task two(work of {number}))"

    spans = spans_of(store)
    assert Counter(trees(spans)) == Counter([app(-1), *[f"job {number}({app(number)})" for number in range(JOBS)]])
    assert [span.name for span in spans if span.end_ns is None or span.status.name == "ERROR"] == []
    # The parent's run, and each process's.
    assert len({span.resource.attributes["mas.instance.id"] for span in spans}) == 1 + len(processes)
    assert "otel-mas:" not in (tmp_path / "log").read_text()


def end(worker: subprocess.Popen[bytes]) -> None:
    """Ask the worker to end; what is asserted afterwards does not depend on how it does.

    Billiard now and then waits for ever for a lock that a process of its pool ended with (celery/celery#1218).
    """
    worker.send_signal(signal.SIGTERM)
    try:
        worker.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
