"""A conversation that pauses in one process and goes on in another has the same one graph, edge by edge."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import otel_mas
from tests.accuracy.cases.case import LANGGRAPH, needs
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
    "handled": (
        1,
        {
            ("bad#1", "error_handler", "__error_handler__bad#1"),
            ("__error_handler__bad#1", "resume", "__error_handler__bad#1"),
        },
    ),
}
SINCE = {"handled": (1, 2)}
"""The LangGraph that an app needs, where that is not the oldest."""
RUNNABLE = {app: answers for app, (answers, _) in TRUTH.items() if SINCE.get(app, LANGGRAPH) <= LANGGRAPH}
EACH_APP = pytest.mark.parametrize(
    "app", [pytest.param(app, marks=needs(SINCE[app]) if app in SINCE else ()) for app in TRUTH]
)

# Before 1.1 LangGraph gives the first tasks of a replay the ids of the original ones: the same tasks, run once more.
NEW_IDS = LANGGRAPH >= (1, 1)
WRITE = "write#2" if NEW_IDS else "write@2"
WORKERS = "worker#3, worker#4" if NEW_IDS else "worker#1@2, worker#2@2"

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
        f"""
        START --trigger--> plan
        plan --trigger--> write, {WRITE}
        write --trigger--> publish
        {WRITE} --trigger--> publish#2
        START: ok, ok
        """,
    ),
    "a replay of sends": (
        "scattered",
        [["--replay", "worker"]],
        f"""
        START --trigger--> plan
        plan decides by <lambda>: worker from worker
        plan --send--> worker#1, worker#2, {WORKERS}
        worker#1..2 --trigger--> reduce
        {WORKERS} --trigger--> reduce#2
        START: ok, ok
        """,
    ),
}


# The last app of the first process fails, and the process of it.
FAILING = "fails_at_first"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The conversations of all apps, each of its app's name: the nth process has each app's nth invocation."""
    folder = tmp_path_factory.mktemp("processes")
    jobs = [[app, [[], *[["yes"]] * answers]] for app, answers in RUNNABLE.items()]
    jobs += [[app, [[], *others]] for app, others, _ in sorted(TABLES.values(), key=lambda table: table[0] == FAILING)]
    for nth in range(max(len(steps) for _, steps in jobs)):
        doing = [[app, *steps[nth]] for app, steps in jobs if nth < len(steps)]
        command = [sys.executable, str(APP), str(folder / "checkpoints.sqlite"), json.dumps(doing)]
        run = subprocess.run(
            [str(OTEL_MAS), "run", "--store", str(folder / "runs.db"), "--quiet", "--", *command],
            timeout=240,
            capture_output=True,
            text=True,
        )
        assert (run.returncode, "not yet" in run.stderr) == ((0, False) if nth else (1, True)), run.stderr
    return folder / "runs.db"


@pytest.mark.parametrize("what", TABLES)
def test_what_the_next_process_does_is_told_as_if_it_were_the_same(what: str, store: Path) -> None:
    app, others, truth = TABLES[what]
    with otel_mas.open(store) as source:
        conversation = source.conversation(app)
        graph = conversation.graph()
    assert differences(truth, graph) == []
    assert graph.problems == ()
    assert instances(conversation) == 1 + len(others)


@EACH_APP
def test_the_graph_of_a_conversation_over_several_processes_is_exact(app: str, store: Path) -> None:
    answers, truth = TRUTH[app]
    with otel_mas.open(store) as source:
        conversation = source.conversation(app)
        graph = conversation.graph()
    labels = graph.labels()
    found = {(labels[e.cause], e.kind, labels[e.effect]) for e in graph.control_edges()}
    assert found == truth
    assert graph.problems == ()
    assert len(conversation.traces) == instances(conversation) == 1 + answers


def instances(conversation: otel_mas.Conversation) -> int:
    """How many processes recorded it."""
    return len({span.resource.attributes["mas.instance.id"] for trace in conversation.traces for span in trace.spans})
