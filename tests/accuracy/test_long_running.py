"""Memory does not grow with the number of runs, whatever becomes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

APP = Path(__file__).with_name("long_running.py")
# The interpreter's and SQLite's own caches fill up here and there: 140 blocks without recording, 210 with it. One block
# for each run of the rarest of the shapes would be 217 more.
BLOCKS = 350


def test_nothing_of_a_run_is_held_once_it_is_over(tmp_path: Path) -> None:
    """Looked at after 5,000 runs and after 20,000: with and without threads, paused, abandoned, cancelled, failed."""
    result = subprocess.run(
        [sys.executable, str(APP), str(tmp_path / "runs.db")], capture_output=True, text=True, timeout=1200
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    first, last = found["first"], found["last"]
    assert found["runs"] >= 20_000
    assert (first["tasks"], last["tasks"]) == (0, 0)
    grown = {kind: (first["ours"].get(kind, 0), number) for kind, number in last["ours"].items()}
    assert {kind: pair for kind, pair in grown.items() if pair[1] > 1.1 * pair[0] + 8} == {}
    assert last["blocks"] - first["blocks"] < BLOCKS
