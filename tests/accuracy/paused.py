"""Apps that pause, for one process to start and others to resume: `python paused.py DB '[["APP", "ANSWER"], ...]'`.

One after the other, each on a thread of its name; without an answer an app begins. Instead of an answer: `--go-on` with
what stands there; `--write NODE`, `update_state` as that node; `--replay NODE`, from the first checkpoint at which it
comes next. Each app is small enough for its true edges to be read off it; they stand in `test_two_processes.py`.
"""

from __future__ import annotations

import json
import operator
import sys
import time
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


def node(name: str) -> Any:
    return lambda state: {"log": [name]}


def ask(name: str) -> Any:
    return lambda state: {"log": [name + interrupt(f"{name}?")]}


def half_a_join() -> StateGraph[Any]:
    """`quick` is done before the pause, `slow` after it; `join` waits for both."""
    graph = StateGraph(State)
    for name in ("plan", "quick", "slow", "join"):
        graph.add_node(name, node(name))
    graph.add_node("review", ask("review"))
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "quick")
    graph.add_edge("plan", "review")
    graph.add_edge("review", "slow")
    graph.add_edge(["quick", "slow"], "join")
    return graph


def sibling_done() -> StateGraph[Any]:
    """`write` is done in the step that pauses: its writes are restored, and it does not run again."""
    graph = StateGraph(State)
    for name in ("plan", "write", "publish"):
        graph.add_node(name, node(name))
    graph.add_node("review", ask("review"))
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "write")
    graph.add_edge("plan", "review")
    graph.add_edge(["write", "review"], "publish")
    return graph


def sent() -> StateGraph[Any]:
    """Tasks made by `Send` pause; each is resumed by its own answer in turn."""
    graph = StateGraph(State)
    graph.add_node("plan", node("plan"))
    graph.add_node("worker", ask("worker"))
    graph.add_node("reduce", node("reduce"))
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", lambda s: [Send("worker", {}), Send("worker", {})], ["worker"])
    graph.add_edge("worker", "reduce")
    return graph


def inside() -> StateGraph[Any]:
    """The pause lies in a subgraph, two steps in; then in the same process another one follows outside."""
    inner = StateGraph(State)
    inner.add_node("draft", node("draft"))
    inner.add_node("check", ask("check"))
    inner.add_edge(START, "draft")
    inner.add_edge("draft", "check")
    graph = StateGraph(State)
    graph.add_node("plan", node("plan"))
    graph.add_node("writer", inner.compile(name="writer"))
    graph.add_node("publish", node("publish"))
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "writer")
    graph.add_edge("writer", "publish")
    return graph


def handed_over() -> StateGraph[Any]:
    """`alice` hands over to `bob`, who asks before he works."""

    def leave(state: State) -> Command[Any]:
        return Command(goto="bob", graph=Command.PARENT)

    alice, bob = StateGraph(State), StateGraph(State)
    alice.add_node("leave", leave)
    alice.add_edge(START, "leave")
    bob.add_node("greet", ask("greet"))
    bob.add_edge(START, "greet")
    graph = StateGraph(State)
    graph.add_node("alice", alice.compile(name="alice"), destinations=("bob",))
    graph.add_node("bob", bob.compile(name="bob"))
    graph.add_edge(START, "alice")
    graph.add_edge("bob", END)
    return graph


def twice() -> StateGraph[Any]:
    """Two pauses, so three processes; the join waits for a task of the first one all the while."""
    graph = StateGraph(State)
    for name in ("plan", "quick", "join"):
        graph.add_node(name, node(name))
    graph.add_node("first", ask("first"))
    graph.add_node("second", ask("second"))
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "quick")
    graph.add_edge("plan", "first")
    graph.add_edge("first", "second")
    graph.add_edge(["quick", "second"], "join")
    return graph


def handled() -> StateGraph[Any]:
    """The handler of a failure asks, so that it runs in another process than what it handles."""

    def bad(state: State) -> State:
        raise ValueError("boom")

    graph = StateGraph(State)
    graph.add_node("bad", bad, error_handler=ask("rescue"))
    graph.add_edge(START, "bad")
    return graph


def deep() -> StateGraph[Any]:
    """The pause lies in a subgraph of a subgraph."""
    inner, middle, graph = StateGraph(State), StateGraph(State), StateGraph(State)
    inner.add_node("check", ask("check"))
    inner.add_edge(START, "check")
    middle.add_node("inner", inner.compile())
    middle.add_edge(START, "inner")
    graph.add_node("outer", middle.compile())
    graph.add_node("publish", node("publish"))
    graph.add_edge(START, "outer")
    graph.add_edge("outer", "publish")
    return graph


def fails_at_first() -> StateGraph[Any]:
    """`flaky` fails in the first process, when `quick` is done; `join` waits for both."""

    def flaky(state: State) -> State:
        if not GOING_ON:
            time.sleep(0.3)
            raise RuntimeError("not yet")
        return {"log": ["flaky"]}

    graph = StateGraph(State)
    for name in ("plan", "quick", "join"):
        graph.add_node(name, node(name))
    graph.add_node("flaky", flaky)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "quick")
    graph.add_edge("plan", "flaky")
    graph.add_edge(["quick", "flaky"], "join")
    return graph


def reviewed() -> StateGraph[Any]:
    """One after another, the second one asks."""
    graph = StateGraph(State)
    graph.add_node("plan", node("plan"))
    graph.add_node("review", ask("review"))
    graph.add_node("publish", node("publish"))
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "review")
    graph.add_edge("review", "publish")
    return graph


def chain() -> StateGraph[Any]:
    """Nobody is asked."""
    graph = StateGraph(State)
    for name in ("plan", "write", "publish"):
        graph.add_node(name, node(name))
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "write")
    graph.add_edge("write", "publish")
    return graph


def scattered() -> StateGraph[Any]:
    """Two tasks made by `Send`, and a gathering one."""
    graph = StateGraph(State)
    for name in ("plan", "worker", "reduce"):
        graph.add_node(name, node(name))
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", lambda s: [Send("worker", {}), Send("worker", {})], ["worker"])
    graph.add_edge("worker", "reduce")
    return graph


GOING_ON: list[str] = []  # threads of this process
APPS = {
    app.__name__: app
    for app in (
        half_a_join,
        sibling_done,
        sent,
        inside,
        handed_over,
        twice,
        handled,
        deep,
        fails_at_first,
        reviewed,
        chain,
        scattered,
    )
}


def run(database: str, app: str, *what: str) -> None:
    with SqliteSaver.from_conn_string(database) as saver:
        graph = APPS[app]().compile(checkpointer=saver, name=app)
        config: Any = {"configurable": {"thread_id": app}}
        if not what:
            graph.invoke({"log": []}, config)
        elif what[0] == "--go-on":
            GOING_ON.append(app)
            graph.invoke(None, config)
        elif what[0] == "--write":
            graph.update_state(config, {"log": ["by hand"]}, as_node=what[1])
        elif what[0] == "--replay":
            history = reversed(list(graph.get_state_history(config)))
            graph.invoke(None, next(state.config for state in history if what[1] in state.next))
        else:
            # Before 1.0 a state's own list has those that are answered as well.
            waiting = [one for task in graph.get_state(config).tasks if task.result is None for one in task.interrupts]
            # The interrupt of an error handler is not among those that LangGraph lists.
            graph.invoke(Command(resume={waiting[0].id: what[0]} if waiting else what[0]), config)


if __name__ == "__main__":
    for job in json.loads(sys.argv[2]):
        run(sys.argv[1], *job)
