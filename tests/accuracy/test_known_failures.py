"""Failures that users of other tools have reported: each situation reproduced, and its record here.

One test for each case, numbered as the list of cases is; its docstring names the reports. Those about tokens, money,
memory and size are in `test_known_amounts`; the tenth, two instrumentors at once, needs those: it is in `tests/peers`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import operator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt
from opentelemetry import trace

import otel_mas
from otel_mas.model import Span, StatusCode
from otel_mas.semconv import attributes as names
from tests.accuracy.cases.case import Way, ainvoke, astreamed, invoke, streamed
from tests.accuracy.cases.truth import differences
from tests.accuracy.features import create_agent, make_agent, needs_create_agent
from tests.accuracy.scripted import calls, says

ASKED = {"messages": [("user", "How is the weather?")]}
WAYS = pytest.mark.parametrize("way", [invoke, ainvoke, streamed(), astreamed()], ids=lambda way: way.__name__)


def config(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}


def traces_of(store: Path, thread: str) -> list[list[Span]]:
    """The spans of each invocation on a thread, one trace after the other."""
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        return [list(trace.spans) for trace in source.conversation(thread).traces]


def graph_of(store: Path, thread: str) -> Any:
    assert otel_mas.flush(30)
    with otel_mas.open(store) as source:
        graph = source.conversation(thread).graph()
    assert graph.problems == ()
    return graph


def assert_whole(spans: list[Span]) -> None:
    """One trace: one root, nobody's parent missing."""
    ids = {span.span_id for span in spans}
    assert len({span.trace_id for span in spans}) == 1
    assert [span.parent_span_id for span in spans].count(None) == 1
    assert all(span.parent_span_id in ids for span in spans if span.parent_span_id is not None)
    assert all(span.end_ns is not None for span in spans)


# -- 1 ---------------------------------------------------------------------------------------------------------------


def test_case_1_an_async_agent_is_one_trace_and_each_invocation_its_own(recorded: Path) -> None:
    """opentelemetry-python-genai#513, openinference#2190, langfuse#10721; the reverse: braintrust-sdk-python#621."""

    @tool
    async def weather(city: str) -> str:
        """Look outside."""
        await asyncio.sleep(0)
        return f"It rains in {city}."

    async def day(thread: str) -> None:
        first = calls("weather", "weather", city="Oslo")
        agent = make_agent(says(first, "It rains."), [weather], name="guide")
        outer = StateGraph(MessagesState)
        outer.add_node("plan", lambda state: {})
        outer.add_node("ask", agent)
        outer.add_edge(START, "plan")
        outer.add_edge("plan", "ask")
        app = outer.compile(checkpointer=InMemorySaver())
        await app.ainvoke(ASKED, config(thread))

    async def week() -> None:
        await day("monday")
        await day("tuesday")
        await asyncio.gather(*(day(f"day {number}") for number in range(3)))

    asyncio.run(week())
    for thread in ("monday", "tuesday", "day 0", "day 1", "day 2"):
        (spans,) = traces_of(recorded, thread)
        assert_whole(spans)
        assert len([span for span in spans if span.record_kind == "TOOL_CALL"]) == 2
        assert len([span for span in spans if span.record_kind == "LLM_CALL"]) == 2


# -- 2 ---------------------------------------------------------------------------------------------------------------


class Text(TypedDict, total=False):
    text: str


def slow_chain() -> Any:
    async def step(state: Text) -> Text:
        await asyncio.sleep(0)
        return {"text": "."}

    graph = StateGraph(Text)
    for name in "abc":
        graph.add_node(name, step)
    graph.add_edge(START, "a")
    graph.add_edge("a", "b")
    graph.add_edge("b", "c")
    return graph.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("closed_by", ["itself", "another task", "the collector"])
def test_case_2_a_stream_that_is_left_ends_its_spans_and_nothing_fails_to_detach(
    closed_by: str, recorded: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """openinference#1769, openlit#1369, dd-trace-py#18860: whoever closes the stream does so in another context."""

    async def leave() -> None:
        stream = slow_chain().astream({"text": ""}, config("left"))
        async for _ in stream:
            break
        if closed_by == "itself":
            await stream.aclose()
        elif closed_by == "another task":
            await asyncio.create_task(stream.aclose())
        del stream
        gc.collect()
        await asyncio.sleep(0.05)
        assert not trace.get_current_span().get_span_context().is_valid
        await slow_chain().ainvoke({"text": ""}, config("after"))

    with caplog.at_level(logging.DEBUG):
        asyncio.run(leave())
    assert "detach" not in caplog.text
    assert "different Context" not in caplog.text
    (left,), (after,) = traces_of(recorded, "left"), traces_of(recorded, "after")
    assert_whole(left)
    assert_whole(after)
    assert {left[0].trace_id} != {after[0].trace_id}
    assert not [span for span in (*left, *after) if span.status is StatusCode.ERROR]


# -- 3 ---------------------------------------------------------------------------------------------------------------


class Counting(TypedDict, total=False):
    count: Annotated[int, operator.add]


@WAYS
def test_case_3_routing_is_visible_also_to_the_end(way: Way, recorded: Path) -> None:
    """openinference#3339: which function decided, what it could have chosen, and what it chose."""

    def again_or_done(state: Counting) -> str:
        return "again" if state["count"] < 2 else "done"

    graph = StateGraph(Counting)
    graph.add_node("work", lambda state: {"count": 1})
    graph.add_edge(START, "work")
    graph.add_conditional_edges("work", again_or_done, {"again": "work", "review": "work", "done": END})
    way(graph.compile(checkpointer=InMemorySaver()), {"count": 0}, config("routed"))
    found = graph_of(recorded, "routed")
    decisions = [span for span in found.spans if span.record_kind == "ROUTING_DECISION"]
    assert [span.get(names.MAS_ROUTING_CHOICE) for span in decisions] == [("work",), ("__end__",)]
    assert {span.get(names.MAS_ROUTING_FUNCTION) for span in decisions} == {"again_or_done"}
    assert {span.get(names.MAS_ROUTING_CANDIDATES) for span in decisions} == {("__end__", "work")}


# -- 4 ---------------------------------------------------------------------------------------------------------------


class Mapped(TypedDict, total=False):
    values: list[int]
    found: Annotated[list[str], operator.add]


def map_reduce() -> Any:
    """langfuse#6040: each value goes to one of two nodes."""
    graph = StateGraph(Mapped)
    graph.add_node("even", lambda state: {"found": ["even"]})
    graph.add_node("odd", lambda state: {"found": ["odd"]})
    graph.add_node("reduce", lambda state: {})
    graph.add_node("split", lambda state: {})
    graph.add_edge(START, "split")

    def by_value(state: Mapped) -> list[Send]:
        return [Send("odd" if value % 2 else "even", {"value": value}) for value in state["values"]]

    graph.add_conditional_edges("split", by_value, ["even", "odd"])
    graph.add_edge("even", "reduce")
    graph.add_edge("odd", "reduce")
    return graph.compile(checkpointer=InMemorySaver())


def parallel_branches() -> Any:
    """langfuse#7200: two nodes in the same step, of which one showed; one of them a subgraph (#7417, #9427)."""
    inner = StateGraph(Mapped)
    inner.add_node("read", lambda state: {})
    inner.add_node("label", lambda state: {})
    inner.add_edge(START, "read")
    inner.add_edge("read", "label")
    graph = StateGraph(Mapped)
    for name in ("generate", "title", "publish"):
        graph.add_node(name, lambda state: {})
    graph.add_node("classify", inner.compile(name="classify"))
    graph.add_edge(START, "generate")
    graph.add_edge("generate", "classify")
    graph.add_edge("generate", "title")
    graph.add_edge(["classify", "title"], "publish")
    return graph.compile(checkpointer=InMemorySaver())


@WAYS
@pytest.mark.parametrize(
    ("app", "given", "truth"),
    [
        (
            map_reduce,
            {"values": [1, 2, 3]},
            """
            START --trigger--> split
            split decides by by_value: even, odd from even, odd
            split --send--> odd#1..2, even
            odd#1..2, even --trigger--> reduce
            """,
        ),
        (
            parallel_branches,
            {"values": []},
            """
            START --trigger--> generate
            generate --trigger--> classify, title
            classify --trigger--> classify/read
            classify/read --trigger--> classify/label
            classify, title --trigger--> publish
            """,
        ),
    ],
)
def test_case_4_fan_out_sends_and_subgraphs_have_their_true_graph(
    app: Any, given: Any, truth: str, way: Way, recorded: Path
) -> None:
    """langfuse#6040, #7200, #7417, #9427: graphs guessed from step numbers."""
    way(app(), given, config("graph"))
    assert differences(truth, graph_of(recorded, "graph")) == []


# -- 5 ---------------------------------------------------------------------------------------------------------------


def handing_over() -> Any:
    @tool
    def transfer_to_bob() -> Command[Any]:
        """Ask Bob."""
        return Command(goto="bob", graph=Command.PARENT)

    graph = StateGraph(MessagesState)
    graph.add_node("alice", make_agent(says(calls("transfer_to_bob")), [transfer_to_bob], name="alice"))
    graph.add_node("bob", make_agent(says("It rains."), name="bob"))
    graph.add_edge(START, "alice")
    return graph.compile(checkpointer=InMemorySaver())


def asking_in_middleware() -> Any:
    from langchain.agents.middleware import HumanInTheLoopMiddleware

    @tool
    def publish() -> str:
        """Publish."""
        return "published"

    ask = HumanInTheLoopMiddleware(interrupt_on={"publish": True})
    saver = InMemorySaver()
    return create_agent(says(calls("publish")), [publish], middleware=[ask], checkpointer=saver, name="alice")


def asking_in_a_tool() -> Any:
    @tool
    def ask() -> str:
        """Ask a person."""
        return str(interrupt("waiting for execute result."))

    return make_agent(says(calls("ask")), [ask], checkpointer=InMemorySaver(), name="alice")


@WAYS
@pytest.mark.parametrize(
    ("app", "outcome"),
    [
        (handing_over, "handoff"),
        pytest.param(asking_in_middleware, "interrupted", marks=needs_create_agent),
        (asking_in_a_tool, "interrupted"),
    ],
)
def test_case_5_handoffs_and_interrupts_are_no_errors(app: Any, outcome: str, way: Way, recorded: Path) -> None:
    """langfuse#5035 (handoff by a tool), #14034 (in middleware), #6704 (in a node), langsmith-sdk#1127."""
    way(app(), ASKED, config("control"))
    (spans,) = traces_of(recorded, "control")
    assert_whole(spans)
    assert {span.status for span in spans} == {StatusCode.UNSET}
    assert not [event for span in spans for event in span.events if event.name == "exception"]
    assert not [span for span in spans if span.get(names.ERROR_TYPE)]
    assert outcome in {span.get(names.MAS_TASK_OUTCOME) for span in spans}


# -- 6 ---------------------------------------------------------------------------------------------------------------


@WAYS
def test_case_6_a_resumed_run_is_joined_to_the_one_that_paused(way: Way, recorded: Path) -> None:
    """langfuse#6704: two traces that nothing connects."""
    app = asking_in_a_tool_of(says(calls("ask"), "Thanks."))
    way(app, ASKED, config("paused"))
    way(app, Command(resume="yes"), config("paused"))
    pause, resume = traces_of(recorded, "paused")
    assert_whole(pause)
    assert_whole(resume)
    graph = graph_of(recorded, "paused")
    where = {span.span_id: (span.trace_id, span.task_name) for span in graph.spans}
    (joined,) = [edge for edge in graph.edges if edge.kind == "resume"]
    assert where[joined.cause] == (pause[0].trace_id, "tools")
    assert where[joined.effect] == (resume[0].trace_id, "tools")
    assert joined.provenance == "recorded"


def asking_in_a_tool_of(model: Any) -> Any:
    @tool
    def ask() -> str:
        """Ask a person."""
        return str(interrupt("waiting for execute result."))

    return make_agent(model, [ask], checkpointer=InMemorySaver(), name="alice")


# -- 7 ---------------------------------------------------------------------------------------------------------------


@WAYS
def test_case_7_a_command_without_annotation_is_an_edge_although_the_static_graph_has_none(
    way: Way, recorded: Path
) -> None:
    """ARGUS#110: a topology that is read from `get_graph()` lacks what a node decides in its code."""

    def decide(state: Text):  # type: ignore[no-untyped-def] # that it has no annotation is the case
        return Command(goto="work")

    graph = StateGraph(Text)
    graph.add_node("decide", decide)
    graph.add_node("work", lambda state: {"text": "done"})
    graph.add_edge(START, "decide")
    app = graph.compile(checkpointer=InMemorySaver())
    assert ("decide", "work") not in {(edge.source, edge.target) for edge in app.get_graph().edges}
    way(app, {"text": ""}, config("command"))
    truth = """
        START --trigger--> decide
        decide decides by Command: work
        decide --trigger--> work
    """
    assert differences(truth, graph_of(recorded, "command")) == []


def test_every_case_has_a_test() -> None:
    """Those of the list that recording can fail at; the tenth is beside the packages that it is about."""
    from tests.accuracy import test_known_amounts
    from tests.peers import test_interop

    here = "\n".join([*globals(), *vars(test_known_amounts), *vars(test_interop)])
    assert [number for number in range(1, 13) if f"test_case_{number}_" not in here] == []
