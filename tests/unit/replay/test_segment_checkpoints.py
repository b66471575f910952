"""Segments that start from checkpoints: nothing before them runs, and the app's saver stays as it was."""

from __future__ import annotations

import asyncio
import operator
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, RetryPolicy, Send, interrupt

import otel_mas
from otel_mas.errors import ReplayMiss
from tests.unit.replay.test_comparison import cli
from tests.unit.replay.test_counterfactual import CALLED, recorded, said, store

__all__ = ["store"]  # a fixture

RAN: list[str] = []
"""The nodes whose code ran, in order: also of those that call nothing that a replay would answer."""
THREAD = {"configurable": {"thread_id": "a"}}


class State(TypedDict, total=False):
    topic: str
    log: Annotated[list[str], operator.add]
    parts: Annotated[list[str], operator.add]
    n: int


@pytest.fixture(autouse=True)
def ran() -> None:
    RAN.clear()


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield InMemorySaver()
        return
    with SqliteSaver.from_conn_string(str(tmp_path / "checkpoints.db")) as opened:
        yield opened


def step(name: str) -> Callable[[State], State]:
    def run(state: State) -> State:
        RAN.append(name)
        return {"topic": said(name, state["topic"]), "log": [name]}

    return run


def chain(saver: Any, *names: str) -> Any:
    graph = StateGraph(State)
    before = START
    for name in names or ("one", "two", "three", "four"):
        graph.add_node(name, step(name))
        graph.add_edge(before, name)
        before = name
    return graph.compile(name="chain", checkpointer=saver)


def saved(saver: Any) -> list[Any]:
    """Everything that a saver holds."""
    found = [(one.config, one.checkpoint, one.metadata, one.pending_writes) for one in saver.list(None)]
    return sorted(found, key=lambda one: (str(one[0]["configurable"]["thread_id"]), one[1]["id"]))


def checkpoint_of(session: Any, label: str) -> str:
    return str(session.recording.tasks[label].spans[0].get("mas.checkpoint.id"))


def run_spans(session: Any) -> list[Any]:
    return [span for span in session.trace.spans if span.get("mas.replay.checkpoint.id")]


def test_nothing_before_the_segment_runs_and_the_conversation_stays_as_it_was(store: Path, saver: Any) -> None:
    app = chain(saver)
    expected = recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    before = saved(saver)

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("three#1")
        result = app.invoke({"topic": "x"}, THREAD)
        within = app.get_state(THREAD).values

    assert result == expected
    assert within == expected
    assert RAN == ["three", "four"]
    assert CALLED == ["three", "four"]
    assert (session.answered, session.live, session.missed) == (0, 2, 0)
    assert session.segment_state == f"checkpoint {checkpoint_of(session, 'three#1')} of thread a"
    assert [one.get("mas.replay.checkpoint.id") for one in run_spans(session)] == [checkpoint_of(session, "three#1")]
    assert saved(saver) == before
    assert app.get_state(THREAD).values == expected


def test_with_a_last_task_only_what_is_between_runs(store: Path, saver: Any) -> None:
    app = chain(saver)
    recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    before = saved(saver)

    with otel_mas.replay("latest", source=store, stub=lambda call: f"<{call.asked[-1].content}>") as session:
        session.segment("two#1", "three#1")
        app.invoke({"topic": "x"}, THREAD)

    assert RAN == ["two", "three", "four"]  # the code of the next one, up to its call
    assert CALLED == []
    assert (session.answered, session.stubbed, session.ended) == (0, 2, True)
    assert saved(saver) == before


def test_again_from_the_same_checkpoint_by_an_engine(store: Path, saver: Any) -> None:
    app = chain(saver)
    expected = recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    engine = otel_mas.TraceReplayEngine("latest", source=store, live="descendants")
    engine.session.segment("four#1")

    assert engine.run(app.invoke, {"topic": "x"}, THREAD) == expected
    assert engine.run(app.invoke, {"topic": "x"}, THREAD) == expected
    assert RAN == ["four", "four"]


@asynccontextmanager
async def async_saver(kind: str, path: Path) -> AsyncIterator[Any]:
    if kind == "memory":
        yield InMemorySaver()
    else:
        async with AsyncSqliteSaver.from_conn_string(str(path / "async.db")) as opened:
            yield opened


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("streamed", [False, True])
def test_async_and_streamed(store: Path, tmp_path: Path, kind: str, streamed: bool) -> None:
    async def run(app: Any) -> Any:
        if not streamed:
            return await app.ainvoke({"topic": "x"}, THREAD)
        return [chunk async for chunk in app.astream({"topic": "x"}, THREAD, stream_mode="updates")]

    async def main() -> None:
        async with async_saver(kind, tmp_path) as saver:
            app = chain(saver)
            expected = await run(app)
            otel_mas.flush()
            CALLED.clear()
            RAN.clear()
            before = [one async for one in saver.alist(None)]
            with otel_mas.replay("latest", source=store, live="descendants") as session:
                session.segment("three#1")
                assert await run(app) == (expected[2:] if streamed else expected)
                assert (await app.aget_state(THREAD)).values["log"] == ["one", "two", "three", "four"]
            assert RAN == CALLED == ["three", "four"]
            assert session.segment_state.startswith("checkpoint ")
            assert [one async for one in saver.alist(None)] == before

    asyncio.run(main())


def test_streamed_as_values(store: Path, saver: Any) -> None:
    app = chain(saver)
    expected = list(app.stream({"topic": "x"}, THREAD, stream_mode="values"))
    otel_mas.flush()
    RAN.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("three#1")
        assert list(app.stream({"topic": "x"}, THREAD, stream_mode="values")) == expected[2:]
    assert RAN == ["three", "four"]


def fan_out(saver: Any) -> Any:
    def work(state: State) -> State:
        RAN.append(f"work {state['n']}")
        return {"parts": [said(f"work {state['n']}", "the same")]}

    def report(state: State) -> State:
        RAN.append("report")
        return {"topic": said("report", str(state["parts"]))}

    graph = StateGraph(State)
    graph.add_node("plan", step("plan"))
    graph.add_node("work", work)
    graph.add_node("report", report)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", lambda _: [Send("work", {"n": n}) for n in range(5)], ["work"])
    graph.add_edge("work", "report")
    return graph.compile(checkpointer=saver)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_of_a_fan_out_by_send_only_one_branch_runs(store: Path, asynchronous: bool) -> None:
    saver = InMemorySaver()
    app = fan_out(saver)
    expected = recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    before = saved(saver)

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("work#3")
        if asynchronous:
            assert asyncio.run(app.ainvoke({"topic": "x"}, THREAD)) == expected
        else:
            assert app.invoke({"topic": "x"}, THREAD) == expected

    assert RAN == ["work 2", "report"]
    assert CALLED == ["work 2", "report"]
    assert saved(saver) == before


def test_a_stub_for_one_branch_changes_only_what_it_wrote(store: Path, saver: Any) -> None:
    app = fan_out(saver)
    recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    with otel_mas.replay("latest", source=store, stub=lambda call: f"stub in {call.place[-14:]}") as session:
        session.segment("work#2")
        result = app.invoke({"topic": "x"}, THREAD)
    parts = result["parts"]
    assert [one.startswith("stub") for one in parts] == [False, True, False, False, False]
    assert session.stubbed == 2


def test_in_a_loop_the_later_round_is_the_one_that_runs(store: Path, saver: Any) -> None:
    def again(state: State) -> State:
        RAN.append(f"round {len(state['log'])}")
        return {"topic": said("round", state["topic"]), "log": ["round"]}

    graph = StateGraph(State)
    graph.add_node("again", again)
    graph.add_edge(START, "again")
    graph.add_conditional_edges("again", lambda state: "again" if len(state["log"]) < 4 else "__end__")
    app = graph.compile(checkpointer=saver)
    expected = recorded(app, {"topic": "x", "log": []}, THREAD)
    RAN.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("again#3")
        assert app.invoke({"topic": "x", "log": []}, THREAD) == expected
    assert RAN == ["round 2", "round 3"]
    assert (session.answered, session.live) == (0, 2)


def nested(saver: Any, *, as_node: bool, inner_saver: Any = None) -> Any:
    inner = StateGraph(State)
    for name, before in (("first", START), ("second", "first"), ("third", "second")):
        inner.add_node(name, step(name))
        inner.add_edge(before, name)
    subgraph = inner.compile(name="inner", checkpointer=inner_saver)

    def call(state: State) -> State:
        RAN.append("team")
        return {"topic": subgraph.invoke({"topic": said("before", state["topic"])})["topic"], "log": ["team"]}

    graph = StateGraph(State)
    graph.add_node("plan", step("plan"))
    graph.add_node("team", subgraph if as_node else call)
    graph.add_node("report", step("report"))
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "team")
    graph.add_edge("team", "report")
    return graph.compile(name="outer", checkpointer=saver)


def label_of(session: Any, end: str) -> str:
    return next(label for label in session.recording.tasks if label.endswith(end))


@pytest.mark.parametrize("as_node", [False, True])
def test_a_task_of_a_graph_inside(store: Path, saver: Any, as_node: bool) -> None:
    app = nested(saver, as_node=as_node)
    expected = recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    before = saved(saver)

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment(label_of(session, "second#1"))
        result = app.invoke({"topic": "x"}, THREAD)

    assert result == expected
    assert ([] if as_node else ["team"]) + ["second", "third", "report"] == RAN
    assert CALLED == ["second", "third", "report"]
    assert session.answered == (0 if as_node else 1)
    assert session.segment_state.endswith(" of thread a")
    assert saved(saver) == before


def test_the_task_around_a_graph_begins_it_anew(store: Path, saver: Any) -> None:
    app = nested(saver, as_node=True)
    expected = recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("team#1")
        assert app.invoke({"topic": "x"}, THREAD) == expected
    assert RAN == ["first", "second", "third", "report"]


def test_a_graph_inside_that_saves_nothing_is_replayed_up_to_there(store: Path, saver: Any) -> None:
    app = nested(saver, as_node=False, inner_saver=False)
    expected = recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment(label_of(session, "second#1"))
        assert app.invoke({"topic": "x"}, THREAD) == expected
    assert RAN == ["team", "first", "second", "third", "report"]
    assert CALLED == ["second", "third", "report"]
    assert session.segment_state.endswith("; inside of team, where nothing is saved, a replay up to there")


def test_a_graph_inside_with_a_memory_of_its_own_has_that_of_then(store: Path, saver: Any) -> None:
    app = nested(saver, as_node=True, inner_saver=True)
    app.invoke({"topic": "earlier"}, THREAD)
    expected = recorded(app, {"topic": "x"}, THREAD)
    app.invoke({"topic": "later"}, THREAD)
    otel_mas.flush()
    RAN.clear()
    CALLED.clear()
    before = saved(saver)
    with otel_mas.open(store) as source:
        second = source.traces()[1]
        with otel_mas.replay(source.trace(second.trace_id), live="descendants") as session:
            session.segment("report#1")
            assert app.invoke({"topic": "x"}, THREAD) == expected
    assert RAN == ["report"]
    assert saved(saver) == before


def test_the_last_of_several_runs_of_a_thread(store: Path, saver: Any) -> None:
    app = chain(saver, "one", "two")
    app.invoke({"topic": "first"}, THREAD)
    first = app.get_state(THREAD).values
    app.invoke({"topic": "second"}, THREAD)
    expected = app.get_state(THREAD).values
    app.invoke({"topic": "third"}, THREAD)
    last = app.get_state(THREAD).values
    otel_mas.flush()
    RAN.clear()
    CALLED.clear()
    before = saved(saver)

    with otel_mas.open(store) as source, otel_mas.replay(source.conversation("a"), live="descendants") as session:
        session.segment("two#2")
        assert app.invoke({"topic": "first"}, THREAD) == first  # it is over: nothing of it runs
        assert app.invoke({"topic": "second"}, THREAD) == expected
        assert app.invoke({"topic": "third"}, THREAD) == last

    assert RAN == ["two", "one", "two"]  # the run after the segment's depends on it
    assert CALLED == ["two", "one", "two"]
    assert saved(saver) == before


def test_a_thread_of_another_name_than_then(store: Path, saver: Any) -> None:
    app = chain(saver)
    expected = recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    before = saved(saver)
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("three#1")
        assert app.invoke({"topic": "x"}, {"configurable": {"thread_id": 7}}) == expected
    assert RAN == ["three", "four"]
    assert saved(saver) == before
    assert session.segment_state.endswith(" of thread a")


def test_a_batch_of_several_threads_runs_one_of_them(store: Path, saver: Any) -> None:
    app = chain(saver, "one", "two")
    configs: Any = [{"configurable": {"thread_id": name}} for name in "abc"]
    given: Any = [{"topic": name} for name in "abc"]
    expected = app.batch(given, configs)
    otel_mas.flush()
    RAN.clear()
    CALLED.clear()
    before = saved(saver)
    with otel_mas.open(store) as source:
        traces = [source.trace(one.trace_id) for one in source.traces()]
        with otel_mas.replay(traces, live="descendants") as session:
            of_b = {span.span_id for trace in traces for span in trace.spans if span.conversation_id == "b"}
            tasks = session.recording.tasks
            label = next(one for one in tasks if one.startswith("two") and tasks[one].spans[0].span_id in of_b)
            session.segment(label)
            assert app.batch(given, configs) == expected
    assert CALLED == ["two"]
    assert saved(saver) == before


def paused(saver: Any) -> Any:
    def ask(state: State) -> State:
        RAN.append("ask")
        return {"topic": f"{said('ask', state['topic'])}, {interrupt('which?')}", "log": ["ask"]}

    graph = StateGraph(State)
    graph.add_node("plan", step("plan"))
    graph.add_node("ask", ask)
    graph.add_node("write", step("write"))
    graph.add_node("check", step("check"))
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "ask")
    graph.add_edge("ask", "write")
    graph.add_edge("write", "check")
    return graph.compile(name="asking", checkpointer=saver)


def conversation_of(app: Any) -> list[Any]:
    return [app.invoke({"topic": "x"}, THREAD), app.invoke(Command(resume="blue"), THREAD)]


def test_a_segment_after_a_pause(store: Path, saver: Any) -> None:
    app = paused(saver)
    expected = conversation_of(app)[1]
    otel_mas.flush()
    RAN.clear()
    CALLED.clear()
    before = saved(saver)
    with otel_mas.open(store) as source, otel_mas.replay(source.conversation("a"), live="descendants") as session:
        session.segment("check#1")
        assert conversation_of(app)[1] == expected
    assert RAN == ["ask", "check"]  # the paused task pauses again
    assert CALLED == ["check"]
    assert session.answered == 1
    assert saved(saver) == before


def test_a_segment_that_begins_with_the_task_that_paused(store: Path, saver: Any) -> None:
    app = paused(saver)
    expected = conversation_of(app)[1]
    otel_mas.flush()
    RAN.clear()
    CALLED.clear()
    before = saved(saver)
    with otel_mas.open(store) as source, otel_mas.replay(source.conversation("a"), live="descendants") as session:
        session.segment("ask#1")
        first, second = app.invoke({"topic": "x"}, THREAD), app.invoke(Command(resume="red"), THREAD)
    assert first["__interrupt__"][0].value == "which?"
    assert second == expected  # the person answered blue
    assert RAN == ["ask", "ask", "write", "check"]
    assert saved(saver) == before


def test_a_conversation_that_is_paused_goes_on_after_the_replay(store: Path, saver: Any) -> None:
    app = paused(saver)
    recorded(app, {"topic": "x"}, THREAD)
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("ask#1")
        app.invoke({"topic": "x"}, THREAD)
    app.invoke(Command(resume="green"), THREAD)
    otel_mas.flush()

    assert app.get_state(THREAD).values["log"] == ["plan", "ask", "write", "check"]
    with otel_mas.open(store) as source:
        # Of the pause itself, not of the one in the replay.
        resumed = source.trace(source.traces()[0].trace_id)
        asked = next(span for span in resumed.spans if span.task_name == "ask")
        (cause,) = [link.trace_id for link in asked.links if link.kind == "resume"]
        assert cause == session.recording.spans[0].trace_id


def test_updates_of_the_state_go_to_the_private_copy(store: Path, saver: Any) -> None:
    app = chain(saver, "one", "two")

    def script() -> Any:
        app.invoke({"topic": "first"}, THREAD)
        app.update_state(THREAD, {"topic": "edited"}, as_node="two")
        return app.invoke({"log": ["again"]}, THREAD)

    expected = script()
    otel_mas.flush()
    RAN.clear()
    CALLED.clear()
    before = saved(saver)
    with otel_mas.open(store) as source, otel_mas.replay(source.conversation("a"), live="descendants") as session:
        session.segment("two#1")
        assert script() == expected
    assert RAN == ["two", "one", "two"]
    assert saved(saver) == before


def test_tasks_of_the_functional_api(store: Path, saver: Any) -> None:
    @task
    def part(text: str) -> str:
        RAN.append(f"part {text}")
        return said("part", text)

    @entrypoint(checkpointer=saver)
    def flow(text: str) -> str:
        RAN.append("flow")
        return part(part(part(text).result()).result()).result()

    expected = recorded(flow, "x", THREAD)
    RAN.clear()
    before = saved(saver)
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment(next(label for label in session.recording.tasks if label.endswith("part#2")))
        assert flow.invoke("x", THREAD) == expected
    assert CALLED == ["part", "part"]
    assert len(RAN) == 3  # the entrypoint, and two of the three
    assert session.segment_state.startswith("checkpoint ")
    assert saved(saver) == before


def test_an_attempt_that_failed_is_made_again(store: Path, saver: Any) -> None:
    failed: list[str] = []

    def flaky(state: State) -> State:
        RAN.append("flaky")
        topic = said("flaky", state["topic"])
        if not failed:
            failed.append("once")
            raise OSError("once")
        return {"topic": topic}

    graph = StateGraph(State)
    graph.add_node("one", step("one"))
    graph.add_node("flaky", flaky, retry_policy=RetryPolicy(initial_interval=0.01, jitter=False, retry_on=OSError))
    graph.add_node("last", step("last"))
    graph.add_edge(START, "one")
    graph.add_edge("one", "flaky")
    graph.add_edge("flaky", "last")
    app = graph.compile(checkpointer=saver)
    expected = recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    failed.clear()
    before = saved(saver)
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("flaky#1")
        assert app.invoke({"topic": "x"}, THREAD) == expected
    assert RAN == ["flaky", "flaky", "last"]
    assert saved(saver) == before


def part_of(name: str) -> Callable[[State], State]:
    def run(state: State) -> State:
        RAN.append(name)
        return {"parts": [said(name, state["topic"])]}

    return run


@pytest.mark.parametrize(
    ("label", "ran"),
    [("left#1", ["join", "left", "longer"]), ("longer#1", ["join", "longer"]), ("join#1", ["join"])],
)
def test_of_branches_that_join_the_others_have_written_what_they_wrote(
    label: str, ran: list[str], store: Path, saver: Any
) -> None:
    graph = StateGraph(State)
    graph.add_node("plan", step("plan"))
    for name in ("left", "right", "longer"):
        graph.add_node(name, part_of(name))
    graph.add_node("join", lambda state: {"topic": said("join", str(RAN.append("join") or state["parts"]))})
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "left")
    graph.add_edge("plan", "right")
    graph.add_edge("right", "longer")
    graph.add_edge(["left", "longer"], "join")
    app = graph.compile(checkpointer=saver)
    expected = recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment(label)
        assert app.invoke({"topic": "x"}, THREAD) == expected
    assert sorted(RAN) == ran
    assert sorted(CALLED) == sorted({"join", label[:-2]})
    assert session.segment_state.startswith("checkpoint ")


@pytest.mark.parametrize("durability", ["sync", "async"])
def test_with_each_durability_that_saves_every_step(store: Path, saver: Any, durability: Any) -> None:
    app = chain(saver)
    app.invoke({"topic": "x"}, THREAD, durability=durability)
    otel_mas.flush()
    RAN.clear()
    before = saved(saver)
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("four#1")
        app.invoke({"topic": "x"}, THREAD, durability=durability)
    assert RAN == ["four"]
    assert saved(saver) == before


def test_where_only_the_end_was_saved_it_is_replayed_up_to_there(store: Path) -> None:
    app = chain(InMemorySaver())
    app.invoke({"topic": "x"}, THREAD, durability="exit")
    otel_mas.flush()
    other = {"configurable": {"thread_id": "other"}}
    assert "recorded without checkpoints" in replayed_up_to(app, store, other)


def test_a_run_that_the_app_starts_from_a_checkpoint_by_name(store: Path) -> None:
    app = chain(InMemorySaver())
    app.invoke({"topic": "x"}, THREAD)
    (at,) = [one.config for one in app.get_state_history(THREAD) if one.next == ("two",)]
    app.invoke(None, at)
    otel_mas.flush()
    RAN.clear()
    CALLED.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("four#1")
        app.invoke(None, at)
    assert RAN == ["two", "three", "four"]
    assert CALLED == ["four"]
    assert session.segment_state == ("a replay up to there: the app has its run start from a checkpoint that it names")


def test_the_first_task_is_a_graph_with_a_memory_of_its_own(store: Path, saver: Any) -> None:
    app = nested(saver, as_node=True, inner_saver=True)
    app.invoke({"topic": "earlier"}, THREAD)
    expected = recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    before = saved(saver)
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("team#1")
        assert app.invoke({"topic": "x"}, THREAD) == expected
    # No other task of the step tells its checkpoint, so its run begins where it had begun.
    assert "recorded without checkpoints" in session.segment_state
    assert RAN == ["plan", "first", "second", "third", "report"]
    assert CALLED == ["first", "second", "third", "report"]
    assert saved(saver) == before


def test_channels_that_are_saved_as_differences(store: Path, saver: Any) -> None:
    delta = pytest.importorskip("langgraph.channels.delta", reason="LangGraph 1.2 has them")

    def add(before: list[str], writes: Any) -> list[str]:
        return [*before, *(one for write in writes for one in write)]

    types = {"topic": str, "log": Annotated[list[str], delta.DeltaChannel(add)]}
    logged: Any = TypedDict("Logged", types, total=False)  # type: ignore[misc]
    graph = StateGraph(logged)
    before = START
    for name in ("one", "two", "three", "four"):
        graph.add_node(name, step(name), input_schema=logged)
        graph.add_edge(before, name)
        before = name
    app = graph.compile(checkpointer=saver)
    given = {"topic": "x", "log": ["start"]}
    expected = recorded(app, given, THREAD)
    assert expected["log"] == ["start", "one", "two", "three", "four"]
    RAN.clear()
    held = saved(saver)
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("three#1")
        assert app.invoke(given, THREAD) == expected
        assert app.get_state(THREAD).values == expected
    assert RAN == ["three", "four"]
    assert saved(saver) == held


# -- where there is no checkpoint to start from ------------------------------------------------------------------------


def replayed_up_to(app: Any, store: Path, config: Any, label: str = "three#1") -> Any:
    RAN.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment(label)
        app.invoke({"topic": "x"}, config)
    assert RAN == ["one", "two", "three", "four"]
    assert (session.answered, session.live) == (2, 2)
    missing = [span.get("mas.replay.checkpoint.missing") for span in session.trace.spans]
    assert session.segment_state == f"a replay up to there: {next(filter(None, missing))}"
    return session.segment_state


def test_a_saver_that_does_not_have_it_any_more(store: Path, saver: Any) -> None:
    app = chain(saver)
    recorded(app, {"topic": "x"}, THREAD)
    saver.delete_thread("a")
    assert "does not have checkpoint" in replayed_up_to(app, store, THREAD)


def test_a_graph_without_a_saver(store: Path) -> None:
    recorded(chain(None), {"topic": "x"}, None)
    assert "recorded without checkpoints" in replayed_up_to(chain(None), store, None)


def test_a_graph_that_has_no_saver_any_more(store: Path) -> None:
    recorded(chain(InMemorySaver()), {"topic": "x"}, THREAD)
    assert "has no checkpointer" in replayed_up_to(chain(None), store, THREAD)


def test_the_run_of_a_conversation_begins_where_it_had_begun(store: Path, saver: Any) -> None:
    app = chain(saver, "one", "two")
    app.invoke({"topic": "first"}, THREAD)
    expected = recorded(app, {"topic": "second"}, THREAD)
    RAN.clear()
    with otel_mas.open(store) as source:
        checkpoint = next(span.get("mas.checkpoint.id") for span in source.latest().spans if span.task_name == "two")

    class Pruned(type(saver)):  # type: ignore[misc]
        """Without the checkpoint of the task."""

        def __init__(self) -> None:
            vars(self).update(vars(saver))

        def get_tuple(self, config: Any) -> Any:
            return None if config["configurable"].get("checkpoint_id") == checkpoint else super().get_tuple(config)

    before = saved(saver)
    app = chain(Pruned(), "one", "two")
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("two#1")
        assert app.invoke({"topic": "second"}, THREAD) == expected
    assert RAN == ["one", "two"]
    assert CALLED == ["two"]
    assert f"does not have checkpoint {checkpoint}" in session.segment_state
    assert saved(saver) == before


def test_a_saver_that_cannot_be_read(store: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(str(tmp_path / "closed.db"), check_same_thread=False)
    recorded(chain(SqliteSaver(connection)), {"topic": "x"}, THREAD)

    class Unreadable(InMemorySaver):
        def get_tuple(self, config: Any) -> Any:
            if config["configurable"].get("checkpoint_id"):
                raise OSError("gone")
            return super().get_tuple(config)

    assert "cannot be read: OSError" in replayed_up_to(chain(Unreadable()), store, THREAD)
    connection.close()


def test_a_change_outside_of_the_segment_needs_what_is_before_it(store: Path, saver: Any) -> None:
    app = chain(saver)
    recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("three#1")
        session.change("one#1/model#1", output="other")
        app.invoke({"topic": "x"}, {"configurable": {"thread_id": "new"}})
    assert RAN == ["one", "two", "three", "four"]
    assert "one#1/model#1 is changed" in session.segment_state


def test_a_change_in_the_segment_starts_from_the_checkpoint(store: Path, saver: Any) -> None:
    app = chain(saver)
    recorded(app, {"topic": "x"}, THREAD)
    RAN.clear()
    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.segment("three#1")
        session.change("three#1/model#1", output="other")
        result = app.invoke({"topic": "x"}, THREAD)
    assert RAN == ["three", "four"]
    assert result["topic"] == "four of (other)"


def test_a_segment_that_the_app_does_not_come_to_is_an_error(store: Path, saver: Any) -> None:
    app = chain(saver)
    recorded(app, {"topic": "x"}, THREAD)
    engine = otel_mas.TraceReplayEngine("latest", source=store)
    engine.session.segment("three#1")
    with pytest.raises(ReplayMiss, match="was not reached"):
        engine.run(app.get_state, THREAD)
    assert engine.session.segment_state == ""


@pytest.mark.slow
def test_the_command_starts_from_what_another_process_has_saved(tmp_path: Path) -> None:
    store, checkpoints = tmp_path / "runs.db", tmp_path / "checkpoints.db"
    app = ("tests.unit.replay.saved_app", str(checkpoints))
    run = cli(store, "run", "--quiet", command=app)
    assert run.returncode == 0, run.stderr
    expected = run.stdout.splitlines()[-1]
    asked = ("replay", "latest", "--from-task", "three#1", "--live", "descendants", "--yes")
    replays = ("--store", str(tmp_path / "replays.db"))
    before = _rows(checkpoints)

    replayed = cli(store, *asked, *replays, command=app)
    assert replayed.returncode == 0, replayed.stderr
    assert replayed.stdout.splitlines() == ["ran three", "really called three", expected]
    assert "state before three#1: checkpoint " in replayed.stderr
    assert _rows(checkpoints) == before

    elsewhere = cli(store, *asked, *replays, command=(app[0], str(tmp_path / "others.db")))
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert elsewhere.stdout.splitlines() == ["ran one", "ran two", "ran three", "really called three", expected]
    assert "state before three#1: a replay up to there, since the saver of the app's graph does not" in elsewhere.stderr


def _rows(path: Path) -> list[Any]:
    with sqlite3.connect(path) as connection:
        return [connection.execute(f"SELECT * FROM {name}").fetchall() for name in ("checkpoints", "writes")]
