"""An app that an unhandled KeyboardInterrupt ends dies by SIGINT, as it does without us."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

APP = """
import sys, time
import otel_mas
from otel_mas.record import recorder
otel_mas.instrument(store=sys.argv[1])
recorder().start_span("work", {}).end()
time.sleep(float(sys.argv[2]))
raise KeyboardInterrupt
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
@pytest.mark.parametrize("seconds", ["0", "0.8"], ids=["short", "long"])
def test_it_ends_by_the_signal(tmp_path: Path, seconds: str) -> None:
    ended = subprocess.run([sys.executable, "-c", APP, str(tmp_path / "runs.db"), seconds], timeout=60, check=False)
    assert ended.returncode in (-signal.SIGINT, 130)  # 130: -c from Python 3.13 on
