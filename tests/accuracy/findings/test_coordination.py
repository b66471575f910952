"""Findings about coordination, in runs of real graphs, each beside a run that only looks like it."""

from __future__ import annotations

import asyncio
import operator
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt

import otel_mas
from otel_mas.api.findings import Findings
from otel_mas.faults import inject
from otel_mas.model import Severity
from otel_mas.semconv import attributes as names
from tests.accuracy.findings.conftest import Found
from tests.accuracy.topologies import TOPOLOGIES, build
from tests.accuracy.topologies.model import ScriptedModel, ask

CODES = (
    "deadlock",
    "stalled-run",
    "overdue-answer",
    "gave-up",
    "handoff-loop",
    "message-loss",
    "duplicate-delivery",
    "conversation-restart",
    "resource-contention",
    "inconsistent-state",
)
THREAD: Any = {"configurable": {"thread_id": "t"}}
TURN_S, MOST_RUNS = 0.1, 50


class State(TypedDict, total=False):
    done: Annotated[list[str], operator.add]
    answer: str


def nothing(state: State) -> State:
    return {"done": ["x"]}


def graph(nodes: dict[str, Any], *edges: Any) -> StateGraph[Any, Any, Any, Any]:
    """A graph of these nodes; an edge is a pair, (sources, target) of a join, or (source, function, ends)."""
    built = StateGraph(State)
    for name, function in nodes.items():
        built.add_node(name, function)
    for source, target, *ends in edges:
        if ends:
            built.add_conditional_edges(source, target, ends[0])
        else:
            built.add_edge(source, target)
    return built


# -- deadlock ----------------------------------------------------------------------------------------------------------


def test_a_join_of_what_comes_after_it(found: Found) -> None:
    nodes = dict.fromkeys(("a", "joined", "b"), nothing)
    graph(nodes, (START, "a"), (["a", "b"], "joined"), ("joined", "b")).compile().invoke({})

    (one,) = found("deadlock")
    assert (one.severity, one.subject) == (Severity.ERROR, "b -> joined")
    assert one.summary == "joined never ran: its join waits for b, which can only run after joined"


@pytest.mark.parametrize(("chosen", "number"), [("c", 1), ("b", 0), (END, 0)])
def test_a_join_of_a_branch_that_was_not_taken(chosen: str, number: int, found: Found) -> None:
    nodes = dict.fromkeys(("a", "router", "b", "c", "joined"), nothing)
    edges = ((START, "a"), (START, "router"), ("router", lambda state: chosen, ["b", "c", END]), (["a", "b"], "joined"))
    graph(nodes, *edges).compile().invoke({})

    assert len(found("deadlock")) == number


@pytest.mark.parametrize("answers", [False, True])
def test_agents_that_wait_for_each_other(answers: bool, found: Found) -> None:
    async def trade() -> None:
        over, sent = asyncio.Event(), asyncio.Barrier(3)

        async def waits(name: str, whom: str) -> None:
            with otel_mas.agent(name):
                carrier = otel_mas.send("I go on when you have", to=whom)
                if answers and name == "seller":
                    otel_mas.receive("I go on", carrier, sender=whom)
                await sent.wait()
                await over.wait()

        with otel_mas.workflow("market"):
            both = asyncio.gather(waits("buyer", "seller"), waits("seller", "buyer"))
            await sent.wait()
            seen.append(found("deadlock"))
            seen.append(found("deadlock", deadlock_after_s=0))
            over.set()
            await both

    seen: list[Findings] = []
    asyncio.run(trade())
    assert list(seen[0]) == [], "they have waited for a moment only"
    assert [one.subject for one in seen[1]] == ([] if answers else ["buyer -> seller"])
    assert list(found("deadlock", deadlock_after_s=0)) == [], "it has ended"


# -- a run that stalled ------------------------------------------------------------------------------------------------

_KILLED = """
import os, signal, sys, otel_mas
from langgraph.graph import START, StateGraph
otel_mas.instrument(store=sys.argv[1])
def dies(state):
    otel_mas.flush(30)
    os.kill(os.getpid(), signal.SIGKILL)
graph = StateGraph(dict)
graph.add_node("dies", dies)
graph.add_edge(START, "dies")
graph.compile(name="press").invoke({})
"""


def test_a_process_that_was_killed(tmp_path: Path) -> None:
    store = tmp_path / "killed.db"
    subprocess.run([sys.executable, "-c", _KILLED, str(store)], check=False, timeout=120)
    for _ in range(100):
        with otel_mas.open(store) as source:
            seen = list(source.latest().findings(codes="stalled-run"))
        if seen:
            break
        time.sleep(0.2)

    assert [(one.severity, one.confidence, one.subject) for one in seen] == [(Severity.ERROR, 1.0, "press")]
    assert seen[0].summary == "the process of press stopped while dies#1 was open"


def test_a_run_at_work_is_not_stalled(found: Found) -> None:
    seen: list[Findings] = []

    def works(state: State) -> State:
        seen.append(found("stalled-run"))
        time.sleep(0.01)
        seen.append(found("stalled-run", stalled_after_s=0.001))
        return {}

    graph({"works": works}, (START, "works")).compile().invoke({})
    assert list(seen[0]) == []
    assert [one.severity for one in seen[1]] == [Severity.WARNING]
    assert list(found("stalled-run")) == []


# -- an answer that is overdue -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("allowed", "number"), [("0.001", 1), ("1h", 0), (None, 0)])
def test_a_person_who_has_not_answered(
    allowed: str | None, number: int, monkeypatch: pytest.MonkeyPatch, found: Found
) -> None:
    if allowed is not None:
        monkeypatch.setenv("OTEL_MAS_INPUT_TIMEOUT", allowed)

    def review(state: State) -> State:
        return {"answer": interrupt("Go on?")}

    app = graph({"review": review}, (START, "review")).compile(checkpointer=InMemorySaver())
    app.invoke({}, THREAD)
    time.sleep(0.01)
    assert [one.subject for one in found("overdue-answer")] == ["review"] * number

    app.invoke(Command(resume="yes"), THREAD)
    assert list(found("overdue-answer")) == [], "the answer's run alone has no question"


# -- an agent that gives up --------------------------------------------------------------------------------------------


def test_an_agent_that_gives_up(found: Found) -> None:
    nodes = {"a": nothing, "writer": lambda state: {"answer": "I could not find the figures."}}
    graph(nodes, (START, "a"), ("a", "writer")).compile().invoke({})

    (one,) = found("gave-up")
    assert (one.severity, one.subject) == (Severity.ERROR, "writer")


def test_an_agent_whose_second_try_goes_well(found: Found) -> None:
    texts = iter(["I could not find the figures.", "The tram costs 40 million."])
    nodes = {"writer": lambda state: {"answer": next(texts), "done": ["x"]}}
    again = lambda state: "writer" if len(state["done"]) < 2 else END  # noqa: E731
    graph(nodes, (START, "writer"), ("writer", again, ["writer", END])).compile().invoke({})

    assert list(found("gave-up")) == []


# -- hand-offs in a circle ---------------------------------------------------------------------------------------------


def talking(*texts: str) -> Any:
    """A node whose model says these texts in turn, the last one for ever."""
    model, given = ScriptedModel(script=lambda messages: str(messages[-1].content)), list(texts)

    def node(state: State) -> State:
        return {"done": [ask(model, "You work in a press.", given.pop(0) if len(given) > 1 else given[0])]}

    return node


@pytest.mark.parametrize(
    ("drafts", "number"), [(["A draft."], 1), ([f"Draft {i}." for i in range(9)], 0)], ids=["the same", "new ones"]
)
def test_agents_that_take_turns(drafts: list[str], number: int, found: Found) -> None:
    nodes = {"writer": talking(*drafts), "critic": talking("Do it again.")}
    again = lambda state: "writer" if len(state["done"]) < 10 else END  # noqa: E731
    edges = ((START, "writer"), ("writer", "critic"), ("critic", again, ["writer", END]))
    graph(nodes, *edges).compile().invoke({})

    assert [one.severity for one in found("handoff-loop")] == [Severity.WARNING] * number


def test_agents_that_take_turns_until_the_limit(found: Found) -> None:
    nodes = {"writer": talking(*(f"Draft {i}." for i in range(9))), "critic": talking("Do it again.")}
    app = graph(nodes, (START, "writer"), ("writer", "critic"), ("critic", "writer")).compile()
    with pytest.raises(GraphRecursionError):
        app.invoke({}, {"recursion_limit": 8})

    (one,) = found("handoff-loop")
    assert (one.severity, one.summary) == (
        Severity.ERROR,
        "writer and critic took turns 4 times, until the recursion limit",
    )


# -- messages that are lost, or arrive twice ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topology", "fault", "code", "subject"),
    [
        ("blackboard", "message_lost:edge=engineer->reporter", "message-loss", "engineer -> reporter"),
        ("pipeline", "field_forgotten:agent=writer,field=opening", "message-loss", "researcher -> writer"),
        ("functional", "message_lost:edge=compare->write", "message-loss", "compare -> write"),
        ("map_reduce", "message_lost:edge=planner->counter", "message-loss", "planner -> counter"),
        ("debate", "message_duplicated:edge=opponent->judge", "duplicate-delivery", "opponent -> judge"),
        ("swarm", "message_duplicated:edge=scheduler->counsellor", "duplicate-delivery", "scheduler -> counsellor"),
        ("map_reduce", "message_duplicated:edge=planner->counter", "duplicate-delivery", "planner -> counter"),
        ("pipeline", "agent_gives_up:agent=writer", "gave-up", "writer"),
        ("functional", "agent_gives_up:agent=write", "gave-up", "write"),
        ("supervisor", "message_contradicted:edge=surveyor->clerk", "inconsistent-state", "surveyor -> clerk"),
        ("blackboard", "message_corrupted:edge=demographer->reporter", "inconsistent-state", "demographer -> reporter"),
    ],
)
def test_an_injected_fault_is_found(topology: str, fault: str, code: str, subject: str, found: Found) -> None:
    with inject(fault, seed=1):
        build(topology, 1).run()

    assert [one.subject for one in found(code)] == [subject]


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_run_in_which_all_goes_well_in_the_end_has_none(topology: str, found: Found) -> None:
    app = build(topology, 2, clean=True)
    assert app.run() == app.expected

    codes = (
        "deadlock",
        "stalled-run",
        "overdue-answer",
        "gave-up",
        "handoff-loop",
        "message-loss",
        "duplicate-delivery",
    )
    assert [one for code in codes for one in found(code)] == []


def test_a_message_in_a_queue_that_nobody_read_to_its_end(found: Found) -> None:
    with otel_mas.workflow("press"):
        with otel_mas.agent("planner"):
            carriers = [otel_mas.send(f"Order {i}", to="booker") for i in range(3)]
        with otel_mas.agent("booker"):
            otel_mas.receive("Order 0", carriers[0], sender="planner")
            otel_mas.receive("Order 1", carriers[1], sender="planner")
            otel_mas.receive("Order 1", carriers[1], sender="planner")

    assert [one.subject for one in found("message-loss")] == ["planner -> booker"]
    assert [one.subject for one in found("duplicate-delivery")] == ["planner -> booker"]


def test_messages_that_were_all_read_or_caused_a_task(found: Found) -> None:
    with otel_mas.workflow("press"):
        with otel_mas.agent("planner"):
            carriers = [otel_mas.send(f"Order {i}", to=to) for i, to in enumerate(("booker", "printer"))]
        with otel_mas.agent("booker"):
            otel_mas.receive("Order 0", carriers[0], sender="planner")
        with otel_mas.agent("printer", caused_by=carriers[1]):
            pass

    assert list(found("message-loss")) == []


# -- history, resources, state -----------------------------------------------------------------------------------------


def test_a_history_that_is_lost(found: Found) -> None:
    """A node whose window of messages is cut to the question begins anew."""
    model = ScriptedModel(script=lambda messages: f"Step {len(messages)} of my plan for a trip to Lisbon.")

    def planner(state: MessagesState) -> dict[str, Any]:
        kept = state["messages"] if len(state["messages"]) < 4 else state["messages"][:1]
        return {"messages": [model.invoke(kept)]}

    built = StateGraph(MessagesState)
    built.add_node("planner", planner)
    built.add_edge(START, "planner")
    built.add_conditional_edges("planner", lambda state: "planner" if len(state["messages"]) < 5 else END)
    built.compile().invoke({"messages": [("user", "Plan a trip.")]})

    assert [one.subject for one in found("conversation-restart")] == ["planner"]


class Desk:
    """Serves one at a time, each at its turn by the clock: one that is late makes no other late."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn_ends: float | None = None

    def serve(self) -> None:
        with self._lock:
            self._turn_ends = (self._turn_ends or time.monotonic()) + TURN_S
            time.sleep(max(0.0, self._turn_ends - time.monotonic()))


def in_turns(recorded: Path) -> bool:
    """Whether the calls of the latest run were recorded as they were meant: begun together, ended turn by turn."""
    assert otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        calls = [span for span in source.latest().spans if span.get(names.GEN_AI_TOOL_NAME) == "archive"]
    begun, ended = [span.start_ns for span in calls], sorted(span.last_ns for span in calls)
    meant = [min(begun) + turn * TURN_S * 1e9 for turn in range(1, len(calls) + 1)]
    return max(begun) < ended[0] and all(
        abs(end - turn) < TURN_S * 1e9 / 10 for end, turn in zip(ended, meant, strict=True)
    )


@pytest.mark.parametrize(("shared", "number"), [(True, 1), (False, 0)])
def test_a_lock_that_all_wait_for(shared: bool, number: int, found: Found, recorded: Path) -> None:
    desk = Desk()

    @tool
    def archive(place: int) -> str:
        """Look something up."""
        (desk if shared else Desk()).serve()
        return "nothing"

    def each(state: State) -> list[Send]:
        return [Send("worker", {"place": place}) for place in range(8)]

    nodes = {"a": nothing, "worker": lambda given: {"done": [archive.invoke({"place": given["place"]})]}}
    app = graph(nodes, (START, "a"), ("a", each, ["worker"])).compile()
    # A busy machine lets one of the threads begin or go on too late: that run is made again.
    for _ in range(MOST_RUNS if shared else 1):
        desk = Desk()
        app.invoke({}, {"max_concurrency": 8})
        if in_turns(recorded):
            break

    assert [one.subject for one in found("resource-contention")] == ["archive"] * number


@pytest.mark.parametrize(("at_once", "number"), [(True, 1), (False, 0)])
def test_two_runs_of_a_thread_at_the_same_time(at_once: bool, number: int, recorded: Path) -> None:
    both = threading.Barrier(2 if at_once else 1)
    begun: set[int] = set()

    class Saver(InMemorySaver):
        """Both runs have read the thread before either of them writes to it."""

        def get_tuple(self, config: Any) -> Any:
            read = super().get_tuple(config)
            if threading.get_ident() not in begun:
                begun.add(threading.get_ident())
                both.wait(30)
            return read

    def writer(state: State) -> State:
        return {"answer": f"By {threading.get_ident()} at {time.time_ns()}"}

    app = graph({"writer": writer}, (START, "writer")).compile(checkpointer=Saver(), name="press")
    threads = [threading.Thread(target=app.invoke, args=({}, THREAD)) for _ in range(2)]
    for one in threads:
        one.start()
        if not at_once:
            one.join()
    for one in threads:
        one.join()

    assert otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        found = list(source.conversation("t").findings(codes="inconsistent-state"))
    assert [(one.severity, one.subject) for one in found] == [(Severity.WARNING, "press")] * number
