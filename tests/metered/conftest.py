"""The app in which everything is counted, run once for the whole test run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"OTEL_MAS_INPUT_TIMEOUT": "0.001s", "OTEL_MAS_METRICS_MAX_LABELS": "20"}


@dataclass(frozen=True)
class Metered:
    """What the app's own reader for Prometheus said, and the store."""

    text: str
    store: Path


@pytest.fixture(scope="session")
def metered(
    once: Callable[[str, Callable[[Path], None]], Path], clean_environment: Callable[[Path], dict[str, str]]
) -> Metered:
    def run(folder: Path) -> None:
        otel_mas = str(Path(sys.executable).with_name("otel-mas"))
        app = [sys.executable, "-m", "tests.metered.everything", str(folder / "app.txt")]
        command = [otel_mas, "run", "--store", str(folder / "runs.db"), "--", *app]
        ended = subprocess.run(
            command, cwd=ROOT, env=clean_environment(folder) | SETTINGS, capture_output=True, text=True, timeout=300
        )
        assert ended.returncode == 0, ended.stderr

    folder = once("metered", run)
    return Metered((folder / "app.txt").read_text(), folder / "runs.db")
