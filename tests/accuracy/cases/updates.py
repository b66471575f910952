"""`update_state`: the app writes a thread's state as though a node had run, which is a cause of what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START
from langgraph.types import Command, Send, interrupt

from tests.accuracy.cases.building import State, graph_of
from tests.accuracy.cases.case import Config, Run, case


def as_node(name: str | None, values: Any = None) -> Callable[[Any, Config], Config]:
    """`update_state` as a node; its config addresses the checkpoint that it makes."""
    return lambda graph, config: graph.update_state(config, values or {"log": ["by hand"]}, as_node=name)


def ask(state: State) -> State:
    return {"log": [interrupt("Go on?")]}


CHAIN = [(START, "plan"), ("plan", "write"), ("write", "check"), ("check", "publish")]


@case(
    """
    START --trigger--> plan
    plan --trigger--> write
    write --trigger--> check
    check --trigger--> publish
    write#2 --trigger--> check#2
    check#2 --trigger--> publish#2
    START: ok, ok
    """,
    Run({}),
    Run(None, before=as_node("write")),
)
def state_written_after_the_end() -> Any:
    """The thread has ended; written as `write`, it goes on behind that node."""
    return graph_of("plan write check publish", CHAIN).compile(InMemorySaver())


@case(
    """
    START --trigger--> plan
    plan --trigger--> write
    write --trigger--> check
    check --trigger--> publish
    write#2 --trigger--> check#2
    check#2 --trigger--> publish#2
    START: ok, ok
    """,
    Run({}),
    Run(None, before=lambda graph, config: asyncio.run(graph.aupdate_state(config, {"log": ["x"]}, as_node="write"))),
    only="async",
)
def state_written_asynchronously() -> Any:
    """`aupdate_state`."""
    return graph_of("plan write check publish", CHAIN).compile(InMemorySaver())


@case(
    """
    START --trigger--> plan
    plan --trigger--> ask
    ask --resume--> ask@2
    ask@2 --trigger--> publish
    ask: interrupted, ok
    START: interrupted, ok
    """,
    Run({}),
    Run(None, before=as_node("ask")),
)
def paused_task_written_instead_of_answered() -> Any:
    """The update takes the place of the task that waits: what follows is triggered by it, and `ask` does not run."""
    edges = [(START, "plan"), ("plan", "ask"), ("ask", "publish")]
    return graph_of("plan publish", edges, ask=ask).compile(InMemorySaver())


@case(
    """
    START --trigger--> plan
    plan --trigger--> ask
    plan#2 --trigger--> ask#2
    ask: interrupted
    ask#2: interrupted
    START: interrupted, interrupted
    """,
    Run({}),
    Run(None, before=as_node("plan")),
)
def node_before_a_paused_one_written() -> Any:
    """Written as `plan`, the thread comes to `ask` anew; the first question is dropped."""
    edges = [(START, "plan"), ("plan", "ask"), ("ask", "publish")]
    return graph_of("plan publish", edges, ask=ask).compile(InMemorySaver())


@case(
    """
    START --trigger--> plan
    plan#2 --trigger--> write
    write --trigger--> publish
    START: interrupted, ok
    """,
    Run({}),
    Run(None, before=as_node(None)),
)
def state_written_without_a_node() -> Any:
    """Without `as_node` it is the node that wrote last: `plan`, before whose successor the run stopped."""
    edges = [(START, "plan"), ("plan", "write"), ("write", "publish")]
    return graph_of("plan write publish", edges).compile(InMemorySaver(), interrupt_before=["write"])


@case(
    """
    plan: ok
    left, right --trigger--> join
    join --trigger--> publish
    """,
    Run(
        None,
        before=lambda graph, config: graph.bulk_update_state(
            config, [[({}, "plan", None)], [({}, "left", None), ({}, "right", None)]]
        ),
    ),
)
def steps_written_in_one_call() -> Any:
    """`bulk_update_state` on a new thread: `left` and `right` fill the join, nothing causes them."""
    edges = [(START, "plan"), ("plan", "left"), ("plan", "right"), (["left", "right"], "join"), ("join", "publish")]
    return graph_of("plan left right join publish", edges).compile(InMemorySaver())


@case(
    """
    START --trigger--> plan
    plan --send--> worker#1..2
    worker#1..2 --trigger--> reduce
    plan#2 decides by scatter: worker from worker
    plan#2 --send--> worker#3..4
    worker#3..4 --trigger--> reduce#2
    plan decides by scatter: worker from worker
    START: ok, ok
    """,
    Run({}),
    Run(None, before=as_node("plan")),
)
def node_that_sends_written() -> Any:
    """The conditional edge of the node that is written as decides in the update, and sends."""

    def scatter(state: State) -> Any:
        return [Send("worker", {}), Send("worker", {})]

    graph = graph_of("plan worker reduce", [(START, "plan"), ("worker", "reduce"), ("reduce", END)])
    graph.add_conditional_edges("plan", scatter, ["worker"])
    return graph.compile(InMemorySaver())


@case(
    """
    START --trigger--> plan
    plan --trigger--> ask
    START: interrupted, ok
    ask: interrupted
    """,
    Run({}),
    Run(None, before=lambda graph, config: graph.update_state(config, None, as_node=END)),
)
def thread_ended_by_hand() -> Any:
    """`as_node=END`: what waits is dropped. No node is written as, so there is no task for it, and nothing follows."""
    edges = [(START, "plan"), ("plan", "ask"), ("ask", "publish")]
    return graph_of("plan publish", edges, ask=ask).compile(InMemorySaver())


@case(
    """
    START --trigger--> plan
    plan --trigger--> write
    write --trigger--> publish
    START: interrupted, ok
    """,
    Run({}),
    Run(None, before=lambda graph, config: graph.update_state(config, None, as_node="__copy__")),
)
def state_copied() -> Any:
    """Nothing is written: what waits in the copy is caused by who had caused it. The run had stopped before `write`."""
    edges = [(START, "plan"), ("plan", "write"), ("write", "publish")]
    return graph_of("plan write publish", edges).compile(InMemorySaver(), interrupt_before=["write"])


@case(
    """
    START --trigger--> plan
    plan --trigger--> publish
    START: ok
    """,
    Run(None, before=lambda graph, config: graph.update_state(config, {"log": ["given"]}, as_node="__input__")),
)
def input_written_by_hand() -> Any:
    """`as_node="__input__"` on a new thread is as if a run had been given it: what `__start__` triggers follows."""
    return graph_of("plan publish", [(START, "plan"), ("plan", "publish")]).compile(InMemorySaver())


def written_inside(graph: Any, config: Config) -> None:
    """The state of the subgraph that is paused in `outer`."""
    (waiting,) = graph.get_state(config, subgraphs=True).tasks
    graph.update_state(waiting.state.config, {"log": ["by hand"]}, as_node="draft")


@case(
    """
    START --trigger--> outer, outer@2
    outer --resume--> outer@2
    outer --trigger--> outer/draft
    outer/draft#2 --trigger--> outer/check
    START: interrupted, ok
    outer: interrupted, ok
    """,
    Run({}),
    Run(None, before=written_inside),
)
def state_of_a_subgraph_written() -> Any:
    """The update is one of the subgraph's tasks, and what follows inside is triggered by it."""
    inner = graph_of("draft check", [(START, "draft"), ("draft", "check")]).compile(interrupt_before=["check"])
    return graph_of("", [(START, "outer")], outer=inner).compile(InMemorySaver())


def answer_the_first(graph: Any, config: Config) -> Config:
    """The config of the checkpoint at which `ask` first waited, before the thread went on without an answer."""
    history = list(graph.get_state_history(config))
    return next(dict(state.config) for state in reversed(history) if state.next == ("ask",))


@case(
    """
    START --trigger--> plan
    plan --trigger--> ask, ask@2
    plan#2 --trigger--> ask#2
    ask --resume--> ask@2
    ask@2 is answered
    ask@2 --trigger--> publish
    START@3 forks from START
    ask: interrupted, ok
    ask#2: interrupted
    START: interrupted, interrupted, ok
    """,
    Run({}),
    Run(None, before=as_node("plan")),
    Run(Command(resume="yes"), before=answer_the_first),
    since=(1, 1),
)
def superseded_question_answered() -> Any:
    """The thread had gone on to ask anew; the answer goes to the first question, from its checkpoint."""
    edges = [(START, "plan"), ("plan", "ask"), ("ask", "publish")]
    return graph_of("plan publish", edges, ask=ask).compile(InMemorySaver())
