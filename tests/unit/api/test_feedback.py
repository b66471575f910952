"""`otel_mas.feedback` in an app: about the current span, or about a run that it names."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

import otel_mas
from otel_mas.api.app_feedback import _later
from otel_mas.model import Evaluation, evaluation_of
from otel_mas.semconv import attributes as names


class State(TypedDict, total=False):
    """The state."""

    answer: str


def answer(state: State) -> State:
    otel_mas.feedback(0.7, reason="from inside", name="tone", author="critic")
    return {"answer": "the line is 7 km long"}


def app() -> Any:
    graph = StateGraph(State)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=InMemorySaver(), name="app")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=path)
    try:
        yield path
    finally:
        otel_mas.shutdown(30)


def done() -> None:
    """Wait for the thread that writes feedback."""
    assert _later._pool is not None
    _later._pool.submit(lambda: None).result(60)
    otel_mas.flush(30)


def evaluations(store: Path) -> dict[str | None, Evaluation]:
    """By the name of the judged span's task; None for the run."""
    with otel_mas.open(store) as source:
        trace = source.latest()
        by_id = {span.span_id: span for span in trace.spans}
        judged = ((span, evaluation_of(span, trace.reasons().get(span.span_id))) for span in trace.spans)
        return {by_id[span.parent_span_id or ""].task_name: one for span, one in judged if one is not None}


def test_without_a_name_it_is_about_the_current_span(store: Path) -> None:
    app().invoke({}, {"configurable": {"thread_id": "t"}})
    otel_mas.flush(30)

    one = evaluations(store)["answer"]
    assert (one.score, one.label, one.name, one.author, one.reason) == (0.7, None, "tone", "critic", "from inside")
    assert one.source == "feedback"


def test_with_a_conversation_it_is_about_its_last_run(store: Path) -> None:
    app().invoke({}, {"configurable": {"thread_id": "t"}})
    otel_mas.feedback(False, reason="it is 4.2 km", author="ann", conversation="t")
    done()

    one = evaluations(store)[None]
    assert (one.score, one.label, one.reason, one.author) == (0.0, "no", "it is 4.2 km", "ann")
    with otel_mas.open(store) as source:
        trace = source.latest()
        complaint = trace.explain().complaint
        assert max(span.last_ns for span in trace.spans) == trace.graph().causal.roots[0].last_ns
    assert complaint is not None
    assert (complaint.label, complaint.reason) == ("wrong", "it is 4.2 km")


def test_with_a_trace_and_a_task_it_is_about_that_task(store: Path) -> None:
    app().invoke({}, {"configurable": {"thread_id": "t"}})
    otel_mas.flush(30)
    with otel_mas.open(store) as source:
        trace_id = source.latest().trace_id
    otel_mas.feedback(label="late", trace=trace_id, span="answer#1")
    done()

    with otel_mas.open(store) as source:
        labels = [span.get(names.GEN_AI_EVALUATION_SCORE_LABEL) for span in source.latest().spans]
    assert "late" in labels


def test_what_is_not_there_is_said_in_a_warning(
    store: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("otel_mas.api.app_feedback._PAUSE_S", 0)
    app().invoke({}, {"configurable": {"thread_id": "t"}})
    with caplog.at_level(logging.WARNING):
        otel_mas.feedback(1, conversation="nobody")
        otel_mas.feedback(1, span="answer#1")
        done()

    assert "no conversation 'nobody'" in caplog.text
    assert "give its trace or conversation too" in caplog.text


def test_it_never_raises_and_does_nothing_while_recording_is_off(tmp_path: Path) -> None:
    otel_mas.feedback()
    otel_mas.feedback(1, conversation="t")
    otel_mas.feedback("wrong", trace="no id")


def test_feedback_right_before_the_end_of_the_process_is_written(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    program = (
        "import otel_mas\n"
        f"otel_mas.instrument(store={str(store)!r})\n"
        "with otel_mas.workflow('trip', conversation='t'): pass\n"
        "otel_mas.feedback('wrong', conversation='t')\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)

    with otel_mas.open(store) as source:
        complaint = source.latest().explain().complaint
    assert complaint is not None
    assert complaint.label == "wrong"
