"""Small programs of users that once failed, kept beside the shared data: each runs in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CASES = Path(os.environ.get("OTEL_MAS_DATA") or REPOSITORY.parent / "shared" / "data") / ".." / "cases"
NAMES = sorted(path.stem for path in CASES.glob("*_*.py") if not path.stem.startswith("_"))


@pytest.mark.parametrize("name", NAMES or [None])
def test_the_case_passes(name: str | None, shared_data: Callable[[str], Path], surroundings: dict[str, str]) -> None:
    runner = shared_data("../cases/run.py")
    assert name is not None, f"{runner.parent} has no cases"
    kept = {key: value for key, value in surroundings.items() if not key.startswith(("OTEL_", "LANGSMITH_"))}
    done = subprocess.run([sys.executable, str(runner), name], capture_output=True, text=True, timeout=300, env=kept)
    assert done.returncode == 0, done.stdout + done.stderr
