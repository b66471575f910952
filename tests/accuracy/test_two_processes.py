"""A conversation that pauses in one process and goes on in another has the same one graph, edge by edge."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import otel_mas
from tests.accuracy.cases.case import LANGGRAPH
from tests.accuracy.cases.truth import differences

OTEL_MAS = Path(sys.executable).with_name("otel-mas")
APP = Path(__file__).with_name("paused.py")

# app → (answers, one process each; its true edges). Read off `paused.py`.
TRUTH: dict[str, tuple[int, set[tuple[str, str, str]]]] = {
    "half_a_join": (
        1,
        {
            ("plan#1", "trigger", "quick#1"),
            ("plan#1", "trigger", "review#1"),
            ("review#1", "resume", "review#1"),
            ("review#1", "trigger", "slow#1"),
            ("quick#1", "trigger", "join#1"),
            ("slow#1", "trigger", "join#1"),
        },
    ),
    "sibling_done": (
        1,
        {
            ("plan#1", "trigger", "write#1"),
            ("plan#1", "trigger", "review#1"),
            ("review#1", "resume", "review#1"),
            ("write#1", "trigger", "publish#1"),
            ("review#1", "trigger", "publish#1"),
        },
    ),
    "sent": (
        2,
        {
            ("plan#1", "send", "worker#1"),
            ("plan#1", "send", "worker#2"),
            ("worker#1", "resume", "worker#1"),
            ("worker#2", "resume", "worker#2"),
            ("worker#1", "trigger", "reduce#1"),
            ("worker#2", "trigger", "reduce#1"),
        },
    ),
    "inside": (
        1,
        {
            ("plan#1", "trigger", "writer#1"),
            ("writer#1", "resume", "writer#1"),
            ("writer#1", "trigger", "writer#1/draft#1"),
            ("writer#1/draft#1", "trigger", "writer#1/check#1"),
            ("writer#1/check#1", "resume", "writer#1/check#1"),
            ("writer#1", "trigger", "publish#1"),
        },
    ),
    "handed_over": (
        1,
        {
            ("alice#1", "trigger", "alice#1/leave#1"),
            ("alice#1", "handoff", "bob#1"),
            ("bob#1", "resume", "bob#1"),
            ("bob#1", "trigger", "bob#1/greet#1"),
            ("bob#1/greet#1", "resume", "bob#1/greet#1"),
        },
    ),
    "twice": (
        2,
        {
            ("plan#1", "trigger", "quick#1"),
            ("plan#1", "trigger", "first#1"),
            ("first#1", "resume", "first#1"),
            ("first#1", "trigger", "second#1"),
            ("second#1", "resume", "second#1"),
            ("quick#1", "trigger", "join#1"),
            ("second#1", "trigger", "join#1"),
        },
    ),
}


if LANGGRAPH >= (1, 2):
    TRUTH["handled"] = (
        1,
        {
            ("bad#1", "error_handler", "__error_handler__bad#1"),
            ("__error_handler__bad#1", "resume", "__error_handler__bad#1"),
        },
    )


# app, what the processes after the first do, and the truth, as in `tests.accuracy.cases.truth`.
TABLES: dict[str, tuple[str, list[list[str]], str]] = {
    "a pause two subgraphs deep": (
        "deep",
        [["yes"]],
        """
        START --trigger--> outer, outer@2
        outer --resume--> outer@2
        outer --trigger--> outer/inner, outer/inner@2
        outer/inner --resume--> outer/inner@2
        outer/inner --trigger--> outer/inner/check, outer/inner/check@2
        outer/inner/check --resume--> outer/inner/check@2
        outer/inner/check@2 is answered
        outer@2 --trigger--> publish
        outer, outer/inner, outer/inner/check: interrupted, ok
        START: interrupted, ok
        """,
    ),
    "a failure": (
        "fails_at_first",
        [["--go-on"]],
        """
        START --trigger--> plan
        plan --trigger--> quick, flaky, flaky@2
        flaky --retry--> flaky@2
        quick, flaky@2 --trigger--> join
        flaky: error, ok
        START: error in flaky, ok
        """,
    ),
    "a paused task written": (
        "reviewed",
        [["--write", "review"], ["--go-on"]],
        """
        START --trigger--> plan
        plan --trigger--> review
        review --resume--> review@2
        review@2 --trigger--> publish
        review: interrupted, ok
        START: interrupted, ok
        """,
    ),
    "a replay": (
        "chain",
        [["--replay", "write"]],
        """
        START --trigger--> plan
        plan --trigger--> write, write#2
        write --trigger--> publish
        write#2 --trigger--> publish#2
        START: ok, ok
        """,
    ),
    "a replay of sends": (
        "scattered",
        [["--replay", "worker"]],
        """
        START --trigger--> plan
        plan decides by <lambda>: worker from worker
        plan --send--> worker#1..4
        worker#1..2 --trigger--> reduce
        worker#3..4 --trigger--> reduce#2
        START: ok, ok
        """,
    ),
}


@pytest.mark.parametrize("what", TABLES)
def test_what_the_next_process_does_is_told_as_if_it_were_the_same(what: str, tmp_path: Path) -> None:
    app, others, truth = TABLES[what]
    store = tmp_path / "runs.db"
    for done in [[], *others]:
        command = [sys.executable, str(APP), app, "thread", str(tmp_path / "checkpoints.sqlite"), *done]
        run = subprocess.run(
            [str(OTEL_MAS), "run", "--store", str(store), "--quiet", "--", *command],
            timeout=120,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0 or (app == "fails_at_first" and not done), run.stderr
    with otel_mas.open(store) as source:
        graph = source.conversation("thread").graph()
    assert differences(truth, graph) == []
    assert graph.problems == ()


@pytest.mark.parametrize("app", TRUTH)
def test_the_graph_of_a_conversation_over_several_processes_is_exact(app: str, tmp_path: Path) -> None:
    answers, truth = TRUTH[app]
    store = tmp_path / "runs.db"
    for given in [(), *[("yes",)] * answers]:
        command = [sys.executable, str(APP), app, "thread", str(tmp_path / "checkpoints.sqlite"), *given]
        subprocess.run(
            [str(OTEL_MAS), "run", "--store", str(store), "--quiet", "--", *command],
            check=True,
            timeout=120,
        )
    with otel_mas.open(store) as source:
        conversation = source.conversation("thread")
        graph = conversation.graph()
    labels = graph.labels()
    found = {(labels[e.cause], e.kind, labels[e.effect]) for e in graph.control_edges()}
    assert found == truth
    assert graph.problems == ()
    assert len(conversation.traces) == 1 + answers
