"""An app of everything that hooks listen to, and what is true of it: run while one hook or another is broken."""

from __future__ import annotations

import asyncio
import importlib
import operator
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

importlib.import_module("langgraph.pregel.remote")  # it has hooks as well; nobody is called


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


class Nothing(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Any]:
        return []


@tool
def shout(text: str) -> str:
    """Say it loud."""
    return text.upper()


@task
def double(number: int) -> int:
    return 2 * number


@entrypoint()
def doubled(number: int) -> int:
    return double(number).result() + 1


@task
async def adouble(number: int) -> int:
    return 2 * number


@entrypoint()
async def adoubled(number: int) -> int:
    return await adouble(number) + 1


def node(name: str) -> Any:
    return lambda state: {"log": [name]}


def speak(state: State) -> Command[Any]:
    answer = GenericFakeChatModel(messages=iter([AIMessage("hello")])).invoke("hi")
    Nothing().invoke("what")
    return Command(update={"log": [shout.invoke({"text": str(answer.content)})]}, goto="fail")


async def aspeak(state: State) -> Command[Any]:
    answer = await GenericFakeChatModel(messages=iter([AIMessage("hello")])).ainvoke("hi")
    await Nothing().ainvoke("what")
    return Command(update={"log": [await shout.ainvoke({"text": str(answer.content)})]}, goto="fail")


def fail(state: State) -> State:
    raise ValueError("as it should")


def ask(state: State) -> State:
    return {"log": [interrupt("Go on?")]}


def build(speaking: Any) -> Any:
    inner = StateGraph(State)
    inner.add_node("deep", node("deep"))
    inner.add_edge(START, "deep")
    graph = StateGraph(State)
    for name in ("plan", "a", "b", "gather", "worker"):
        graph.add_node(name, node(name))
    graph.add_node("inner", inner.compile(name="inner"))
    graph.add_node("ask", ask)
    graph.add_node("speak", speaking, destinations=("fail",))
    graph.add_node("fail", fail)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "a")
    graph.add_edge("plan", "b")
    graph.add_edge(["a", "b"], "gather")
    graph.add_conditional_edges("gather", lambda state: [Send("worker", {}), Send("worker", {})], ["worker"])
    graph.add_edge("worker", "inner")
    graph.add_edge("inner", "ask")
    graph.add_conditional_edges("ask", lambda state: "on", {"on": "speak", "off": END})
    return graph.compile(checkpointer=InMemorySaver(), name="team")


EDGES = {
    ("plan#1", "a#1"),
    ("plan#1", "b#1"),
    ("a#1", "gather#1"),
    ("b#1", "gather#1"),
    ("gather#1", "worker#1"),
    ("gather#1", "worker#2"),
    ("worker#1", "inner#1"),
    ("worker#2", "inner#1"),
    ("inner#1", "ask#1"),
    ("ask#1", "ask#1"),
    ("ask#1", "speak#1"),
    ("speak#1", "fail#1"),
}
"""Read off `build`."""
CALLED = {("doubled#1", "double#1")}
TASKS = {"plan", "a", "b", "gather", "worker", "inner", "deep", "ask", "speak", "fail"}


def run(thread: str) -> list[Any]:
    """Call it synchronously and return what a caller sees."""
    config: Any = {"configurable": {"thread_id": thread}}
    graph = build(speak)
    seen: list[Any] = [graph.invoke({"log": ["in"]}, config)["log"], graph.get_state(config).next]
    try:
        graph.invoke(Command(resume="yes"), config)
    except ValueError as error:
        seen.append(repr(error))
    graph.update_state(config, {"log": ["by hand"]}, as_node="plan")
    seen.append(graph.get_state(config).next)
    seen.append(doubled.invoke(4, {"configurable": {"thread_id": f"{thread}-calls"}}))
    return seen


def arun(thread: str) -> list[Any]:
    """The same, called asynchronously."""

    async def everything() -> list[Any]:
        config: Any = {"configurable": {"thread_id": thread}}
        graph = build(aspeak)
        seen: list[Any] = [(await graph.ainvoke({"log": ["in"]}, config))["log"]]
        seen.append((await graph.aget_state(config)).next)
        try:
            await graph.ainvoke(Command(resume="yes"), config)
        except ValueError as error:
            seen.append(repr(error))
        await graph.aupdate_state(config, {"log": ["by hand"]}, as_node="plan")
        seen.append((await graph.aget_state(config)).next)
        seen.append(await adoubled.ainvoke(4, {"configurable": {"thread_id": f"{thread}-calls"}}))
        return seen

    return asyncio.run(everything())
