"""Provenance of messages: `message` links against truths written by hand from reading the apps below.

A truth is a set of (reader, writer). A reader or writer is the task whose span has the link, as in `graph.labels()`, or
what ran in that task: `task:chat` for a call of the model, `task:tool` for a tool of that name.
"""

from __future__ import annotations

import gc
import operator
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict
from uuid import uuid4

import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, Send, interrupt

import otel_mas
from otel_mas.instrumentation.langchain.messages import LangChainMessages
from otel_mas.record import MAX_MESSAGES, recorder
from otel_mas.semconv import attributes as names
from tests.accuracy.features import MODEL_NODE, make_agent

OTEL_MAS = Path(sys.executable).with_name("otel-mas")
PAUSED_TEAM = Path(__file__).with_name("paused_team.py")


class Scripted(BaseChatModel):
    """Says what `answer` makes of the messages."""

    answer: Any

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        answer = self.answer(messages)
        message = answer if isinstance(answer, AIMessage) else AIMessage(answer)
        return ChatResult(generations=[ChatGeneration(message=message)])


def says(*texts: Any) -> Scripted:
    """A model that says one after the other."""
    left = list(texts)
    return Scripted(answer=lambda _: left.pop(0))


class Team(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    topics: list[str]
    notes: Annotated[list[str], operator.add]


def node(model: Any, prompt: str = "work") -> Callable[[Team], Team]:
    """A node that has its model read the whole history, and adds the answer to it."""

    def run(state: Team) -> Team:
        return {"messages": [model.invoke([SystemMessage(prompt), *state["messages"]])]}

    return run


def chain(**nodes: Any) -> Any:
    """The nodes one after the other."""
    graph = StateGraph(Team)
    for name, one in nodes.items():
        graph.add_node(name, one)
    for before, after in zip([START, *nodes], [*nodes, END], strict=True):
        graph.add_edge(before, after)
    return graph.compile(checkpointer=InMemorySaver())


def recorded_reads(store: Path, thread: str, provenance: str = "recorded") -> list[tuple[str, str]]:
    """Every `message` link, as (reader, writer)."""
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        graph = source.conversation(thread).graph()
    assert not graph.problems
    labels, spans = dict(graph.labels()), {span.span_id: span for span in graph.spans}

    def name(span_id: str) -> str:
        span, kind = spans[span_id], ""
        while span.span_id not in labels:
            kind = kind or str(span.get(names.GEN_AI_TOOL_NAME) or span.name.split()[0])
            if span.parent_span_id is None:
                return kind
            span = spans[span.parent_span_id]
        return f"{labels[span.span_id]}:{kind}" if kind else labels[span.span_id]

    message_entries = [edge for edge in graph.edges if edge.kind == "message" and edge.provenance == provenance]
    return sorted((name(edge.effect), name(edge.cause)) for edge in message_entries)


def run(app: Any, *inputs: Any) -> str:
    thread = str(uuid4())
    for given in inputs:
        given = {"messages": [HumanMessage(given)]} if isinstance(given, str) else given
        app.invoke(given, {"configurable": {"thread_id": thread}})
    return thread


@tool
def search(topic: str) -> str:
    """Search."""
    return f"three facts about {topic}"


def calls(name: str, **arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"call-{name}", "type": "tool_call"}])


def test_a_supervisor_and_its_agents(recorded: Path) -> None:
    """The researcher is an agent with a tool, the writer a plain node; the supervisor reads after each of them."""
    boss = says("researcher first", "now the writer", "done")
    researcher = make_agent(says(calls("search", topic="trams"), "trams are long"), [search], name="researcher")
    graph = StateGraph(Team)
    graph.add_node("supervisor", node(boss))
    graph.add_node("researcher", researcher)
    graph.add_node("writer", node(says("a report on trams")))
    graph.add_edge(START, "supervisor")
    order = {"researcher first": "researcher", "now the writer": "writer", "done": END}
    graph.add_conditional_edges("supervisor", lambda state: order[state["messages"][-1].content])
    graph.add_edge("researcher", "supervisor")
    graph.add_edge("writer", "supervisor")
    thread = run(graph.compile(checkpointer=InMemorySaver()), "tell me about trams")
    assert recorded_reads(recorded, thread) == sorted(
        [
            # The agent is given the supervisor's words, and its model reads them; its second turn reads the tool.
            ("researcher#1", "supervisor#1:chat"),
            (f"researcher#1/{MODEL_NODE}#1:chat", "supervisor#1:chat"),
            (f"researcher#1/{MODEL_NODE}#2:chat", "researcher#1/tools#1:search"),
            # What the researcher's model said, the call of the tool too, and what the tool answered.
            ("supervisor#2:chat", f"researcher#1/{MODEL_NODE}#1:chat"),
            ("supervisor#2:chat", "researcher#1/tools#1:search"),
            ("supervisor#2:chat", f"researcher#1/{MODEL_NODE}#2:chat"),
            # The writer gets the whole history.
            ("writer#1:chat", "supervisor#1:chat"),
            ("writer#1:chat", f"researcher#1/{MODEL_NODE}#1:chat"),
            ("writer#1:chat", "researcher#1/tools#1:search"),
            ("writer#1:chat", f"researcher#1/{MODEL_NODE}#2:chat"),
            ("writer#1:chat", "supervisor#2:chat"),
            # The supervisor has read all but the writer's.
            ("supervisor#3:chat", "writer#1:chat"),
        ]
    )


def test_an_agent_has_what_it_was_given_and_what_it_added(recorded: Path) -> None:
    agent = make_agent(says(calls("search", topic="trams"), "trams are long"), [search], name="researcher")
    thread = run(chain(researcher=agent), "tell me about trams")
    assert otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        conversation = source.conversation(thread)
        (trace,) = conversation.traces
        (span,) = [span for span in trace.spans if span.agent == "researcher"]
        messages = trace.messages(span)
    assert [message.role for message in messages.input] == ["user"]
    assert [message.role for message in messages.output] == ["assistant", "tool", "assistant"]
    assert span.get(names.MAS_INPUT_MODALITIES) == ("text",)


@pytest.mark.parametrize("named", ["helper", None])
def test_an_agent_that_is_the_whole_app_has_its_messages(named: str | None, recorded: Path) -> None:
    agent = make_agent(says("hello", "hello again"), [], name=named or "agent", checkpointer=InMemorySaver())
    thread = run(agent, "hi", "hi again")
    assert recorded_reads(recorded, thread) == []
    with otel_mas.open(recorded) as source:
        traces = source.conversation(thread).traces
        spans = [next(span for span in trace.spans if span.parent_span_id is None) for trace in traces]
        exchanged = [trace.messages(span) for trace, span in zip(traces, spans, strict=True)]
    assert [[message.role for message in one.input] for one in exchanged] == [["user"], ["user", "assistant", "user"]]
    assert [[message.role for message in one.output] for one in exchanged] == [["assistant"], ["assistant"]]


def test_a_changed_copy_is_another_message(recorded: Path) -> None:
    """The editor rewrites what the researcher said: the reader has read the editor's words, not the other's."""

    def editor(state: Team) -> Team:
        last = state["messages"][-1]
        return {"messages": [AIMessage(f"Edited: {last.content}", id=last.id)]}

    thread = run(chain(researcher=node(says("facts")), editor=editor, reader=node(says("thanks"))), "go")
    assert recorded_reads(recorded, thread) == [("reader#1:chat", "editor#1")]


def test_the_same_words_of_two_agents_are_told_apart_by_whose_message_it_is(recorded: Path) -> None:
    def judge(state: Team) -> Team:
        return {"messages": [says("noted").invoke([state["messages"][-1]])]}

    thread = run(chain(first=node(says("yes")), second=node(says("yes")), judge=judge), "well?")
    assert recorded_reads(recorded, thread) == [("judge#1:chat", "second#1:chat"), ("second#1:chat", "first#1:chat")]


def test_words_without_an_owner_are_of_everybody_who_wrote_them(recorded: Path) -> None:
    def judge(state: Team) -> Team:
        return {"messages": [says("noted").invoke([AIMessage("yes")])]}

    thread = run(chain(first=node(says("yes")), second=node(says("yes")), judge=judge), "well?")
    assert recorded_reads(recorded, thread) == [
        ("judge#1:chat", "first#1:chat"),
        ("judge#1:chat", "second#1:chat"),
        ("second#1:chat", "first#1:chat"),
    ]


def test_the_payload_of_a_send_is_read_by_the_task_that_it_makes(recorded: Path) -> None:
    def plan(state: Team) -> Team:
        return {"messages": [says("cover trams and bridges").invoke(state["messages"])]}

    def each(state: Team) -> list[Send]:
        return [Send("author", {"messages": [state["messages"][-1], HumanMessage(topic)]}) for topic in ("a", "b")]

    def author(state: Team) -> Team:
        return {"messages": [says(f"about {state['messages'][-1].content}").invoke(state["messages"])]}

    graph = StateGraph(Team)
    graph.add_node("plan", plan)
    graph.add_node("author", author)
    graph.add_node("edit", node(says("all of it")))
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", each, ["author"])
    graph.add_edge("author", "edit")
    graph.add_edge("edit", END)
    thread = run(graph.compile(checkpointer=InMemorySaver()), "write")
    assert recorded_reads(recorded, thread) == [
        ("author#1:chat", "plan#1:chat"),
        ("author#2:chat", "plan#1:chat"),
        ("edit#1:chat", "author#1:chat"),
        ("edit#1:chat", "author#2:chat"),
        ("edit#1:chat", "plan#1:chat"),
    ]


def test_what_travels_as_text_in_a_prompt_has_no_link(recorded: Path) -> None:
    """A declared limit: the words are inside of another message, which nobody wrote before."""

    def reader(state: Team) -> Team:
        facts = state["messages"][-1].content
        return {"messages": [says("thanks").invoke([HumanMessage(f"Facts: {facts}")])]}

    assert recorded_reads(recorded, run(chain(writer=node(says("facts")), reader=reader), "go")) == []


def test_what_a_human_said_was_written_by_nobody_and_what_a_task_says_for_him_by_the_task(recorded: Path) -> None:
    def approval(state: Team) -> Team:
        return {"messages": [HumanMessage(interrupt("publish?"))]}

    app = chain(approval=approval, writer=node(says("published")))
    thread = run(app, "go", Command(resume="yes, but shorter"))
    # The task that wrote it is the one that went on, not the one that paused.
    assert recorded_reads(recorded, thread) == [("writer#1:chat", "approval#1")]


def test_later_invocations_read_what_earlier_ones_wrote(recorded: Path) -> None:
    """In one process. The first node's own answer of the first invocation is its own history in the second."""
    app = chain(first=node(says("one", "three")), second=node(says("two", "four")))
    thread = run(app, "a", "b")
    assert recorded_reads(recorded, thread) == [
        ("first#2:chat", "second#1:chat"),
        ("second#1:chat", "first#1:chat"),
        ("second#2:chat", "first#2:chat"),
    ]


def test_who_never_got_a_message_has_no_link_to_it(recorded: Path) -> None:
    """The forgetful node gives its model the last message only."""

    def forgetful(state: Team) -> Team:
        return {"messages": [says("what?").invoke(state["messages"][-1:])]}

    app = chain(first=node(says("the key is under the mat")), second=node(says("ok")), forgetful=forgetful)
    assert ("forgetful#1:chat", "first#1:chat") not in recorded_reads(recorded, run(app, "go"))


@pytest.mark.parametrize("written", [("ai", "facts"), {"role": "assistant", "content": "facts"}])
def test_messages_written_as_plain_data_are_messages(written: Any, recorded: Path) -> None:
    app = chain(writer=lambda _: {"messages": [written]}, reader=node(says("thanks")))
    assert recorded_reads(recorded, run(app, "go")) == [("reader#1:chat", "writer#1")]


def test_messages_as_plain_data_in_a_plain_list_are_only_known_where_a_model_said_them(recorded: Path) -> None:
    """Nothing makes messages of them before a model reads them. docs/limits.md says so."""

    class Plain(TypedDict, total=False):
        messages: Annotated[list[Any], operator.add]

    def written(text: Any) -> dict[str, list[Any]]:
        return {"messages": [{"role": "assistant", "content": text}]}

    graph = StateGraph(Plain)
    graph.add_node("own", lambda _: written("facts"))
    graph.add_node("model", lambda _: written(says("more facts").invoke("go").content))
    graph.add_node("reader", lambda state: {"messages": [says("thanks").invoke(state["messages"])]})
    for edge in ((START, "own"), ("own", "model"), ("model", "reader")):
        graph.add_edge(*edge)
    thread = run(graph.compile(InMemorySaver()), {"role": "user", "content": "go"})
    assert recorded_reads(recorded, thread) == [("reader#1:chat", "model#1:chat")]


def test_a_task_that_passes_messages_on_did_not_write_them(recorded: Path) -> None:
    app = chain(writer=node(says("facts")), shuffle=lambda s: {"messages": s["messages"]}, reader=node(says("thanks")))
    assert recorded_reads(recorded, run(app, "go")) == [("reader#1:chat", "writer#1:chat")]


def test_every_change_of_the_state_can_be_told(recorded: Path) -> None:
    """The writers of a channel, and whether it changed: a second write of the same value has the same digest."""
    notes = [{"topics": ["a"]}, {"topics": ["b"], "notes": ["x"]}, {"topics": ["b"]}]
    app = chain(**{f"n{i}": (lambda _, one=one: one) for i, one in enumerate(notes)})  # type: ignore[misc]
    thread = run(app, "go")
    assert otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        spans = source.conversation(thread).spans
    message_entries = {
        span.task_name or "the run": dict(
            zip(span.get(names.MAS_STATE_CHANGED), span.get(names.MAS_STATE_DIGESTS), strict=True)
        )
        for span in spans
        if span.get(names.MAS_STATE_CHANGED)
    }
    assert {name: sorted(changed) for name, changed in message_entries.items()} == {
        "the run": ["messages"],
        "n0": ["topics"],
        "n1": ["notes", "topics"],
        "n2": ["topics"],
    }
    assert message_entries["n0"]["topics"] != message_entries["n1"]["topics"] == message_entries["n2"]["topics"]


def test_what_another_process_wrote_is_joined_when_the_conversation_is_read(tmp_path: Path) -> None:
    """The writer reads the researcher's words, said before the pause by another process, and the human's answer."""
    store = tmp_path / "runs.db"
    for answer in ([], ["yes"]):
        command = [
            OTEL_MAS,
            "run",
            "--store",
            store,
            "--",
            sys.executable,
            PAUSED_TEAM,
            "thread",
            tmp_path / "checkpoints.db",
            *answer,
        ]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
    assert recorded_reads(store, "thread") == [("writer#1:chat", "approval#1")]
    assert recorded_reads(store, "thread", "metadata") == [("writer#1:chat", "researcher#1:chat")]


def test_a_state_of_many_messages_costs_only_its_newest(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 messages through two models and an agent: each call looks at 4,096, and nothing of them is kept."""
    calls_of = {"read": 0, "fingerprint": 0}

    def counted(name: str) -> Any:
        called = getattr(LangChainMessages, name)

        def count(*args: Any) -> Any:
            calls_of[name] += 1
            return called(*args)

        return count

    for name in calls_of:
        monkeypatch.setattr(LangChainMessages, name, counted(name))
    app = chain(first=node(says("one")), agent=make_agent(says("two"), [], name="agent"), last=node(says("three")))
    history = [HumanMessage(f"turn {number}", id=f"id-{number}") for number in range(20_000)]
    thread = run(app, {"messages": history})
    # Three models, the agent and what goes into the graph.
    assert calls_of["read"] < 1.2 * MAX_MESSAGES
    assert calls_of["fingerprint"] < 8 * MAX_MESSAGES
    assert recorded_reads(recorded, thread) == [
        ("agent#1", "first#1:chat"),
        (f"agent#1/{MODEL_NODE}#1:chat", "first#1:chat"),
        ("last#1:chat", f"agent#1/{MODEL_NODE}#1:chat"),
        ("last#1:chat", "first#1:chat"),
    ]
    del history, app
    gc.collect()
    digests = recorder()._digests
    assert digests is not None
    assert len(digests._known) < 10
    with otel_mas.open(recorded) as source:
        spans = source.conversation(thread).spans
    chats = [span for span in spans if span.name.startswith("chat")]
    assert [span.get(names.MAS_INPUT_OMITTED_MESSAGES) + MAX_MESSAGES for span in chats] == [20_001, 20_001, 20_003]
