"""A join that was half full at the checkpoint from which another process replays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import otel_mas

REPOSITORY = Path(__file__).parents[2]


def test_a_cause_that_nobody_can_know_is_a_problem_and_never_a_guess(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    for what in ("first", "again"):
        script = [sys.executable, "-m", "tests.accuracy.replayed", what, str(store), str(tmp_path / "checkpoints.db")]
        subprocess.run(script, cwd=REPOSITORY, check=True)
    with otel_mas.open(store) as source:
        graph = source.conversation("t").graph()
    processes = {trace_id: number for number, trace_id in enumerate(dict.fromkeys(s.trace_id for s in graph.spans), 1)}
    tasks = {span.span_id: (span.task_name, processes[span.trace_id]) for span in graph.spans}
    causes = {(tasks[edge.cause], tasks[edge.effect]) for edge in graph.control_edges()}
    assert {cause for cause, effect in causes if effect == ("join", 1)} == {("longer", 1), ("right", 1)}
    assert {cause for cause, effect in causes if effect == ("join", 2)} == {("longer", 2)}
    (problem,) = graph.problems
    assert "known only by a key that leads to no span here" in problem
    assert "join" in problem
