"""Apps that race: each is a function that runs and returns all that its calls were answered, by who asked."""

from __future__ import annotations

import asyncio
import operator
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Annotated, Any, TypedDict
from uuid import uuid4

import pytest
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableParallel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, RetryPolicy, Send, interrupt

import otel_mas
from tests.accuracy.replay.witness import (
    CompletionWitness,
    RetrieverWitness,
    Witness,
    alookup,
    apause,
    lookup,
    pause,
)

BRANCHES = 6


class State(TypedDict, total=False):
    i: int
    found: Annotated[list[Any], operator.add]


class Found(TypedDict):
    found: Annotated[list[Any], operator.add]


def _sends(_: State) -> list[Send]:
    return [Send("work", {"i": i}) for i in range(BRANCHES)]


def _fan_out(work: Any, **options: Any) -> Any:
    graph = StateGraph(State)
    graph.add_node("work", work, **options)
    graph.add_conditional_edges(START, _sends, ["work"])
    graph.add_edge("work", END)
    return graph


def _result(state: Any) -> list[Any]:
    return sorted(state["found"], key=repr)


def same_requests() -> Any:
    """A Send fan-out of which each branch asks the same of a model, a tool and a retriever."""

    def work(state: State) -> State:
        pause()
        i = state["i"]
        said = Witness(of=f"branch {i}").invoke("the same").content
        pause()
        looked = lookup.invoke({"query": "the same"})
        read = RetrieverWitness(of=f"branch {i}", name="docs").invoke("the same")[0].page_content
        written = CompletionWitness(of=f"branch {i}").invoke("the same")
        again = Witness(of=f"branch {i}").invoke("the same").content
        return {"found": [(i, said, looked, read, written, again)]}

    return _result(_fan_out(work).compile().invoke({"found": []}))


def different_requests() -> Any:
    """The same with a request of each branch's own, and with volatile parts."""

    def work(state: State) -> State:
        pause()
        i = state["i"]
        prompt = [SystemMessage(f"Run {uuid4()} at {datetime.now().isoformat()}"), HumanMessage(f"question {i}")]
        said = Witness(of=f"branch {i}").invoke(prompt).content
        looked = lookup.invoke({"query": f"{i} in session {uuid4().hex}"})
        return {"found": [(i, said, looked.partition(" to ")[0])]}

    return _result(_fan_out(work).compile().invoke({"found": []}))


async def same_requests_async() -> Any:
    """The fan-out on an event loop, with an async tool."""

    async def work(state: State) -> State:
        await apause()
        i = state["i"]
        said = (await Witness(of=f"branch {i}").ainvoke("the same")).content
        looked = await alookup.ainvoke({"query": "the same"})
        await apause()
        again = (await Witness(of=f"branch {i}").ainvoke("the same")).content
        return {"found": [(i, said, looked, again)]}

    return _result(await _fan_out(work).compile().ainvoke({"found": []}))


def nested() -> Any:
    """A fan-out of subgraphs, each with a fan-out of its own, and with one that is called in a node."""

    def inner_work(state: State) -> State:
        pause()
        return {"found": [(state["i"], Witness(of="inner").invoke("the same").content)]}

    called = _fan_out(inner_work).compile(name="called")

    def call(state: State) -> State:
        pause()
        first = called.invoke({"found": []})
        second = called.invoke({"found": []})
        return {"found": [("called", _result(first), _result(second))]}

    graph = StateGraph(State)
    graph.add_node("fan", _fan_out(inner_work).compile())
    graph.add_node("other", _fan_out(inner_work).compile())
    graph.add_node("call", call)
    for node in ("fan", "other", "call"):
        graph.add_edge(START, node)
        graph.add_edge(node, END)
    return _result(graph.compile().invoke({"found": []}))


def sent_subgraphs() -> Any:
    """A Send fan-out whose tasks are graphs with two steps."""

    def first(state: State) -> State:
        pause()
        return {"found": [(state["i"], "first", Witness(of="first").invoke("the same").content)]}

    def second(state: State) -> State:
        pause()
        return {"found": [(state["i"], "second", Witness(of="second").invoke("the same").content)]}

    inner = StateGraph(State, output_schema=Found)
    inner.add_node("first", first)
    inner.add_node("second", second)
    inner.add_edge(START, "first")
    inner.add_edge("first", "second")
    inner.add_edge("second", END)
    return _result(_fan_out(inner.compile()).compile().invoke({"found": []}))


def retries() -> Any:
    """Nodes that fail once or twice after their calls, and are tried again."""
    tried: Counter[int] = Counter()
    heard: list[Any] = []

    def work(state: State) -> State:
        pause()
        i = state["i"]
        tried[i] += 1
        said = Witness(of=f"branch {i}").invoke("the same").content
        heard.append((i, tried[i], said))
        if tried[i] <= i % 3:
            raise ConnectionError("once more")
        return {"found": [(i, said)]}

    policy = RetryPolicy(initial_interval=0.001, max_attempts=4, jitter=False, retry_on=ConnectionError)
    app = _fan_out(work, retry_policy=policy).compile()
    return [_result(app.invoke({"found": []})), sorted(heard)]


async def gathered() -> Any:
    """`asyncio.gather` inside a node: different requests after random times, chains of two requests, and equal ones."""

    async def chain(i: int, n: int) -> Any:
        await apause()
        first = (await Witness(of=f"{i} {n}").ainvoke(f"question {n}")).content
        await apause()
        second = (await Witness(of=f"{i} {n}").ainvoke([HumanMessage(f"question {n}"), HumanMessage(first)])).content
        return n, first, second

    async def work(state: State) -> State:
        i = state["i"]
        chains = await asyncio.gather(*(chain(i, n) for n in range(4)))
        equal = await asyncio.gather(*(Witness(of=f"{i} {n}").ainvoke("the same") for n in range(3)))
        return {"found": [(i, chains, [one.content for one in equal])]}

    return _result(await _fan_out(work).compile().ainvoke({"found": []}))


def streamed() -> Any:
    """Streams of models in a fan-out, read chunk by chunk, and a graph that is streamed."""

    def work(state: State) -> State:
        pause()
        i = state["i"]
        chunks = [chunk.content for chunk in Witness(of=f"branch {i}").stream("the same")]
        said = Witness(of=f"branch {i}").invoke("the same").content
        return {"found": [(i, "".join(chunks), said)]}

    app = _fan_out(work).compile()
    parts = [part for mode, part in app.stream({"found": []}, stream_mode=["updates", "messages"]) if mode == "updates"]
    return sorted((found for part in parts for found in part["work"]["found"]), key=repr)


async def streamed_async() -> Any:
    """The same on an event loop."""

    async def work(state: State) -> State:
        await apause()
        i = state["i"]
        chunks = [chunk.content async for chunk in Witness(of=f"branch {i}").astream("the same")]
        said = (await Witness(of=f"branch {i}").ainvoke("the same")).content
        return {"found": [(i, "".join(chunks), said)]}

    app = _fan_out(work).compile()
    stream = app.astream({"found": []}, stream_mode=["updates", "messages"])
    parts = [part async for mode, part in stream if mode == "updates"]
    return sorted((found for part in parts for found in part["work"]["found"]), key=repr)


def functional() -> Any:
    """Tasks of the functional API that run at once, and call others."""

    @task
    def leaf(i: int, n: int) -> Any:
        pause()
        return i, n, Witness(of=f"leaf {i} {n}").invoke("the same").content

    @task
    def branch(i: int) -> Any:
        pause()
        said = Witness(of=f"branch {i}").invoke("the same").content
        leaves = [leaf(i, n) for n in range(3)]
        return i, said, [one.result() for one in leaves]

    @entrypoint()
    def app(count: int) -> Any:
        branches = [branch(i) for i in range(count)]
        return [one.result() for one in branches]

    return app.invoke(2)  # of more, all threads would wait for tasks that have none


async def functional_async() -> Any:
    """The same on an event loop."""

    @task
    async def leaf(i: int, n: int) -> Any:
        await apause()
        return i, n, (await Witness(of=f"leaf {i} {n}").ainvoke("the same")).content

    @task
    async def branch(i: int) -> Any:
        await apause()
        said = (await Witness(of=f"branch {i}").ainvoke("the same")).content
        return i, said, await asyncio.gather(*(leaf(i, n) for n in range(3)))

    @entrypoint()
    async def app(count: int) -> Any:
        return await asyncio.gather(*(branch(i) for i in range(count)))

    return await app.ainvoke(BRANCHES)


def batched() -> Any:
    """Runs of a graph as a batch, in threads, each with its own question; and a batch of a model in a node."""

    def work(state: State) -> State:
        pause()
        i = state["i"]
        said = Witness(of=f"run {i}").invoke(f"question {i}").content
        pause()
        more = Witness(of=f"run {i}").batch([f"part {n} of {i}" for n in range(3)])
        return {"found": [(i, said, [one.content for one in more], Witness(of=f"run {i}").invoke("the same").content)]}

    graph = StateGraph(State)
    graph.add_node("work", work)
    graph.add_edge(START, "work")
    graph.add_edge("work", END)
    return [_result(one) for one in graph.compile().batch([{"i": i, "found": []} for i in range(BRANCHES)])]


class Talk(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def conversation() -> Any:
    """Turns of a thread with a checkpointer, one of which asks a person; the same request in each."""

    def talk(state: Talk) -> Any:
        pause()
        before = Witness(of="before").invoke("the same").content
        answer = interrupt("go on?")
        after = Witness(of="after").invoke("the same").content
        return {"messages": [HumanMessage(f"{before}, {answer}, {after}")]}

    graph = StateGraph(Talk)
    graph.add_node("talk", talk)
    graph.add_edge(START, "talk")
    graph.add_edge("talk", END)
    app = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": f"thread {uuid4()}"}}
    for turn in range(3):
        app.invoke({"messages": [HumanMessage(f"turn {turn}")]}, config)
        app.invoke(Command(resume=f"yes {turn}"), config)
    return [message.content for message in app.get_state(config).values["messages"]]


def agents() -> Any:
    """Prebuilt agents at once, whose tools run in parallel; ids of their calls are new each time."""

    def work(state: State) -> State:
        pause()
        i = state["i"]
        create_agent = pytest.importorskip(
            "langchain.agents", reason="create_agent comes with LangChain 1"
        ).create_agent
        agent = create_agent(Witness(of=f"agent {i}"), [lookup], system_prompt=f"Session {uuid4()}", name="worker")
        messages = agent.invoke({"messages": [HumanMessage("the same")]})["messages"]
        return {"found": [(i, [message.content for message in messages])]}

    return _result(_fan_out(work).compile().invoke({"found": []}))


def outside() -> Any:
    """LangChain without a graph: a chain, branches of it in threads, a batch, marked agents in threads."""
    chain = ChatPromptTemplate.from_template("Say {word}") | Witness(of="chain")
    parallel = RunnableParallel(a=ChatPromptTemplate.from_template("a {word}") | Witness(of="a"), b=chain)

    @otel_mas.agent
    def one(name: str) -> Any:
        pause()
        with otel_mas.agent(name):
            return name, Witness(of=name).invoke("the same").content

    with ThreadPoolExecutor(4) as pool:
        named = list(pool.map(one, [f"agent {n}" for n in range(4)]))
    parts = parallel.invoke({"word": "x"})
    many = chain.batch([{"word": f"word {n}"} for n in range(4)])
    return [parts["a"].content, parts["b"].content, [one.content for one in many], named]


APPS: tuple[Callable[[], Any], ...] = (
    same_requests,
    different_requests,
    same_requests_async,
    nested,
    sent_subgraphs,
    retries,
    gathered,
    streamed,
    streamed_async,
    functional,
    functional_async,
    batched,
    conversation,
    agents,
    outside,
)
