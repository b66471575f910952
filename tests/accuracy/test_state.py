"""The state of real runs: who wrote which version of which channel, and who read it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, Send, interrupt

import otel_mas
from otel_mas.api import Conversation
from otel_mas.errors import UnsupportedQuery

THREAD: Any = {"configurable": {"thread_id": "t"}}


class Draft(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    facts: Annotated[list[str], operator.add]
    draft: str
    numbers: list[int]


def graph(nodes: dict[str, Any], *edges: Any, **compiled: Any) -> Any:
    built = StateGraph(Draft)
    for name, function in nodes.items():
        built.add_node(name, function)
    for source, target, *ends in edges:
        if ends:
            built.add_conditional_edges(source, target, ends[0])
        else:
            built.add_edge(source, target)
    return built.compile(checkpointer=InMemorySaver(), **compiled)


@pytest.fixture
def conversation(recorded: Path) -> Callable[[], Conversation]:
    def found() -> Conversation:
        assert otel_mas.flush(30)
        return otel_mas.open(recorded).conversation("t")

    return found


def written(run: Conversation) -> list[tuple[Any, ...]]:
    return [(one.task, one.channel, one.version, one.value) for one in run.state().changes]


def versions(run: Conversation, where: str) -> dict[str, int]:
    return {one.channel: one.version for one in run.state().at(where).channels}


def test_each_write_is_a_change_with_its_version(conversation: Callable[[], Conversation]) -> None:
    nodes = {"a": lambda state: {"draft": "one", "facts": ["x"]}, "b": lambda state: {"draft": "two"}}
    graph(nodes, (START, "a"), ("a", "b")).invoke({"facts": ["given"]}, THREAD)
    run = conversation()

    assert written(run) == [
        ("input", "facts", 1, ["given"]),
        ("a#1", "draft", 1, "one"),
        ("a#1", "facts", 2, ["x"]),
        ("b#1", "draft", 2, "two"),
    ]
    assert [(one.channel_class, one.reducer, one.replaces) for one in run.state().channel("facts")] == [
        ("BinaryOperatorAggregate", "add", False)
    ] * 2
    assert [one.replaces for one in run.state().channel("draft")] == [True, True]
    assert versions(run, "a") == {"facts": 1}
    assert versions(run, "b#1") == {"draft": 1, "facts": 2}


def test_tasks_of_a_step_make_one_version_and_do_not_see_each_other(conversation: Callable[[], Conversation]) -> None:
    nodes = {
        "a": lambda state: {"facts": ["a"]},
        "b": lambda state: {"facts": ["b"]},
        "c": lambda state: {},
    }
    graph(nodes, (START, "a"), (START, "b"), ("a", "c")).invoke({}, THREAD)
    run = conversation()

    assert {one[:3] for one in written(run)} == {("a#1", "facts", 1), ("b#1", "facts", 1)}
    assert versions(run, "b") == {}
    seen = run.state().at("c").channel("facts")
    assert seen is not None
    assert (seen.writers, seen.value) == (("a#1", "b#1"), [["a"], ["b"]])


def test_messages_are_told_by_role_and_text(conversation: Callable[[], Conversation]) -> None:
    graph({"a": lambda state: {"messages": [AIMessage("It rains.")]}}, (START, "a")).invoke({}, THREAD)
    assert written(conversation()) == [("a#1", "messages", 1, [{"role": "assistant", "text": "It rains."}])]


def test_a_value_that_was_not_read_says_why(conversation: Callable[[], Conversation]) -> None:
    graph({"a": lambda state: {"numbers": list(range(1_000))}}, (START, "a")).invoke({}, THREAD)
    (change,) = conversation().state().changes
    assert change.value is None
    assert change.missing == "too large to read while the app ran: 1,000 characters, bytes or items"


def test_without_content_there_are_names_and_versions(tmp_path: Path) -> None:
    otel_mas.instrument(store=str(tmp_path / "none.db"), content="none")
    graph({"a": lambda state: {"draft": "secret"}}, (START, "a")).invoke({}, THREAD)
    otel_mas.shutdown(30)
    with otel_mas.open(tmp_path / "none.db") as source:
        (change,) = source.conversation("t").state().changes
    assert (change.channel, change.version, change.value, change.missing) == ("draft", 1, None, "not kept")


def test_an_update_by_the_app_and_a_later_turn_go_on_from_there(conversation: Callable[[], Conversation]) -> None:
    app = graph({"a": lambda state: {"draft": "by a"}}, (START, "a"))
    app.invoke({"draft": "given"}, THREAD)
    app.update_state(THREAD, {"draft": "by hand"}, as_node="a")
    app.invoke({"draft": "given again"}, THREAD)
    run = conversation()

    assert [one[0::2] for one in written(run)] == [
        ("input", 1),
        ("a#1", 2),
        ("a#2", 3),
        ("input", 4),
        ("a#3", 5),
    ]
    assert versions(run, "a#3") == {"draft": 4}


def test_a_paused_task_reads_the_same_state_when_it_goes_on(conversation: Callable[[], Conversation]) -> None:
    def asks(state: Draft) -> Draft:
        return {"draft": interrupt("What?")}

    nodes = {"a": lambda state: {"facts": ["x"]}, "asks": asks, "after": lambda state: {}}
    app = graph(nodes, (START, "a"), (START, "asks"), ("asks", "after"))
    app.invoke({"draft": "zero"}, THREAD)
    app.invoke(Command(resume="answered"), THREAD)
    run = conversation()

    assert versions(run, "asks") == {"draft": 1}
    assert versions(run, "after") == {"draft": 2, "facts": 1}


def test_a_trace_that_goes_on_says_that_it_does_not_know_the_state(recorded: Path) -> None:
    app = graph({"a": lambda state: {"draft": "x"}}, (START, "a"))
    app.invoke({"facts": ["early"]}, THREAD)
    app.invoke({}, THREAD)
    assert otel_mas.flush(30)
    notes = otel_mas.open(recorded).latest().state().at("a").notes
    assert any("went on from an earlier trace" in note for note in notes)


def test_a_graph_in_a_node_has_the_state_of_the_one_around_it(conversation: Callable[[], Conversation]) -> None:
    inner = StateGraph(Draft)
    inner.add_node("first", lambda state: {"facts": ["inner"]})
    inner.add_node("second", lambda state: {})
    inner.add_edge(START, "first")
    inner.add_edge("first", "second")
    nodes = {"a": lambda state: {"draft": "one"}, "team": inner.compile()}
    graph(nodes, (START, "a"), ("a", "team")).invoke({}, THREAD)
    run = conversation()

    (draft,) = run.state().at("team#1/first#1").channels
    assert (draft.channel, draft.version, draft.inherited, draft.value) == ("draft", 1, True, "one")
    (change,) = (one for one in run.state() if one.task == "team#1/first#1")
    assert change.graph == "team#1"


def test_a_fork_goes_on_from_the_state_of_then(conversation: Callable[[], Conversation]) -> None:
    nodes = {"a": lambda state: {"draft": "by a"}, "b": lambda state: {"facts": ["b"]}}
    app = graph(nodes, (START, "a"), ("a", "b"))
    app.invoke({}, THREAD)
    before_b = next(one for one in app.get_state_history(THREAD) if one.next == ("b",))
    app.invoke(None, before_b.config)
    run = conversation()

    tasks = [label for label in run.state().timeline.labels.values() if label.startswith("b")]
    assert {tuple(versions(run, label).items()) for label in tasks} == {(("draft", 1),)}


def test_a_sent_task_says_that_it_was_given_something_else(conversation: Callable[[], Conversation]) -> None:
    nodes = {"a": lambda state: {}, "worker": lambda state: {}}
    app = graph(nodes, (START, "a"), ("a", lambda state: [Send("worker", {"draft": "only this"})], ["worker"]))
    app.invoke({}, THREAD)
    assert "was sent its input" in conversation().state().at("worker").notes[0]


def test_two_readers_are_compared(conversation: Callable[[], Conversation]) -> None:
    nodes = {"a": lambda state: {"draft": "one"}, "b": lambda state: {"facts": ["b"]}, "c": lambda state: {}}
    graph(nodes, (START, "a"), ("a", "b"), ("b", "c")).invoke({"draft": "zero"}, THREAD)
    found = conversation().state().compare("b", "c")

    assert [(one.channel, one.same, [change.task for change in one.between]) for one in found.differences] == [
        ("draft", True, []),
        ("facts", False, ["b#1"]),
    ]


def test_moments_and_names_that_mean_nothing_are_refused(conversation: Callable[[], Conversation]) -> None:
    graph({"a": lambda state: {"draft": "x"}}, (START, "a")).invoke({}, THREAD)
    state = conversation().state()

    assert state.at("+1h").channels[0].value == "x"
    assert state.at(0).notes == ("nothing had been written by then",)
    for where in ("nobody", "+soon"):
        with pytest.raises(UnsupportedQuery):
            state.at(where)
    with pytest.raises(UnsupportedQuery, match="those written are draft"):
        state.channel("other")


def test_a_name_that_several_tasks_have_is_refused(conversation: Callable[[], Conversation]) -> None:
    app = graph({"a": lambda state: {}}, (START, "a"))
    app.invoke({}, THREAD)
    app.invoke({"draft": "x"}, THREAD)
    with pytest.raises(UnsupportedQuery, match="a#1, a#2"):
        conversation().state().at("a")


def test_checkpoints_tell_who_wrote_which_channel(tmp_path: Path) -> None:
    built = StateGraph(Draft)
    built.add_node("a", lambda state: {"draft": "one"})
    built.add_node("b", lambda state: {"facts": ["b"], "draft": "two"})
    built.add_edge(START, "a")
    built.add_edge("a", "b")
    with SqliteSaver.from_conn_string(str(tmp_path / "c.sqlite")) as saver:
        built.compile(checkpointer=saver).invoke({}, THREAD)

    with otel_mas.open(f"checkpoints+sqlite://{tmp_path}/c.sqlite") as source:
        found = source.conversation("t").state().changes
    assert [(one.task, one.channel, one.version, one.missing) for one in found] == [
        ("a#1", "draft", 1, "not kept"),
        ("b#1", "facts", 1, "not kept"),
        ("b#1", "draft", 2, "not kept"),
    ]
