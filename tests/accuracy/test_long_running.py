"""Memory does not grow with the number of runs, whatever becomes of them."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

APP = Path(__file__).with_name("long_running.py")
# The interpreter's and SQLite's own caches fill up here and there: 100 to 380 blocks were seen, 140 without recording.
# One block for each run of the rarest of the shapes would be 217 more from look to look, while caches fill once.
BLOCKS, AGAIN = 350, 200


def test_nothing_of_a_run_is_held_once_it_is_over(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Look after 1,500 runs and after 5,700, or 5,000 and 20,000: threaded, paused, abandoned, cancelled, failed."""
    whole = request.config.getoption("--whole")
    command = [sys.executable, str(APP), str(tmp_path / "runs.db"), str(BLOCKS), *(["whole"] if whole else [])]
    result = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    first, *others = found["looks"]
    last = others[-1]
    assert found["runs"] >= (20_000 if whole else 5_700)
    assert (first["tasks"], last["tasks"]) == (0, 0)
    grown = {kind: (first["ours"].get(kind, 0), number) for kind, number in last["ours"].items()}
    assert {kind: pair for kind, pair in grown.items() if pair[1] > 1.1 * pair[0] + 8} == {}
    grown_by = [after["blocks"] - before["blocks"] for before, after in itertools.pairwise(found["looks"])]
    assert grown_by[0] < BLOCKS or grown_by[1] < AGAIN
