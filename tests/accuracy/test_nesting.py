"""Spans of anything that a node starts are under that node's task: one graph, one trace."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, TypedDict

import httpx
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables.config import ContextThreadPoolExecutor, run_in_executor
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

from tests.accuracy.trees import recorded_trees, spans_of, trees

TRACER = trace.get_tracer("the app")
POOL = ThreadPoolExecutor(2)  # made before any run, as a module's own
LATER: list[ThreadPoolExecutor] = []  # made by the node that first needs it


class State(TypedDict):
    done: bool


def work(*_: Any) -> None:
    with TRACER.start_as_current_span("work"):
        time.sleep(0.001)


async def awork() -> None:
    with TRACER.start_as_current_span("work"):
        await asyncio.sleep(0.001)


class Worker(threading.Thread):
    def run(self) -> None:
        work()


def directly() -> None:
    work()


def a_thread() -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def a_subclass_of_thread() -> None:
    thread = Worker()
    thread.start()
    thread.join()


def a_timer() -> None:
    timer = threading.Timer(0.001, work)
    timer.start()
    timer.join()


def a_thread_of_a_thread() -> None:
    thread = threading.Thread(target=a_thread)
    thread.start()
    thread.join()


def a_pool_of_its_own() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def the_module_s_pool() -> None:
    POOL.submit(work).result()


def a_map_over_a_pool() -> None:
    list(POOL.map(work, [1]))


def a_thread_pool_of_multiprocessing() -> None:
    with ThreadPool(1) as pool:
        pool.apply(work)


def langchain_s_executor() -> None:
    with ContextThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def an_event_loop() -> None:
    asyncio.run(awork())


async def directly_async() -> None:
    await awork()


async def create_task() -> None:
    await asyncio.create_task(awork())


async def gather() -> None:
    await asyncio.gather(awork())


async def task_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(awork())


async def to_thread() -> None:
    await asyncio.to_thread(work)


async def default_executor() -> None:
    await asyncio.get_running_loop().run_in_executor(None, work)


async def executor() -> None:
    await asyncio.get_running_loop().run_in_executor(POOL, work)


async def langchain_s_run_in_executor() -> None:
    await run_in_executor(None, work)


async def a_thread_that_comes_back() -> None:
    loop = asyncio.get_running_loop()

    def back() -> None:
        asyncio.run_coroutine_threadsafe(awork(), loop).result()

    thread = threading.Thread(target=back)
    thread.start()
    await asyncio.to_thread(thread.join)


SYNC: list[Callable[[], None]] = [
    directly,
    a_thread,
    a_subclass_of_thread,
    a_timer,
    a_thread_of_a_thread,
    a_pool_of_its_own,
    the_module_s_pool,
    a_map_over_a_pool,
    a_thread_pool_of_multiprocessing,
    langchain_s_executor,
    an_event_loop,
]
ASYNC: list[Callable[[], Awaitable[None]]] = [
    directly_async,
    create_task,
    gather,
    task_group,
    to_thread,
    default_executor,
    executor,
    langchain_s_run_in_executor,
    a_thread_that_comes_back,
]


def graph_of(**nodes: Callable[..., Any]) -> Any:
    """All nodes side by side."""
    builder = StateGraph(State)
    for name, node in nodes.items():
        builder.add_node(name, node)
        builder.add_edge(START, name)
        builder.add_edge(name, END)
    return builder.compile(name="app")


def node_of(body: Callable[[], Any]) -> Callable[..., Any]:
    if asyncio.iscoroutinefunction(body):

        async def anode(state: State) -> None:
            await body()

        return anode

    def node(state: State) -> None:
        body()

    return node


@pytest.mark.parametrize("body", SYNC, ids=lambda body: body.__name__)
@pytest.mark.parametrize("called", ["invoke", "ainvoke", "stream"])
def test_what_a_sync_node_starts_is_inside_of_its_task(body: Callable[[], None], called: str, recorded: Path) -> None:
    app = graph_of(first=node_of(body), second=node_of(body))
    if called == "invoke":
        app.invoke({"done": True})
    elif called == "stream":
        list(app.stream({"done": True}))
    else:
        asyncio.run(app.ainvoke({"done": True}))
    assert recorded_trees(recorded) == ["invoke_workflow app(task first(work) task second(work))"]


@pytest.mark.parametrize("body", ASYNC, ids=lambda body: body.__name__)
def test_what_an_async_node_starts_is_inside_of_its_task(body: Callable[[], Awaitable[None]], recorded: Path) -> None:
    app = graph_of(first=node_of(body), second=node_of(body))
    asyncio.run(app.ainvoke({"done": True}))
    assert recorded_trees(recorded) == ["invoke_workflow app(task first(work) task second(work))"]


def test_what_nobody_recorded_starts_is_left_alone(recorded: Path) -> None:
    """A span of the app's own around a thread: without our tasks OpenTelemetry's ways are the app's business."""
    app = graph_of(node=node_of(directly))
    app.invoke({"done": True})
    with TRACER.start_as_current_span("outside"):
        a_thread()
        the_module_s_pool()
    assert recorded_trees(recorded) == ["invoke_workflow app(task node(work))", "outside", "work", "work"]


def test_a_pool_that_a_node_was_the_first_to_use_does_not_stay_inside_of_it(recorded: Path) -> None:
    def first() -> None:
        LATER.append(ThreadPoolExecutor(1))
        LATER[0].submit(work).result()

    graph_of(node=node_of(first)).invoke({"done": True})
    LATER.pop().submit(work).result()
    assert recorded_trees(recorded) == ["invoke_workflow app(task node(work))", "work"]


@tool
def look_up(word: str) -> str:
    """Looks a word up."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
    return word


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_tool_s_threads_are_inside_of_the_tool_with_and_without_a_graph(asynchronous: bool, recorded: Path) -> None:
    def node(state: State) -> None:
        look_up.invoke({"word": "a"})

    async def anode(state: State) -> None:
        await look_up.ainvoke({"word": "a"})  # a sync tool: it runs in an executor

    if asynchronous:
        asyncio.run(graph_of(node=anode).ainvoke({"done": True}))
        asyncio.run(look_up.ainvoke({"word": "b"}))
    else:
        graph_of(node=node).invoke({"done": True})
        look_up.invoke({"word": "b"})
    assert recorded_trees(recorded) == [
        "execute_tool look_up(work)",
        "invoke_workflow app(task node(execute_tool look_up(work)))",
    ]


def test_a_model_called_in_the_app_s_own_threads_is_inside_of_the_task(recorded: Path) -> None:
    def ask(_: int) -> None:
        GenericFakeChatModel(messages=iter([AIMessage("yes")])).invoke("?")

    def node(state: State) -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(ask, range(2)))
        thread = threading.Thread(target=ask, args=(2,))
        thread.start()
        thread.join()

    graph_of(node=node).invoke({"done": True})
    assert recorded_trees(recorded) == ["invoke_workflow app(task node(chat chat chat))"]


def test_a_graph_invoked_in_a_thread_of_a_node_is_inside_of_the_task(recorded: Path) -> None:
    inner = StateGraph(State)
    inner.add_node("leaf", node_of(directly))
    inner.add_edge(START, "leaf")
    compiled = inner.compile(name="inner")

    def node(state: State) -> None:
        POOL.submit(compiled.invoke, {"done": True}).result()

    graph_of(node=node).invoke({"done": True})
    assert recorded_trees(recorded) == ["invoke_workflow app(task node(invoke_workflow inner(task leaf(work))))"]


@pytest.fixture
def server() -> Iterator[str]:
    """Answers every GET with the traceparent it was asked with."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (self.headers.get("traceparent") or "").encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()


def test_http_clients_are_inside_of_the_task_and_send_its_context(server: str, recorded: Path) -> None:
    received: list[str] = []

    def fetch() -> None:
        received.append(httpx.get(server).text)

    def node(state: State) -> None:
        fetch()
        POOL.submit(fetch).result()

    async def anode(state: State) -> None:
        async with httpx.AsyncClient() as client:
            received.append((await client.get(server)).text)

    HTTPXClientInstrumentor().instrument()
    try:
        asyncio.run(graph_of(node=node, anode=anode).ainvoke({"done": True}))
    finally:
        HTTPXClientInstrumentor().uninstrument()
    spans = spans_of(recorded)
    assert trees(spans) == ["invoke_workflow app(task anode(GET) task node(GET GET))"]
    gets = [f"{span.trace_id}-{span.span_id}" for span in spans if span.name == "GET"]
    assert sorted(header[3:-3] for header in received) == sorted(gets)


def test_a_thread_that_a_node_leaves_behind_holds_nothing_of_it_once_it_ends(recorded: Path) -> None:
    threads = []

    def node(state: State) -> None:
        thread = threading.Thread(target=functools.partial(work))
        threads.append(thread)
        thread.start()

    graph_of(node=node).invoke({"done": True})
    threads[0].join()
    assert "run" not in vars(threads[0])
