"""Work that a node hands to another process, and a fork in the middle of a run."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.accuracy.features import LANGCHAIN_S
from tests.accuracy.trees import recorded_trees, spans_of, trees

HERE = Path(__file__).parent
# From 3.12 on Python says so wherever a process forks that has another thread, such as the one that writes.
FORKS = "-Wignore:This process:DeprecationWarning"


def run(app: str, *arguments: str) -> None:
    result = subprocess.run(
        [sys.executable, FORKS, str(HERE / app), *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    assert (result.returncode, LANGCHAIN_S.sub("", result.stderr)) == (0, "")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_work_in_another_process_is_inside_of_the_task_in_the_same_store(method: str, tmp_path: Path) -> None:
    """Also where nobody switched recording on there. A pool works for each task in turn, and then for none."""
    store = tmp_path / "runs.db"
    run("processes.py", str(store), method)
    graph = "task graph(invoke_workflow inner(task leaf(work)))"
    assert recorded_trees(store) == [
        f"invoke_workflow app(task executor(work work) {graph} task pool(work work work) task process(work))",
        "invoke_workflow app(task first(work) task second(work))",
        "work",
    ]


def test_a_fork_in_the_middle_of_a_run_divides_what_is_recorded(tmp_path: Path) -> None:
    """The child's spans are its own, under the task that forked it; the parent's are there once, and ended."""
    store = tmp_path / "runs.db"
    run("forked.py", str(store))
    spans = spans_of(store)
    child = "in the child(invoke_workflow inner(task leaf(work)))"
    parallel = " ".join(["work"] * 20)
    assert Counter(trees(spans)) == {
        f"invoke_workflow app(task forks({child} work work) task last(work) task parallel({parallel}))": 5,
        "invoke_workflow split(task after(work) task after(work) task splits)": 1,
    }
    assert all(span.end_ns is not None for span in spans)
    assert len({span.span_id for span in spans}) == len(spans)
