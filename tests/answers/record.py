"""Record anew the examples that the pages show: `python -m tests.answers.record`, then `make generate`."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from tests.example_team import QUESTION, ROOT, SETTINGS

ARCHIVE = Path(__file__).with_name("example_team.jsonl.gz")
FAILED = Path(__file__).with_name("newsdesk.jsonl.gz")
FAULTY = Path(__file__).with_name("faulty.jsonl.gz")
FAULT = "message_lost:edge=researcher->writer,field=opening"
COMPLAINT = "when does it open?"
THREAD = "tram"
HUMAN_SECONDS = 2.0


def main() -> None:
    """Record all."""
    record_team()
    record_newsdesk()
    record_faulty()


def record_newsdesk() -> None:
    """Run the app that fails, and archive what was recorded, with paths of files that are the same everywhere."""
    command = str(Path(sys.executable).with_name("otel-mas"))
    with tempfile.TemporaryDirectory() as folder:
        store = ["--store", str(Path(folder) / "runs.db")]
        recorded = [command, "run", "--quiet", *store, "--", sys.executable, "tests/answers/newsdesk.py"]
        settings = os.environ | {"OTEL_SERVICE_NAME": "newsdesk"}
        subprocess.run(recorded, cwd=ROOT, env=settings, check=False, stderr=subprocess.DEVNULL)
        subprocess.run([command, "export", "--all", "--content", *store, "-o", str(FAILED)], check=True)
    lines = gzip.decompress(FAILED.read_bytes()).decode()
    for path in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), str(ROOT)):
        lines = lines.replace(path, "/app")
    FAILED.write_bytes(gzip.compress(lines.encode(), mtime=0))


def record_faulty() -> None:
    """Run an app with a fault, mark its answer, and archive what was recorded."""
    command = str(Path(sys.executable).with_name("otel-mas"))
    app = [sys.executable, "-m", "tests.accuracy.topologies", "pipeline", "--seed", "3"]
    with tempfile.TemporaryDirectory() as folder:
        store = ["--store", str(Path(folder) / "runs.db")]
        recorded = [command, "run", "--quiet", *store, "--fault", FAULT, "--fault-seed", "7", "--", *app]
        settings = os.environ | {"OTEL_SERVICE_NAME": "council"}
        subprocess.run(recorded, cwd=ROOT, env=settings, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([command, "mark", "latest", "--missing", "--because", COMPLAINT, *store], check=True)
        subprocess.run([command, "export", "--all", "--content", *store, "-o", str(FAULTY)], check=True)


def record_team() -> None:
    """Run the example team at its model server's pace, in two processes, and archive what was recorded."""
    command = str(Path(sys.executable).with_name("otel-mas"))
    with tempfile.TemporaryDirectory() as folder:
        store = ["--store", str(Path(folder) / "runs.db")]
        team = [
            sys.executable,
            "-m",
            "examples.research_team",
            "--thread",
            THREAD,
            "--db",
            str(Path(folder) / "c.sqlite"),
        ]
        for more in ([QUESTION], ["--resume", "approve"]):
            recorded = [command, "run", "--quiet", *store, "--", *team, *more]
            subprocess.run(recorded, cwd=ROOT, env=os.environ | SETTINGS, check=True, stdout=subprocess.DEVNULL)
            time.sleep(HUMAN_SECONDS)
        subprocess.run([command, "export", "--all", "--content", *store, "-o", str(ARCHIVE)], check=True)


if __name__ == "__main__":
    main()
