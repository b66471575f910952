"""The command as a process: what it loads for help, its version, and readers that go away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import otel_mas

MAIN = "from otel_mas.cli import main; main()"


def call(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", MAIN, *words], capture_output=True, text=True, timeout=300)


def test_help_loads_no_command_and_nothing_heavy() -> None:
    show = "import sys\ntry: main(['--help'])\nexcept SystemExit: print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"from otel_mas.cli import main\n{show}"], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    heavy = {"rich", "networkx", "sqlite3", "opentelemetry", "orjson", "otel_mas.api", "otel_mas.config"}
    assert loaded & heavy == set()
    assert {one for one in loaded if one.startswith("otel_mas.cli.")} == {
        "otel_mas.cli.failures",
        "otel_mas.cli.output",
    }


def test_the_version_is_shown() -> None:
    assert call("--version").stdout == f"otel-mas {otel_mas.__version__}\n"


def test_a_reader_that_goes_away_is_no_error_to_talk_about(team: ModuleType, tmp_path: Path) -> None:
    built = team.TraceBuilder("bd" * 16)
    root = built.workflow(0, 10_000, "ok")
    for number in range(4_000):
        built.tool(f"tool-{number}", number, number + 1, root)
    path = team.write(tmp_path / "many.db", traces=[built.trace()])
    command = subprocess.Popen(
        [sys.executable, "-c", MAIN, "show", "--store", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert command.stdout is not None
    assert command.stderr is not None
    first = command.stdout.readline()
    command.stdout.close()
    printed = command.stderr.read()
    command.stderr.close()
    command.wait(60)
    assert b"research_team" in first
    assert printed == b""


def test_a_terminal_without_unicode_gets_question_marks_not_a_traceback(store: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "graph", "--store", str(store)],
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii", "PATH": "", "PYTHONPATH": ":".join(sys.path)},
        timeout=300,
    )
    assert done.returncode == 0
    assert b"?" in done.stdout
