"""Logging around forks, at exit, in threads that end late, and in spawned processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import otel_mas

pytestmark = pytest.mark.slow

FORK = """
import logging, os, sys
import otel_mas
otel_mas.instrument(store=sys.argv[1])
log = logging.getLogger("app")
with otel_mas.task("parent"):
    log.warning("before")
    child = os.fork()
    if not child:
        log.warning("in the child")          # beside the parent's span, which is open
        with otel_mas.task("child"):
            log.warning("in its own span")
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    log.warning("after")
"""
EXIT = """
import atexit, logging, sys, threading
import otel_mas
log = logging.getLogger("app")

def last():
    with otel_mas.task("last"):
        log.warning("at exit")

otel_mas.instrument(store=sys.argv[1])
atexit.register(last)
with otel_mas.task("first"):
    log.warning("first")
"""
SPAWN = """
import logging, multiprocessing, sys
import otel_mas

def no_names(path, text):
    return text.replace("Ada", "[name]")

def work():
    with otel_mas.task("child"):
        logging.getLogger("app").warning("Ada in the child")

if __name__ == "__main__":
    function = no_names if sys.argv[2] == "named" else lambda path, text: text.replace("Ada", "[name]")
    otel_mas.instrument(store=sys.argv[1], redact_function=function)
    with otel_mas.task("parent"):
        process = multiprocessing.get_context("spawn").Process(target=work)
        process.start()
        process.join()
        assert process.exitcode == 0
"""


def logged(code: str, store: Path, *arguments: str) -> list[str]:
    script = store.with_name("app.py")
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, str(script), str(store), *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    with otel_mas.open(store) as source:
        return sorted(record.message for one in source.traces() for record in source.trace(one.trace_id).logs())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_logs_into_its_own_spans(tmp_path: Path) -> None:
    found = logged(FORK, tmp_path / "runs.db")
    assert {"before", "after", "in its own span"} <= set(found)


def test_what_is_logged_at_exit_does_no_harm(tmp_path: Path) -> None:
    assert "first" in logged(EXIT, tmp_path / "runs.db")


@pytest.mark.parametrize(
    ("function", "stored"), [("named", "[name] in the child"), ("lambda", "[removed: the function failed]")]
)
def test_a_function_that_another_process_cannot_find_removes_there(function: str, stored: str, tmp_path: Path) -> None:
    assert logged(SPAWN, tmp_path / "runs.db", function) == [stored]
