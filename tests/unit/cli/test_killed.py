"""`otel-mas run` of an app that is killed in the middle of its work."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

APP = """
import os, signal, time
import otel_mas
from otel_mas.record import recorder
otel_mas.instrument()
recorder().start_span("two", {})
time.sleep(2.2)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_killed_run_names_its_task_and_how_long_that_ran(tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(APP)
    words = ["run", "--store", str(tmp_path / "runs.db"), "--", sys.executable, str(app)]
    ended = subprocess.run(
        [sys.executable, "-c", "import sys; from otel_mas.cli import main; sys.exit(main())", *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert "killed by signal 9 while in two, after ≥ " in ended.stderr
    assert "stopped" in ended.stderr
    assert "running" not in ended.stderr
