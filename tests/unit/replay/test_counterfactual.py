"""Counterfactual replays of real graphs: the changed thing's descendants run again, everything else is recorded."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

import otel_mas
from otel_mas.errors import ConfigError, ReplayMiss, ReplayStopped
from tests.accuracy.topologies.model import ScriptedModel

CALLED: list[str] = []
"""What was really called, in order."""


def model(name: str) -> ScriptedModel:
    def script(messages: Any) -> str:
        CALLED.append(name)
        return f"{name} of ({messages[-1].content})"

    return ScriptedModel(script=script)


def said(name: str, text: str) -> str:
    return str(model(name).invoke([SystemMessage("Be brief."), HumanMessage(text)]).content)


@tool
def search(query: str) -> str:
    """Search."""
    CALLED.append(f"search {query}")
    return f"found {query}"


class Notes(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        CALLED.append(f"notes {query}")
        return [Document(page_content=f"note on {query}")]


class State(TypedDict, total=False):
    topic: str
    left: str
    right: str
    parts: Annotated[list[str], operator.add]
    report: str


def plan(state: State) -> State:
    return {"topic": said("plan", state["topic"])}


def left(state: State) -> State:
    return {"left": said("left", state["topic"])}


def right(state: State) -> State:
    return {"right": said("right", search.invoke({"query": "trams"}))}


def shout(state: State) -> State:
    return {"left": state["left"].upper()}  # calls nothing: what follows depends on the change all the same


def report(state: State) -> State:
    return {"report": said("report", state["left"] + " | " + state["right"])}


def diamond() -> Any:
    graph = StateGraph(State)
    for node in (plan, left, right, shout, report):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "left")
    graph.add_edge("plan", "right")
    graph.add_edge("left", "shout")
    graph.add_edge(["shout", "right"], "report")
    graph.add_edge("report", END)
    return graph.compile(name="diamond")


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    CALLED.clear()
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path))
    yield path
    otel_mas.shutdown()


def recorded(app: Any, given: Any, config: Any = None) -> Any:
    result = app.invoke(given, config)
    otel_mas.flush()
    CALLED.clear()
    return result


def replayed(app: Any, store: Path, target: str, *, topic: str = "trams", live: Any = (), **change: Any) -> Any:
    """The result of a replay with one change."""
    with otel_mas.replay("latest", source=store, live=live) as session:
        session.change(target, **change)
        return app.invoke({"topic": topic})


def test_descendants_of_a_changed_answer_run_again_and_nothing_else(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change("left#1/model#1", output="changed")
        result = app.invoke({"topic": "trams"})

    assert CALLED == ["report"]
    assert result["report"].startswith("report of (CHANGED | right of (found trams)")
    assert (session.changed, session.answered, session.live, session.missed) == (1, 3, 1, 0)


def test_without_a_stub_the_first_dependent_call_stops_and_says_what_it_would_cost(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with pytest.raises(ReplayStopped, match=r"report#1.*left#1/model#1") as stopped:
        replayed(app, store, "left#1/model#1", output="changed")

    assert CALLED == []
    assert stopped.value.calls == ("report#1/model#1",)
    assert stopped.value.tokens > 0


def test_a_stop_that_the_app_catches_is_raised_at_the_end(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    def run() -> None:
        with otel_mas.replay("latest", source=store) as session:
            session.change("left#1/model#1", output="changed")
            with suppress(ReplayStopped):
                app.invoke({"topic": "trams"})

    with pytest.raises(ReplayStopped):
        run()


def test_plan_lists_dependent_calls_before_anything_runs(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store) as session:
        session.change("plan#1/model#1", output="boats")
        everything = session.plan()
        session.change("plan#1/model#1", output="ships")
        again = session.plan()
        app_was_not_run = CALLED == []
        session.counterfactual.changes.all.clear()

    assert app_was_not_run
    assert [call.label for call in everything.calls] == [call.label for call in again.calls]
    assert {call.label for call in everything.calls} == {
        "left#1/model#1",
        "right#1/tool:search#1",
        "right#1/model#1",
        "report#1/model#1",
    }
    assert everything.tokens == sum(call.tokens or 0 for call in everything.calls) > 0
    assert everything.recorded == 5


def test_a_dependent_call_that_asks_the_same_is_answered_from_the_recording(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change("plan#1/model#1", output="boats")
        result = app.invoke({"topic": "trams"})

    assert sorted(CALLED) == ["left", "report"]  # the search of `right`, and what it made of it, are as they were
    assert "left of (boats)".upper() in result["report"]
    assert "right of (found trams)" in result["report"]


def test_a_different_request_elsewhere_is_a_miss(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with pytest.raises(ReplayMiss, match="no recorded answer for model"):
        replayed(app, store, "left#1/model#1", topic="boats", live="descendants", output="changed")
    assert CALLED == []


def test_a_stub_function_answers_dependent_calls(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})
    asked: list[Any] = []

    def stub(call: Any) -> Any:
        asked.append(call)
        return AIMessage("stubbed") if call.kind == "model" else NotImplemented

    with otel_mas.replay("latest", source=store, stub=stub) as session:
        session.change("left#1/model#1", output="changed")
        result = app.invoke({"topic": "trams"})

    assert CALLED == []
    assert result["report"] == "stubbed"
    assert [call.name for call in asked] == ["scripted-small"]
    assert asked[0].asked[-1].content.startswith("CHANGED")
    assert asked[0].recorded.label == "report#1/model#1"
    assert session.stubbed == 1


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
def test_a_chat_model_as_stub_answers_in_each_way_of_calling(way: str, store: Path) -> None:
    def node(state: State) -> State:
        first = said("first", "a")
        asked = [HumanMessage(first)]
        if way == "invoke":
            return {"report": str(model("second").invoke(asked).content)}
        if way == "stream":
            return {"report": "".join(str(one.content) for one in model("second").stream(asked))}

        async def call() -> str:
            if way == "ainvoke":
                return str((await model("second").ainvoke(asked)).content)
            return "".join([str(one.content) async for one in model("second").astream(asked)])

        return {"report": asyncio.run(call())}

    graph = StateGraph(State)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    app = graph.compile()
    recorded(app, {"topic": "x"})

    with otel_mas.replay("latest", source=store, stub=model("stub")) as session:
        session.change("node#1/model#1", output="changed")
        result = app.invoke({"topic": "x"})

    assert result["report"] == "stub of (changed)"
    assert CALLED == ["stub"]


def test_a_stub_may_call_models_itself(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store, stub=lambda call: model("other").invoke(call.asked)) as session:
        session.change("left#1/model#1", output="changed")
        result = app.invoke({"topic": "trams"})

    assert CALLED == ["other"]
    assert result["report"].startswith("other of (CHANGED")


def test_results_of_tools_and_documents_are_changed(store: Path) -> None:
    def node(state: State) -> State:
        found = search.invoke({"query": "trams"})
        notes = Notes().invoke("trams")
        return {"report": f"{found} / {notes[0].page_content}"}

    graph = StateGraph(State)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    app = graph.compile()
    recorded(app, {"topic": "x"})

    with otel_mas.replay("latest", source=store) as session:
        session.change("node#1/tool:search#1", output=lambda found: found.upper())
        session.change("node#1/retriever:Notes#1", output=["mine"])
        result = app.invoke({"topic": "x"})

    assert result["report"] == "FOUND TRAMS / mine"
    assert CALLED == []


def test_a_call_can_be_changed_to_fail(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with pytest.raises(TimeoutError, match="too late"):
        replayed(app, store, "right#1/tool:search#1", output=TimeoutError("too late"))


def test_output_of_a_task_is_changed_and_its_code_does_not_run(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change("shout#1", output={"left": "quiet"})
        result = app.invoke({"topic": "trams"})

    assert result["report"].startswith("report of (quiet | ")
    assert CALLED == ["report"]


def test_message_that_a_task_reads_is_changed_for_it_alone(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change("left#1", input={"topic": "boats"})
        result = app.invoke({"topic": "trams"})

    assert CALLED == ["left", "report"]
    assert "LEFT OF (BOATS)" in result["report"]
    assert result["topic"] == "plan of (trams)"


def test_prompt_and_model_of_a_task_are_changed(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})
    seen: list[Any] = []

    def script(messages: Any) -> str:
        seen.append([str(one.content) for one in messages])
        return "from another model"

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change("report#1/model#1", prompt="Be long.")
        app.invoke({"topic": "trams"})
    assert CALLED == ["report"]

    with otel_mas.replay("latest", source=store) as session:
        session.change("report#1", model=ScriptedModel(script=script))
        assert [call.label for call in session.plan().calls] == ["report#1/model#1"]
        with pytest.raises(ReplayStopped):
            app.invoke({"topic": "trams"})
        session.stopped.clear()
        session.counterfactual.live = True
        assert app.invoke({"topic": "trams"})["report"] == "from another model"
    assert seen[-1][0] == "Be brief."


def test_route_is_changed(store: Path) -> None:
    graph = StateGraph(State)
    graph.add_node("plan", plan)
    graph.add_node("left", left)
    graph.add_node("other", lambda state: {"left": said("other", state["topic"])})
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", lambda state: "left", ["left", "other"])
    app = graph.compile()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change("plan#1", goto="other")
        result = app.invoke({"topic": "trams"})
    assert CALLED == ["other"]
    assert result["left"] == "other of (plan of (trams))"

    with pytest.raises(ConfigError, match="nowhere"):
        replayed(app, store, "plan#1", goto="nowhere")


def test_answer_of_a_person_is_changed(store: Path) -> None:
    def approve(state: State) -> State:
        return {"left": interrupt("publish?")}

    graph = StateGraph(State)
    graph.add_node("approve", approve)
    graph.add_node("finish", lambda state: {"report": said("finish", state["left"])})
    graph.add_edge(START, "approve")
    graph.add_edge("approve", "finish")

    def run() -> Any:
        app = graph.compile(checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "t"}}
        app.invoke({"topic": "x"}, config)
        return app.invoke(Command(resume="yes"), config)

    run()
    otel_mas.flush()
    CALLED.clear()
    with otel_mas.open(store) as source:
        conversation = source.conversation("t")
        with otel_mas.replay(conversation, live="descendants") as session:
            session.change("approve#1", answer="no")
            result = run()

    assert result["report"] == "finish of (no)"
    assert CALLED == ["finish"]


def test_branches_of_a_fan_out_that_ask_the_same_are_told_apart(store: Path) -> None:
    def work(state: State) -> State:
        return {"parts": [said(f"work {state['topic']}", "the same") + said("again", f"more of {state['topic']}")]}

    graph = StateGraph(State)
    graph.add_node("work", work)
    graph.add_node("report", lambda state: {"report": said("report", str(sorted(state["parts"])))})
    graph.add_conditional_edges(START, lambda _: [Send("work", {"topic": str(n)}) for n in range(5)], ["work"])
    graph.add_edge("work", "report")
    app = graph.compile()
    recorded(app, {"topic": "trams"})

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change("work#3/model#1", output="changed ")
        result = app.invoke({"topic": "trams"})

    assert CALLED == ["report"]
    assert "changed again of (more of 2)" in result["report"]
    assert result["report"].count("changed") == 1
    assert session.answered == 9


def test_tasks_of_the_functional_api(store: Path) -> None:
    @task
    def one(text: str) -> str:
        return said("one", text)

    @task
    def louder(text: str) -> str:
        return text.upper()

    @task
    def two(text: str) -> str:
        return said("two", text)

    @entrypoint()
    def flow(text: str) -> str:
        beside = two("beside")
        first = louder(one(text).result()).result()
        return two(first).result() + beside.result()

    recorded(flow, "trams")

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        label = next(call.label for call in session.recording.calls if "one#1" in call.label)
        session.change(label, output="changed")
        result = flow.invoke("trams")

    assert CALLED == ["two"]
    assert result.startswith("two of (CHANGED)two of (beside)")


def test_calls_outside_of_graphs(store: Path) -> None:
    def run() -> str:
        with otel_mas.agent("writer"):
            return said("second", said("first", "a"))

    run()
    otel_mas.flush()
    CALLED.clear()

    with otel_mas.replay("latest", source=store, live="descendants") as session:
        session.change(session.recording.calls[0].label, output="changed")
        assert run() == "second of (changed)"
    assert CALLED == ["second"]


def test_a_change_that_is_not_reached_is_an_error(store: Path) -> None:
    app = diamond()
    recorded(app, {"topic": "trams"})

    engine = otel_mas.TraceReplayEngine("latest", source=store)
    engine.session.change("left#1/model#1", output="changed")
    with pytest.raises(ReplayMiss, match=r"left#1/model#1 was not reached"):
        engine.run(app.get_graph)


@pytest.mark.parametrize(
    ("target", "change", "error"),
    [
        ("left#2/model#1", {"output": "x"}, r"has no left#2/model#1; there is left#1/model#1"),
        ("nobody#1", {"output": {}}, "has no nobody#1"),
        ("left#1/model#1", {"goto": "right"}, "is a call of a model, whose goto cannot be changed"),
        ("left#1/model#1", {}, "must be one of output"),
        ("left#1/model#1", {"output": "a", "prompt": "b"}, "2 were given"),
        ("left#1/model#1", {"colour": "red"}, "no change of 'colour'"),
        ("", {"output": "x"}, "must be a label"),
    ],
)
def test_changes_that_mean_nothing(target: str, change: dict[str, Any], error: str, store: Path) -> None:
    recorded(diamond(), {"topic": "trams"})
    engine = otel_mas.TraceReplayEngine("latest", source=store)
    with pytest.raises(ConfigError, match=error):
        engine.session.change(target, **change)


def test_a_stub_that_is_none(store: Path) -> None:
    recorded(diamond(), {"topic": "trams"})
    with pytest.raises(ConfigError, match="stub is 3"):
        otel_mas.replay("latest", source=store, stub=3)

    async def answer(call: object) -> str:
        return "never awaited"

    with pytest.raises(ConfigError, match="must not be a coroutine function"):
        otel_mas.replay("latest", source=store, stub=answer)
