"""Interrupts of a replay are answered with what the person answered, whatever the app resumes with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt

import otel_mas


def joined(left: list[str], right: list[str]) -> list[str]:
    return sorted(left + right)


class State(TypedDict, total=False):
    done: Annotated[list[str], joined]
    topic: str


def app(said: str, checkpointer: Any) -> Any:
    model = FakeListChatModel(responses=[said])

    def draft(state: State) -> State:
        text = model.invoke(f"draft {state.get('topic')}").content
        first = interrupt(f"may {state.get('topic')} go out?")
        second = interrupt("sure?")
        return {"done": [f"{state.get('topic')}: {text}, {first}, {second}"]}

    graph = StateGraph(State)
    graph.add_node("draft", draft)
    graph.add_conditional_edges(START, lambda _: [Send("draft", {"topic": one}) for one in "ab"], ["draft"])
    return graph.compile(checkpointer)


def play(said: str, answers: Any, checkpointer: Any = None, thread: str = "t") -> Any:
    """Answers each question by its task's topic, in the process that asked."""
    running = app(said, checkpointer or InMemorySaver())
    config = {"configurable": {"thread_id": thread}}
    state = running.invoke({}, config)
    while asked := running.get_state(config).interrupts:
        state = running.invoke(Command(resume={one.id: answers(one.value) for one in asked}), config)
    return state


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "store.db"))
    otel_mas.instrument()
    yield tmp_path
    otel_mas.shutdown()


def test_each_task_gets_the_answers_of_its_own_questions(store: Any) -> None:
    recorded = play("text", lambda question: f"yes to {question}")
    otel_mas.flush()
    with otel_mas.replay("thread:t") as session:
        again = play("other", lambda _: "whatever")
    assert again["done"] == recorded["done"]
    assert "a: text, yes to may a go out?, yes to sure?" in again["done"]
    assert session.missed == session.live == 0


def test_each_process_gets_the_answers_that_were_given_in_it(store: Any) -> None:
    with SqliteSaver.from_conn_string(str(store / "checkpoints.db")) as saver:
        recorded = play("text", lambda question: f"yes to {question}", saver)
    otel_mas.flush()
    with SqliteSaver.from_conn_string(str(store / "again.db")) as saver:
        running, config = app("other", saver), {"configurable": {"thread_id": "t"}}
        state: Any = {}
        while True:  # a new session for each step, as each process has its own
            given = {one.id: "whatever" for one in running.get_state(config).interrupts} if state else {}
            with otel_mas.replay("thread:t") as session:
                state = running.invoke(Command(resume=given) if given else {}, config)
            assert session.missed == 0
            if "__interrupt__" not in state:
                break
    assert state["done"] == recorded["done"]


def test_app_that_names_no_interrupt_gets_them_too(store: Any) -> None:
    def run(answer: str) -> Any:
        def ask(state: State) -> State:
            return {"topic": interrupt("which?")}

        graph = StateGraph(State)
        graph.add_node("ask", ask)
        graph.add_edge(START, "ask")
        running = graph.compile(InMemorySaver())
        config = {"configurable": {"thread_id": "t"}}
        running.invoke({}, config)
        return running.invoke(Command(resume=answer), config)

    assert run("the sea")["topic"] == "the sea"
    otel_mas.flush()
    with otel_mas.replay("thread:t"):
        assert run("something else")["topic"] == "the sea"
    assert run("something else")["topic"] == "something else"


def test_tool_that_asked_pauses_again_and_is_answered_as_it_was(store: Any) -> None:
    ran = []

    @tool
    def book(city: str) -> str:
        """Book."""
        ran.append(city)
        return f"{city}: {interrupt(f'book {city}?')}"

    def run(answer: str) -> Any:
        graph = StateGraph(State)
        graph.add_node("ask", lambda _: {"topic": book.invoke({"city": "Oslo"})})
        graph.add_edge(START, "ask")
        running = graph.compile(InMemorySaver())
        config = {"configurable": {"thread_id": "t"}}
        paused = running.invoke({}, config)
        return paused["__interrupt__"][0].value, running.invoke(Command(resume=answer), config)

    recorded = run("yes")
    otel_mas.flush()
    ran.clear()
    with otel_mas.replay("thread:t") as session:
        assert run("no") == recorded
    assert recorded == ("book Oslo?", {"done": [], "topic": "Oslo: yes"})
    assert ran == []
    assert session.missed == 0
