"""A person in the loop, as a record: what was asked, how long it waited, what came back; and nothing of it twice."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, interrupt

import otel_mas
from otel_mas.semconv import attributes as names
from tests.accuracy.cases.building import State, graph_of

OTEL_MAS = Path(sys.executable).with_name("otel-mas")
CONFIG: Any = {"configurable": {"thread_id": "t"}}


def ask(state: State) -> State:
    return {"log": [interrupt({"question": "Publish?"})]}


def two_subgraphs_deep() -> Any:
    inner = graph_of("draft", [(START, "draft"), ("draft", "check")], check=ask)
    middle = graph_of("", [(START, "middle")], middle=inner.compile(name="inner"))
    outer = middle.compile(name="outer")
    return graph_of("publish", [(START, "outer"), ("outer", "publish")], outer=outer).compile(InMemorySaver())


def cli(store: Path, *words: str, **environment: str) -> str:
    done = subprocess.run(
        [str(OTEL_MAS), *words, "--store", str(store)],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
        env={"PATH": "/usr/bin:/bin", **environment},
    )
    return done.stdout


def test_question_and_answer_are_each_told_once_and_nothing_is_an_error(recorded: Path) -> None:
    graph = two_subgraphs_deep()
    graph.invoke({}, CONFIG)
    graph.invoke(Command(resume="go"), {"configurable": {"thread_id": "t", "langgraph_auth_user_id": "ada"}})
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        conversation = source.conversation("t")
        spans = conversation.spans
        beside = {
            (span.name, name): value
            for trace in conversation.traces
            for span in trace.spans
            for name, value in trace.contents(span).items()
            if name in (names.MAS_INTERRUPT_VALUES, names.MAS_RESUME_VALUES)
        }
        (question,) = conversation.questions()
    assert beside == {
        ("task check", names.MAS_INTERRUPT_VALUES): [{"question": "Publish?"}],
        ("human_input check", names.MAS_RESUME_VALUES): "go",
    }
    assert [span.name for span in spans if span.status.name == "ERROR"] == []
    assert [event.name for span in spans for event in span.events] == []
    assert (question.state, question.paused[0].name) == ("answered", "task check")
    answer = question.answer
    assert answer is not None
    assert tuple(answer.get(names.MAS_INTERRUPT_IDS)) == question.ids
    assert answer.get(names.USER_ID) == "ada"
    assert answer.start_ns == answer.end_ns
    assert question.waited_ns == answer.start_ns - question.asked_ns


def test_an_answer_that_nobody_asked_for_records_no_human_input(recorded: Path) -> None:
    graph = graph_of("plan", [(START, "plan")]).compile(InMemorySaver())
    graph.invoke({}, CONFIG)
    graph.invoke(Command(resume="unasked"), CONFIG)
    otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        assert source.conversation("t").questions() == ()
        assert [span.name for span in source.conversation("t").spans if span.name.startswith("human_input")] == []


@pytest.mark.parametrize("recorded_timeout", [True, False])
def test_what_waits_too_long_is_overdue_until_it_is_answered(
    recorded_timeout: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "runs.db"
    reader = {} if recorded_timeout else {"OTEL_MAS_INPUT_TIMEOUT": "0.2s"}
    if recorded_timeout:
        monkeypatch.setenv("OTEL_MAS_INPUT_TIMEOUT", "0.2s")
    otel_mas.instrument(store=str(store))
    try:
        graph = graph_of("publish", [(START, "ask"), ("ask", "publish")], ask=ask).compile(InMemorySaver())
        graph.invoke({}, CONFIG)
        otel_mas.flush(30)
        time.sleep(0.3)
        assert "paused for input  overdue: waits for " in cli(store, "graph", **reader)
        assert "overdue: waits for " in cli(store, "show", **reader)
        (waiting,) = orjson.loads(cli(store, "graph", "--json", **reader))["questions"]
        assert (waiting["state"], waiting["overdue"], waiting["timeout_ns"]) == ("waiting", True, 200_000_000)
        graph.invoke(Command(resume="at last"), CONFIG)
        otel_mas.flush(30)
    finally:
        otel_mas.shutdown(30)
    assert "answered overdue: after " in cli(store, "graph", "--conversation", "t", **reader)
    first = orjson.loads(cli(store, "traces", "--json", **reader))["traces"][-1]
    assert first["overdue"] is (None if recorded_timeout else True)
    # The paused trace alone is explained by its whole conversation: it does not wait any more.
    (answered,) = orjson.loads(cli(store, "show", first["trace_id"], "--json", **reader))["questions"]
    assert (answered["state"], answered["overdue"]) == ("answered", True)
    if not recorded_timeout:
        assert "overdue" in cli(store, "traces", **reader).splitlines()[-1]
        unset = orjson.loads(cli(store, "show", first["trace_id"], "--json"))["questions"]
        assert [one["overdue"] for one in unset] == [False]
