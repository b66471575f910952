"""Recorders that are killed at any moment: what was flushed is in the store, once, and whole."""

from __future__ import annotations

import time
from pathlib import Path

from tests.faults.ledger import until
from tests.faults.processes import Process, holds_recorded, recorded, recorder
from tests.faults.settings import SECONDS, chance


def test_recorders_that_are_killed_at_any_moment_lose_nothing_that_was_flushed(tmp_path: Path) -> None:
    moments = chance("recorder")
    store = tmp_path / "runs.db"
    outputs = [tmp_path / "0.out", tmp_path / "1.out"]
    running: list[Process] = [recorder(store, output) for output in outputs]
    deadline = time.monotonic() + SECONDS
    kills = 0
    try:
        while kills < 4 or time.monotonic() < deadline:
            victim = kills % 2
            wanted = len(recorded(outputs[victim])) + moments.randint(1, 20)
            until(lambda: len(recorded(outputs[victim])) >= wanted, outputs[victim].read_text)  # noqa: B023
            time.sleep(moments.uniform(0, 0.05))
            running[victim].kill()
            running[victim] = recorder(store, outputs[victim])
            kills += 1
    finally:
        for one in running:
            one.kill()

    holds_recorded(store, recorded(outputs[0]) | recorded(outputs[1]))
