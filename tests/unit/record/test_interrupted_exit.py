"""Ctrl-C: an app that it ends dies by SIGINT, as it does without us; while the process ends it loses nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

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
    ended = subprocess.run([sys.executable, "-c", APP, str(tmp_path / "runs.db"), seconds], timeout=300, check=False)
    assert ended.returncode in (-signal.SIGINT, 130)  # 130: -c from Python 3.13 on


ENDING = """
import sys
import otel_mas
from otel_mas.record import recorder
from otel_mas.record.pipeline.recording import Recording

end = Recording.shutdown
def shutdown(*args):
    print("ending", flush=True)
    return end(*args)
Recording.shutdown = shutdown

otel_mas.instrument(store=sys.argv[1])
recorder().start_span("first", {}).end()
otel_mas.flush(30)
print("recording", flush=True)
sys.stdin.readline()
for number in range(3000):
    recorder().start_span(f"step {number}", {}).end()
"""
HANDLER = "import os, signal; signal.signal(signal.SIGINT, lambda *_: os._exit(7))"
EXPLICIT = """
try:
    otel_mas.shutdown(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    Recording.shutdown = end
"""


@contextmanager
def ending_behind_a_lock(store: Path, program: str) -> Iterator[tuple[subprocess.Popen[str], sqlite3.Connection]]:
    """A process that waits, while it ends, for the store that the connection keeps locked."""
    app = subprocess.Popen(
        [sys.executable, "-c", program, str(store)],
        env=os.environ | {"OTEL_MAS_EXIT_TIMEOUT": "60"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # ignored where the tests run in the background
    )
    assert app.stdin
    assert app.stdout
    with app, closing(sqlite3.connect(store, isolation_level=None)) as connection:
        try:
            assert app.stdout.readline() == "recording\n"
            connection.execute("BEGIN IMMEDIATE")
            app.stdin.write("\n")
            app.stdin.flush()
            assert app.stdout.readline() == "ending\n"
            yield app, connection
        finally:
            app.kill()


def interrupt(app: subprocess.Popen[str]) -> None:
    """Press Ctrl-C, and read until the app has noticed."""
    app.send_signal(signal.SIGINT)
    assert app.stderr
    assert any("Ctrl-C again" in line for line in app.stderr)


def count(store: Path) -> int:
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute("SELECT count(*) FROM spans WHERE end_ns IS NOT NULL").fetchone()[0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
@pytest.mark.parametrize(("handler", "status"), [("", 0), (HANDLER, 7)], ids=["of Python", "of the app"])
def test_an_interrupt_while_it_ends_loses_nothing(tmp_path: Path, handler: str, status: int) -> None:
    store = tmp_path / "runs.db"
    with ending_behind_a_lock(store, handler + ENDING) as (app, connection):
        interrupt(app)
        connection.execute("COMMIT")
        assert app.wait(60) == status
    assert count(store) == 3001


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_second_interrupt_ends_it_at_once(tmp_path: Path) -> None:
    with ending_behind_a_lock(tmp_path / "runs.db", ENDING) as (app, _):
        interrupt(app)
        app.send_signal(signal.SIGINT)
        assert app.wait(30) == 0  # half of the time that it would wait for the lock
        assert app.stderr
        assert "Traceback" not in app.stderr.read()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_shutdown_that_the_app_sees_interrupted_is_completed_at_the_exit(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    with ending_behind_a_lock(store, ENDING + EXPLICIT) as (app, connection):
        app.send_signal(signal.SIGINT)
        assert app.stdout
        assert app.stdout.readline() == "interrupted\n"
        connection.execute("COMMIT")
        assert app.wait(60) == 0
    assert count(store) == 3001
