"""Changes of calls that have another request, several changes of one call, and changes that mean nothing."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

import otel_mas
from otel_mas.errors import ConfigError
from tests.accuracy.topologies.model import ScriptedModel

CALLED: list[str] = []


def model(name: str = "usual") -> ScriptedModel:
    def script(messages: Any) -> str:
        CALLED.append(f"{name}: {' / '.join(str(one.content) for one in messages)}")
        return f"{name} of ({messages[-1].content})"

    return ScriptedModel(script=script, model=name)


def asked(text: str) -> str:
    return str(model().invoke([SystemMessage("Be brief."), HumanMessage(text)]).content)


@tool
def search(query: str) -> str:
    """Search."""
    CALLED.append(f"search {query}")
    return f"found {query}"


class State(TypedDict, total=False):
    topic: str
    notes: Annotated[list[str], operator.add]


def research(state: State) -> State:
    return {"notes": [asked(f"first {state['topic']}"), asked(f"second {state['topic']}")]}


def chain(node: Any = research) -> Any:
    graph = StateGraph(State)
    graph.add_node("plan", lambda _: {"topic": asked("plan")})
    graph.add_node("research", node)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "research")
    return graph.compile()


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    CALLED.clear()
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path))
    yield path
    otel_mas.shutdown()


def replayed(app: Any, store: Path, changes: Sequence[tuple[str, dict[str, Any]]], **options: Any) -> Any:
    """Notes of the replay of a run with changes."""
    app.invoke({})
    otel_mas.flush()
    CALLED.clear()
    with otel_mas.replay("latest", source=store, **options) as session:
        for target, change in changes:
            session.change(target, **change)
        return app.invoke({})["notes"]


@pytest.mark.parametrize("at", [0, 1])
def test_a_changed_call_that_is_asked_something_else_is_known_by_its_order(at: int, store: Path) -> None:
    upstream = ("plan#1/model#1", {"output": "buses"})

    notes = replayed(
        chain(), store, [upstream, (f"research#1/model#{at + 1}", {"output": "mine"})], stub=lambda _: "stub"
    )

    assert notes == (["mine", "stub"] if at == 0 else ["stub", "mine"])


class Racing(ScriptedModel):
    """Its calls overlap."""

    both: Any

    async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
        await self.both.wait()
        return self._generate(*args, **kwargs)


def test_of_calls_that_raced_the_changed_one_is_known_by_its_request(store: Path) -> None:
    async def racing(state: State) -> State:
        racer = Racing(script=lambda messages: messages[-1].content, both=asyncio.Barrier(2))
        kinds = ["alpha", "beta"] if state["topic"] != "buses" else ["beta", "alpha"]  # the other way around
        found = await asyncio.gather(*[racer.ainvoke(f"{kind} of {state['topic']}") for kind in kinds])
        return {"notes": [str(one.content) for one in found]}

    class App:
        def invoke(self, given: Any) -> Any:
            return asyncio.run(chain(racing).ainvoke(given))

    changes = [("plan#1/model#1", {"output": "buses"}), ("research#1/model#1", {"output": "mine"})]
    notes = replayed(App(), store, changes, stub=lambda call: call.recorded.label)

    assert notes == ["research#1/model#2", "mine"]


@pytest.mark.parametrize("target", ["research#1/model#1", "research#1"])
def test_prompt_and_model_of_a_call_are_both_changed(target: str, store: Path) -> None:
    changes = [(target, {"prompt": "Be long."}), ("research#1/model#1", {"model": "other"})]

    notes = replayed(chain(), store, changes, live="descendants")

    first = "usual: Be long. / first usual of (plan)"  # the script names the one that it was made for
    assert CALLED[0] == first
    assert len(CALLED) == (1 if target.endswith("model#1") else 2)
    assert len(notes) == 2


def test_a_prompt_of_a_task_holds_for_calls_that_were_not_recorded(store: Path) -> None:
    def node(state: State) -> State:
        return {"notes": [asked("again") for _ in range(1 if state["topic"].startswith("usual") else 3)]}

    changes = [("plan#1/model#1", {"output": "buses"}), ("research#1", {"prompt": "Be long."})]
    replayed(chain(node), store, changes, live="descendants")

    assert CALLED == ["usual: Be long. / again"] * 3


def test_a_prompt_of_a_task_is_no_change_of_its_tools(store: Path) -> None:
    def script(messages: Any) -> Any:
        if messages[-1].type == "tool":
            return f"{messages[0].content} {messages[-1].content}"
        return AIMessage("", tool_calls=[{"name": "search", "args": {"query": "trams"}, "id": "call_1"}])

    agent = create_agent(ScriptedModel(script=script), [search], system_prompt="Be brief.")
    graph = StateGraph(MessagesState)
    graph.add_node("team", agent)
    graph.add_edge(START, "team")
    app = graph.compile()
    given: Any = {"messages": [HumanMessage("go")]}
    app.invoke(given)
    otel_mas.flush()
    CALLED.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change("team#1", prompt="Be long.")
        answer = app.invoke(given)["messages"][-1].content

    assert answer == "Be long. found trams"
    assert CALLED == []


class Review(TypedDict, total=False):
    answers: Annotated[list[str], operator.add]


def test_a_changed_answer_may_be_made_of_the_given_one(store: Path) -> None:
    graph = StateGraph(Review)
    graph.add_node("ask", lambda _: {"answers": [interrupt("first?"), interrupt("second?")]})
    graph.add_edge(START, "ask")

    def run() -> Any:
        app = graph.compile(checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "review"}}
        app.invoke({}, config)
        app.invoke(Command(resume="yes"), config)
        return app.invoke(Command(resume="no"), config)["answers"]

    run()
    otel_mas.flush()
    with otel_mas.replay("thread:review", source=store) as session:
        session.change("ask#1", answer=lambda given: {"no": "perhaps"}.get(given, given))
        assert run() == ["yes", "perhaps"]


@pytest.mark.parametrize(
    ("target", "change", "reason"),
    [
        ("research#1", {"answer": "yes"}, "research#1 asked nobody"),
        ("research#1/model#1", {"model": None}, "the model of research#1/model#1 is None"),
        ("research#1/model#1", {"model": 3}, "must be a chat model, or the name of one"),
        ("research#1/model#1", {"prompt": 3}, "must be a text, or a function of the messages"),
        ("research#1", {"goto": None}, "must be the name of a node, a Send, or several of these"),
        ("research#1/tool:search#1", {"prompt": "x"}, "a call of a tool or retriever, whose prompt cannot be changed"),
    ],
)
def test_a_change_that_means_nothing_is_refused_when_it_is_made(
    target: str, change: dict[str, Any], reason: str, store: Path
) -> None:
    with pytest.raises(ConfigError, match=reason):
        replayed(chain(), store, [(target, change)])


@pytest.mark.parametrize("other", [{"prompt": "Be long."}, {"model": "other"}])
@pytest.mark.parametrize("output_first", [True, False])
def test_output_and_prompt_of_a_call_are_not_both_changed(
    other: dict[str, Any], output_first: bool, store: Path
) -> None:
    both = [("research#1/model#1", {"output": "mine"}), ("research#1/model#1", other)]

    with pytest.raises(ConfigError, match="cannot have its output and its"):
        replayed(chain(), store, both if output_first else both[::-1])


def test_a_model_without_a_field_for_its_name_is_not_called_as_another_one(store: Path) -> None:
    class Nameless(GenericFakeChatModel):
        pass

    def node(_: State) -> State:
        return {"notes": [str(Nameless(messages=iter([AIMessage("hello")])).invoke("hi").content)]}

    with pytest.raises(ConfigError, match="Nameless has no field for the name of its model"):
        replayed(chain(node), store, [("research#1/model#1", {"model": "other"})], live="descendants")


def test_a_stub_that_returns_nothing_is_an_error(store: Path) -> None:
    with pytest.raises(ConfigError, match="a model cannot answer None"):
        replayed(chain(), store, [("plan#1/model#1", {"output": "buses"})], stub=lambda _: None)


def test_a_stub_that_is_named_by_a_text_in_a_module_is_refused(store: Path) -> None:
    with pytest.raises(ConfigError, match=r"stub langgraph\.graph:START is '__start__'; it must be a chat model"):
        replayed(chain(), store, [("plan#1/model#1", {"output": "buses"})], stub="langgraph.graph:START")
