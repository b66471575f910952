"""The environment, sentences, files and hints of `make demo`."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from examples import demo
from otel_mas.causal import build
from otel_mas.model import Link, Span, Trace
from otel_mas.semconv import attributes as names

SECOND = 10**9


def task(
    trace: str, number: int, name: str, start: float, end: float, *links: Link, task_id: str | None = None
) -> Span:
    return Span(
        trace_id=trace * 32,
        span_id=f"{trace}{number:015x}",
        parent_span_id=None,
        name=f"task {name}",
        start_ns=int(start * SECOND),
        end_ns=int(end * SECOND),
        links=links,
        columns={names.MAS_TASK_ID: task_id or f"{name}-{number}", names.MAS_TASK_NAME: name},
    )


def link(kind: str, cause: Span) -> Link:
    return Link(cause.trace_id, cause.span_id, kind)


def test_variables_of_the_user_do_not_reach_the_demo() -> None:
    environ = {
        "PATH": "/bin",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_SERVICE_NAME": "mine",
        "OTEL_MAS_STORE": "/mine.db",
        "OTEL_SDK_DISABLED": "true",
        "LANGSMITH_TRACING": "true",
        "LANGCHAIN_TRACING_V2": "true",
        "OPENAI_API_KEY": "sk-mine",
        "OPENAI_BASE_URL": "http://elsewhere",
        "https_proxy": "http://proxy",
        "ALL_PROXY": "socks5://proxy",
        "no_proxy": "*",
    }
    assert demo.isolated(environ) == {
        "PATH": "/bin",
        "OTEL_SERVICE_NAME": "research-team",
        "OTEL_MAS_SIMULATED_COST": "true",
    }


def test_a_join_names_the_branch_that_it_waited_for() -> None:
    quick = task("a", 1, "section", 0, 1)
    slow = task("a", 2, "section", 0, 3.5)
    join = task("a", 3, "edit", 3.5, 4, link("trigger", quick), link("trigger", slow))
    after = task("a", 4, "publish", 4, 5, link("trigger", join))
    assert list(demo.joins(build([Trace("a" * 32, (quick, slow, join, after))]))) == [
        "edit#1 joins 2 branches. It waited for section#2, which ended 2.5 s after section#1."
    ]


def test_a_pause_is_described_with_the_time_the_human_took() -> None:
    paused = task("a", 1, "approval", 0, 1, task_id="t")
    resumed = task("b", 1, "approval", 3.2, 4, link("resume", paused), task_id="t")
    graph = build([Trace("a" * 32, (paused,)), Trace("b" * 32, (resumed,))])
    assert list(demo.pauses(graph)) == ["approval#1 waited 2.2 s for a human, between two processes."]


def test_each_demo_removes_its_old_files_and_no_other(tmp_path: Path) -> None:
    for name in ("runs.db", "runs.db-wal", "checkpoints.sqlite", "replays.db", "changed.sqlite", "mine.txt"):
        (tmp_path / name).write_text("old")
    demo.remove_old_files(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_hints_are_commands_for_the_root_of_the_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = demo.ROOT / ".demo" / "runs.db"
    monkeypatch.chdir(demo.ROOT)
    assert any(hint.endswith("otel-mas show latest --store .demo/runs.db") for hint in demo.hints(store, "demo-1"))
    monkeypatch.chdir(tmp_path)
    assert demo.hints(store, "demo-1")[0] == f"cd {demo.ROOT}"


def at_terminal(store: Path, answer: str) -> tuple[int, str]:
    """Offer the page at a terminal, answer, and press Ctrl-C once it is served: exit status, and what was printed."""
    code = f"import pathlib; from examples import demo; demo.offer_page(pathlib.Path({str(store)!r}), 'demo-1')"
    code = f"from examples import demo; demo.OTEL_MAS = demo.PYTHON.with_name('otel-mas'); {code}"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=demo.ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    printed = ""
    try:
        os.write(ours, answer.encode())
        while "Ctrl-C ends it." not in printed and "cannot be listened on" not in printed:
            try:
                printed += os.read(ours, 4096).decode()
            except OSError:  # the other side has ended
                break
        os.killpg(process.pid, signal.SIGINT) if process.poll() is None else None
        return process.wait(60), printed
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_the_page_is_offered_and_left_by_ctrl_c(store: Path) -> None:
    status, printed = at_terminal(store, "y\n")
    assert status == 0, printed
    assert "/conversations/demo-1?service=research-team" in printed or "4320 cannot be listened on" in printed
    assert "Traceback" not in printed


def test_no_page_is_served_to_someone_who_does_not_want_it(store: Path) -> None:
    status, printed = at_terminal(store, "n\n")
    assert (status, "otel-mas serve" in printed) == (0, False)


def test_a_pipe_and_ci_are_offered_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not demo.is_interactive({})  # pytest has no terminal as its input
    ours, theirs = pty.openpty()
    with os.fdopen(ours, closefd=True), os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr(sys, "stdout", terminal)
        assert demo.is_interactive({})
        assert not demo.is_interactive({"CI": "true"})
        monkeypatch.undo()
