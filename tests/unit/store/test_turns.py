"""Processes that write to one store take turns: one that hardly pauses starves no other."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from otel_mas.store.open_store import OpenStore
from otel_mas.store.statements import transaction

BUSY = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
print(flush=True)
while True:
    connection.execute("BEGIN IMMEDIATE")
    time.sleep(0.06)
    connection.execute("COMMIT")
    time.sleep(0.004)
"""


def test_a_writer_that_hardly_pauses_starves_no_other(tmp_path: Path) -> None:
    opened = OpenStore(tmp_path / "runs.db", timeout_s=5)
    connection = opened.connection()
    busy = subprocess.Popen([sys.executable, "-c", BUSY, str(opened.path)], stdout=subprocess.PIPE)
    assert busy.stdout is not None
    try:
        busy.stdout.readline()
        waited = 0.0
        for _ in range(20):
            time.sleep(0.1)
            began = time.monotonic()
            with transaction(connection):
                waited += time.monotonic() - began
    finally:
        busy.kill()
        busy.wait()
        busy.stdout.close()
        connection.close()

    assert waited / 20 < 5 * 0.064, "a turn comes in a few rounds of the other one; SQLite asks every 100 ms: twelve"
