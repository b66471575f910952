"""Why an agent did not act: each kind of answer from a LangGraph app of its own, and near misses."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import pytest
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import END, START, StateGraph
from langgraph.types import CachePolicy, Command, Send, interrupt

import otel_mas
from otel_mas.analyse.unreached import WhyNotKind
from otel_mas.analyse.why_not import WhyNot, why_not
from otel_mas.api import Trace

THREAD: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    done: Annotated[list[str], operator.add]


def nothing(state: State) -> State:
    return {}


def fails(state: State) -> State:
    raise ValueError("the archive is closed")


def asks(state: State) -> State:
    interrupt("Go on?")
    return {}


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


@pytest.fixture
def latest(recorded: Path) -> Callable[[], Trace]:
    def found() -> Trace:
        assert otel_mas.flush(30)
        return otel_mas.open(recorded).latest()

    return found


@pytest.fixture
def ask(latest: Callable[[], Trace]) -> Callable[[str], WhyNot]:
    return lambda agent: latest().why_not(agent)


def shown(answer: WhyNot) -> list[str]:
    return [span.name for span in answer.spans]


# -- not reached -------------------------------------------------------------------------------------------------------


def by_reason(state: State) -> str:
    otel_mas.routing_reason("nothing is open")
    return END


def test_another_branch_was_taken(ask: Callable[[str], WhyNot]) -> None:
    nodes = dict.fromkeys(("planner", "writer", "outline"), nothing)
    app = graph(nodes, (START, "planner"), ("planner", by_reason, ["outline", END]), ("outline", "writer"))
    app.compile().invoke({})

    answer = ask("outline")
    assert answer.kind is WhyNotKind.NOT_REACHED
    assert answer.sentence == "outline was not reached: planner chose the end (“nothing is open”)."
    assert shown(answer) == ["route by_reason"]
    assert answer.provenance == "recorded"
    assert ask("writer").sentence == (
        "writer was not reached: planner chose the end (“nothing is open”) (the way leads over outline)."
    )


def test_the_last_of_several_decisions_is_told(ask: Callable[[str], WhyNot]) -> None:
    def route(state: State) -> str:
        return "worker" if len(state.get("done", [])) < 3 else END

    nodes = {"boss": nothing, "worker": lambda state: {"done": ["x"]}, "critic": nothing}
    app = graph(nodes, (START, "boss"), ("boss", route, ["worker", "critic", END]), ("worker", "boss"))
    app.compile().invoke({})

    assert ask("critic").sentence == (
        "critic was not reached: boss#4 chose the end, the last of 4 decisions without it."
    )
    assert ask("worker").sentence == "worker did act, as worker#1, worker#2, worker#3."


def test_a_command_went_elsewhere(ask: Callable[[str], WhyNot]) -> None:
    def boss(state: State) -> Command[Literal["writer", "critic"]]:
        return Command(goto="writer")

    graph({"boss": boss, "writer": nothing, "critic": nothing}, (START, "boss")).compile().invoke({})
    assert ask("critic").sentence == "critic was not reached: boss chose writer."


def test_nothing_was_sent_to_it(ask: Callable[[str], WhyNot]) -> None:
    def fan(state: State) -> list[Send]:
        return []

    graph({"a": nothing, "worker": nothing}, (START, "a"), ("a", fan, ["worker"])).compile().invoke({})
    assert ask("worker").sentence == "worker was not reached: a chose the end."


def test_a_node_without_edges(ask: Callable[[str], WhyNot]) -> None:
    graph({"a": nothing, "lonely": nothing}, (START, "a")).compile().invoke({})
    answer = ask("lonely")
    assert answer.kind is WhyNotKind.NOT_REACHED
    assert answer.sentence == "lonely was not reached: no edge of LangGraph led to it, and nothing was sent to it."
    assert answer.provenance == "inferred"


def test_the_node_around_it_was_not_reached(ask: Callable[[str], WhyNot]) -> None:
    team = graph({"reader": nothing}, (START, "reader")).compile(name="readers")
    app = graph({"a": nothing, "team": team}, (START, "a"), ("a", lambda state: END, {"team": "team", END: END}))
    app.compile().invoke({})

    assert ask("reader").sentence == "reader is in team, which was not reached: a chose the end."
    assert ask("readers").sentence == "readers was not reached: a chose the end."


# -- not defined, and unknown ------------------------------------------------------------------------------------------


def test_no_graph_has_it(ask: Callable[[str], WhyNot]) -> None:
    graph({"planner": nothing, "writer": nothing}, (START, "planner"), ("planner", "writer")).compile().invoke({})

    answer = ask("writers")
    assert answer.kind is WhyNotKind.NOT_DEFINED
    assert answer.sentence == "No graph of this run has a node or an agent 'writers'."
    assert answer.known == ("writer",)
    assert set(ask("zzz").known) == {"planner", "writer"}


def test_functions_that_are_called_are_not_declared(ask: Callable[[str], WhyNot]) -> None:
    @entrypoint()
    def app(given: str) -> str:
        return given

    app.invoke("x")
    answer = ask("helper")
    assert answer.kind is WhyNotKind.NOT_DEFINED
    assert "known only once they run" in answer.sentence
    assert answer.provenance == "inferred"


def test_a_recording_without_topology_cannot_tell(latest: Callable[[], Trace], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_mas.instrumentation.langgraph.runs.topology_of", lambda graph: {})
    nodes = dict.fromkeys(("a", "b", "c"), nothing)
    graph(nodes, (START, "a"), ("a", lambda state: "b", ["b", "c"])).compile().invoke({})
    trace = latest()

    assert trace.why_not("d").kind is WhyNotKind.UNKNOWN
    assert "cannot be told whether it exists" in trace.why_not("d").sentence
    assert trace.why_not("c").sentence == "c was not reached: a chose b."


# -- skipped, blocked --------------------------------------------------------------------------------------------------


def graded(score: str) -> Callable[[State], State]:
    def relevance(state: State) -> State:
        with otel_mas.grade("relevance") as grade:
            grade.score(score, "nothing bears on it")
        return {}

    return relevance


def test_a_grade_led_elsewhere(ask: Callable[[str], WhyNot]) -> None:
    nodes = {"relevance": graded("no"), "writer": nothing}
    graph(nodes, (START, "relevance"), ("relevance", lambda state: END, ["writer", END])).compile().invoke({})

    answer = ask("writer")
    assert answer.kind is WhyNotKind.SKIPPED
    assert answer.sentence == (
        "writer was skipped: relevance was no (“nothing bears on it”), and relevance chose the end."
    )
    assert shown(answer)[0] == "evaluate relevance"
    assert answer.provenance == "recorded"


@pytest.mark.parametrize(("score", "kind"), [("no", WhyNotKind.SKIPPED), ("yes", WhyNotKind.NOT_REACHED)])
def test_only_a_bad_grade_before_the_one_who_decided_counts(
    score: str, kind: WhyNotKind, ask: Callable[[str], WhyNot]
) -> None:
    nodes = {"relevance": graded(score), "boss": nothing, "writer": nothing}
    edges = ((START, "relevance"), ("relevance", "boss"), ("boss", lambda state: END, ["writer", END]))
    graph(nodes, *edges).compile().invoke({})

    answer = ask("writer")
    assert answer.kind is kind
    assert answer.provenance == ("inferred" if kind is WhyNotKind.SKIPPED else "recorded")


def guarded_by(verdict: Any) -> Callable[[State], State]:
    def check(state: State) -> State:
        with otel_mas.guardrail("privacy", target="input") as guardrail:
            guardrail.verdict(verdict, "it names a person")
        return {}

    return check


@pytest.mark.parametrize(("verdict", "kind"), [("block", WhyNotKind.BLOCKED), ("pass", WhyNotKind.NOT_REACHED)])
def test_only_a_guardrail_that_blocks_stops_it(verdict: str, kind: WhyNotKind, ask: Callable[[str], WhyNot]) -> None:
    nodes = {"gate": guarded_by(verdict), "writer": nothing}
    graph(nodes, (START, "gate"), ("gate", lambda state: END, ["writer", END])).compile().invoke({})

    answer = ask("writer")
    assert answer.kind is kind
    if kind is WhyNotKind.BLOCKED:
        assert answer.sentence == (
            "writer was not reached: guardrail privacy in gate blocked (“it names a person”), and gate chose the end."
        )


def test_a_guardrail_that_raises(ask: Callable[[str], WhyNot]) -> None:
    def gate(state: State) -> State:
        guarded_by("block")(state)
        raise PermissionError("refused")

    with pytest.raises(PermissionError):
        graph({"gate": gate, "writer": nothing}, (START, "gate"), ("gate", "writer")).compile().invoke({})
    assert ask("writer").kind is WhyNotKind.BLOCKED


# -- answered by something else ----------------------------------------------------------------------------------------


def test_the_cache_answered(ask: Callable[[str], WhyNot]) -> None:
    app = StateGraph(State)
    app.add_node("writer", lambda state: {"done": ["x"]}, cache_policy=CachePolicy(key_func=lambda state: b"same"))
    app.add_edge(START, "writer")
    compiled = app.compile(cache=InMemoryCache())
    compiled.invoke({})
    assert ask("writer").kind is WhyNotKind.ACTED
    compiled.invoke({})

    answer = ask("writer")
    assert answer.kind is WhyNotKind.CACHED
    assert answer.sentence == "writer did not run: LangGraph answered it from its cache."


def test_an_agent_inside_a_node_that_the_cache_answered(ask: Callable[[str], WhyNot]) -> None:
    team = graph({"reader": lambda state: {"done": ["x"]}}, (START, "reader")).compile()
    app = StateGraph(State)
    app.add_node("team", team, cache_policy=CachePolicy(key_func=lambda state: b"same"))
    app.add_edge(START, "team")
    compiled = app.compile(cache=InMemoryCache())
    compiled.invoke({})
    compiled.invoke({})

    answer = ask("reader")
    assert answer.kind is WhyNotKind.CACHED
    assert answer.sentence == "reader is in team, which did not run: LangGraph answered it from its cache."


def test_the_app_wrote_its_result(recorded: Path) -> None:
    app = graph({"a": nothing, "b": nothing}, (START, "a"), ("a", "b")).compile(checkpointer=InMemorySaver())
    app.invoke({}, THREAD)
    app.update_state(THREAD, {"done": ["by hand"]}, as_node="a")
    assert otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        assert source.latest().why_not("a").kind is WhyNotKind.WRITTEN
        assert source.conversation("t").why_not("a").kind is WhyNotKind.ACTED


# -- stopped before it -------------------------------------------------------------------------------------------------


def test_the_task_before_it_failed(ask: Callable[[str], WhyNot]) -> None:
    with pytest.raises(ValueError, match="closed"):
        graph({"reader": fails, "writer": nothing}, (START, "reader"), ("reader", "writer")).compile().invoke({})

    answer = ask("writer")
    assert answer.kind is WhyNotKind.FAILED
    assert answer.sentence == "writer was not reached: reader failed (ValueError: the archive is closed)."
    assert answer.provenance == "recorded"
    assert ask("reader").sentence == "reader did act, once, which failed at last (ValueError: the archive is closed)."


def test_a_sibling_failed(ask: Callable[[str], WhyNot]) -> None:
    nodes = {"good": nothing, "bad": fails, "after": nothing}
    with pytest.raises(ValueError, match="closed"):
        graph(nodes, (START, "good"), (START, "bad"), ("good", "after")).compile(checkpointer=InMemorySaver()).invoke(
            {}, THREAD
        )

    answer = ask("after")
    assert answer.kind is WhyNotKind.FAILED
    assert "bad failed" in answer.sentence


def test_a_failure_from_which_nothing_leads_there_is_no_reason(ask: Callable[[str], WhyNot]) -> None:
    nodes = {"a": nothing, "b": fails, "c": nothing}
    with pytest.raises(ValueError, match="closed"):
        graph(nodes, (START, "a"), ("a", lambda state: "b", ["b", "c"])).compile().invoke({})
    assert ask("c").sentence == "c was not reached: a chose b."


def test_a_sibling_that_decided_otherwise_is_the_reason(ask: Callable[[str], WhyNot]) -> None:
    nodes = {"good": nothing, "bad": fails, "after": nothing}
    edges = ((START, "good"), (START, "bad"), ("good", lambda state: END, ["after", END]))
    with pytest.raises(ValueError, match="closed"):
        graph(nodes, *edges).compile().invoke({})
    assert ask("after").sentence == "after was not reached: good chose the end."


def test_the_limit_of_steps(ask: Callable[[str], WhyNot]) -> None:
    nodes = dict.fromkeys(("a", "b", "c"), nothing)
    app = graph(nodes, (START, "a"), ("a", "b"), ("b", lambda state: "a", ["a", "c"])).compile()
    with pytest.raises(Exception, match="ecursion"):
        app.invoke({}, {"recursion_limit": 4})
    answer = ask("c")
    assert answer.kind is WhyNotKind.FAILED
    assert "GraphRecursionError" in answer.sentence


def test_a_person_is_waited_for(recorded: Path) -> None:
    nodes = {"approval": asks, "publish": nothing}
    app = graph(nodes, (START, "approval"), ("approval", "publish")).compile(checkpointer=InMemorySaver())
    app.invoke({}, THREAD)
    assert otel_mas.flush(30)
    with otel_mas.open(recorded) as source:
        answer = source.latest().why_not("publish")
        assert answer.kind is WhyNotKind.PAUSED
        assert answer.sentence == "publish was not reached: approval waits for a person."
        assert source.latest().why_not("approval").kind is WhyNotKind.PAUSED
        app.invoke(Command(resume=True), THREAD)
        assert otel_mas.flush(30)
        assert source.conversation("t").why_not("publish").kind is WhyNotKind.ACTED


def test_a_breakpoint_before_it(ask: Callable[[str], WhyNot]) -> None:
    app = graph({"a": nothing, "b": nothing}, (START, "a"), ("a", "b"))
    app.compile(checkpointer=InMemorySaver(), interrupt_before=["b"]).invoke({}, THREAD)

    answer = ask("b")
    assert answer.kind is WhyNotKind.PAUSED
    assert "breakpoint" in answer.sentence
    assert answer.provenance == "recorded"


async def test_a_cancelled_run(latest: Callable[[], Trace]) -> None:
    began = asyncio.Event()

    async def slow(state: State) -> State:
        began.set()
        await asyncio.sleep(600)
        return {}

    app = graph({"slow": slow, "b": nothing}, (START, "slow"), ("slow", "b")).compile()
    running = asyncio.create_task(app.ainvoke({}))
    await asyncio.wait_for(began.wait(), 60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert latest().why_not("b").kind is WhyNotKind.CANCELLED
    assert latest().why_not("slow").kind is WhyNotKind.CANCELLED


def test_a_caller_that_stopped_reading(ask: Callable[[str], WhyNot]) -> None:
    app = graph({"a": lambda state: {"done": ["a"]}, "b": nothing}, (START, "a"), ("a", "b")).compile()
    stream = app.stream({}, stream_mode="updates")
    next(stream)
    stream.close()

    answer = ask("b")
    assert answer.kind is WhyNotKind.CANCELLED
    assert answer.sentence == "b was not reached: the caller stopped reading the stream."


def test_a_join_that_never_filled(ask: Callable[[str], WhyNot]) -> None:
    nodes = dict.fromkeys(("a", "b", "c", "joined"), nothing)
    edges = ((START, "a"), (START, "b"), ("b", by_reason, ["c", END]), (["a", "c"], "joined"))
    graph(nodes, *edges).compile(checkpointer=InMemorySaver()).invoke({}, THREAD)

    answer = ask("joined")
    assert answer.kind is WhyNotKind.JOIN
    assert answer.sentence == (
        "joined waits for a join of a and c that never filled: it waits for c, which did not act; a arrived: "
        "c was not reached: b chose the end (“nothing is open”)."
    )
    assert answer.provenance == "recorded"


def test_without_a_checkpoint_a_join_is_inferred(ask: Callable[[str], WhyNot]) -> None:
    nodes = dict.fromkeys(("a", "b", "c", "joined"), nothing)
    edges = ((START, "a"), (START, "b"), ("b", by_reason, ["c", END]), (["a", "c"], "joined"))
    graph(nodes, *edges).compile().invoke({})
    assert ask("joined").provenance == "inferred"


def test_a_join_that_a_failure_kept_from_filling(ask: Callable[[str], WhyNot]) -> None:
    nodes = {"a": nothing, "b": fails, "joined": nothing}
    with pytest.raises(ValueError, match="closed"):
        graph(nodes, (START, "a"), (START, "b"), (["a", "b"], "joined")).compile().invoke({})
    answer = ask("joined")
    assert answer.kind is WhyNotKind.FAILED
    assert "b failed" in answer.sentence


def test_a_run_under_way(latest: Callable[[], Trace]) -> None:
    seen: list[WhyNot] = []

    def looking(state: State) -> State:
        seen.append(latest().why_not("b"))
        return {}

    graph({"a": looking, "b": nothing}, (START, "a"), ("a", "b")).compile().invoke({})
    assert seen[0].kind is WhyNotKind.RUNNING
    assert seen[0].sentence == "b has not acted so far: LangGraph still runs."


def test_hostile_names(latest: Callable[[], Trace]) -> None:
    graph({"{agent} \x1b[31m": nothing, "b": nothing}, (START, "{agent} \x1b[31m")).compile().invoke({})
    causal = latest().graph().causal
    assert why_not(causal, "{agent} \x1b[31m").kind is WhyNotKind.ACTED
    assert why_not(causal, "").kind is WhyNotKind.NOT_DEFINED
    assert why_not(causal, "b").kind is WhyNotKind.NOT_REACHED
