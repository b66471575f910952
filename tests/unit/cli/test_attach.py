"""`otel-mas attach`."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent / "api" / "debug_session" / "attached_app.py"
LONGEST_S = 600
COMMAND = Path(sys.executable).with_name("otel-mas")


@pytest.fixture
def attached(tmp_path: Path) -> Iterator[Any]:
    """Starts the command for a store that is not there yet; ends it at the end, or when a test waits too long."""
    started, limits = [], []

    def start(*words: str) -> subprocess.Popen[str]:
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen([COMMAND, "attach", "--store", tmp_path / "runs.db", *words], **pipes))
        limits.append(threading.Timer(LONGEST_S, started[-1].kill))  # a line that never comes is an empty one then
        limits[-1].start()
        return started[-1]

    yield start
    for limit in limits:
        limit.cancel()
    for process in started:
        process.kill()
        process.communicate()


def run(tmp_path: Path, *how: str) -> None:
    subprocess.run([sys.executable, APP, tmp_path / "runs.db", *how], check=True, timeout=300)


def test_it_shows_states_log_and_answers_until_it_is_interrupted(attached: Any, tmp_path: Path) -> None:
    process = attached()
    assert process.stdout.readline().startswith("── IDLE       waits for a store at ")
    run(tmp_path, "fails")
    lines: list[str] = []
    while not lines or "ready for the next run" not in lines[-1]:
        lines.append(process.stdout.readline().rstrip())
        assert lines[-1] or process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=120) == ("", "")
    assert process.returncode == 0
    states = [line.split()[1] for line in lines if line.startswith("── ")]
    assert states == ["ATTACHED", "RECORDING", "ANALYZING", "ATTACHED"]
    live = lines[: next(n for n, line in enumerate(lines) if "ANALYZING" in line)]
    assert any("→ look_up" in line for line in live)
    page = "\n".join(lines[len(live) :])
    assert "✗ ended the run: " in page
    assert "ValueError: no such place" in page
    assert "raised in fails (" in page
    assert 'raise ValueError("no such place")' in page
    assert "critical path" in page
    assert "  otel-mas error " in page
    shown = next(line for line in lines if line.startswith("  otel-mas error ")).split()
    for line in _page_in_the_docs():
        assert line in [_comparable(one) for one in lines], line
    again = subprocess.run([COMMAND, *shown[1:]], capture_output=True, text=True, timeout=60)
    assert "no such place" in again.stdout


def _page_in_the_docs() -> list[str]:
    """Lines of the example in the page but for the first one and the critical path, which is of times."""
    text = (Path(__file__).parents[3] / "docs" / "debug-session.md").read_text()
    block = text.split("<!-- session: ")[1].split("```text\n")[1].split("```")[0]
    above, path, below = re.split(r"(?<=critical path\n)(.*?\n\n.*?\n)", block, maxsplit=1, flags=re.DOTALL)
    assert "took" in path
    return [_comparable(line) for line in (above + below).splitlines()[1:]]


def _comparable(line: str) -> str:
    """A line without paths, ids, numbers and their units, and widths."""
    line = re.sub(r"(/\S+/|\b[0-9a-f]{12,16}\b|[0-9.:,]*[0-9]|\b(ms|µs|s)\b)", "", line)
    return " ".join(line.split())


def test_json_is_a_document_on_each_line_and_once_ends_it(attached: Any, tmp_path: Path) -> None:
    run(tmp_path, "fails")
    process = attached("--json", "--once")
    first = process.stdout.readline()  # it is attached: it would not see runs that ended before
    run(tmp_path, "ok", "ok")
    stdout, stderr = process.communicate(timeout=120)
    assert (process.returncode, stderr) == (0, "")
    found = [json.loads(line) for line in (first + stdout).splitlines()]
    assert all(sorted(one) == ["analysis", "entry", "state"] for one in found)
    assert [one["state"]["state"] for one in found if one["state"]] == [
        "ATTACHED",
        "RECORDING",
        "ANALYZING",
        "ATTACHED",
    ]
    kinds = [one["entry"]["kind"] for one in found if one["entry"]]
    assert (kinds[0], kinds[-1]) == ("run_start", "run_end")
    (analysis,) = [one["analysis"] for one in found if one["analysis"]]
    assert (analysis["status"], analysis["ended"], analysis["final_output"]) == ("ok", "closed", "plan: go there")
    assert analysis["critical_path"]["total_ns"] > 0
    assert analysis["errors"]["errors"] == []
    assert analysis["cost"]["total"]["calls"] == 0


def test_a_file_that_is_no_store_is_an_error(attached: Any, tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_text("a letter")
    process = attached()
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "is not an otel-mas store" in stderr
