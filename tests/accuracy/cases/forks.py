"""Time travel: a thread goes on from one of its older checkpoints, beside what came of it the first time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START
from langgraph.types import Command, Send, interrupt

from tests.accuracy.cases.building import Durable, State, graph_of
from tests.accuracy.cases.case import LANGGRAPH, Config, Run, case

CHAIN = [(START, "plan"), ("plan", "write"), ("write", "publish")]


def first_before(*nodes: str) -> Callable[[Any, Config], Config]:
    """The config of the thread's first checkpoint at which these nodes come next."""

    def find(graph: Any, config: Config) -> Config:
        history = list(graph.get_state_history(config))
        return next(dict(state.config) for state in reversed(history) if sorted(state.next) == sorted(nodes))

    return find


def written(node: str, before: Callable[[Any, Config], Config]) -> Callable[[Any, Config], Config]:
    """The config after `update_state` on an older checkpoint."""
    return lambda graph, config: graph.update_state(before(graph, config), {"log": ["by hand"]}, as_node=node)


# Before 1.1 LangGraph gives the first tasks of a replay the ids of the original ones: the same tasks, run once more.
AGAIN = "write#2" if LANGGRAPH >= (1, 1) else "write@2"


@case(
    f"""
    START --trigger--> plan
    plan --trigger--> write, {AGAIN}
    write --trigger--> publish
    {AGAIN} --trigger--> publish#2
    START@2 forks from START
    START: ok, ok
    """,
    Run({}),
    Run(None, before=first_before("write")),
)
def replay() -> Any:
    """`invoke(None, old_config)`: what came before the checkpoint causes both branches, and is not run again."""
    return graph_of("plan write publish", CHAIN).compile(InMemorySaver())


@case(
    """
    START --trigger--> plan
    plan --trigger--> write
    write --trigger--> publish
    plan#2 forks from START
    plan#2 --trigger--> write#2
    write#2 --trigger--> publish#2
    START: ok, ok
    """,
    Run({}),
    Run(None, before=written("plan", first_before("write"))),
)
def older_state_written() -> Any:
    """The update is the fork, and the cause of the new branch; the run that follows goes on from it."""
    return graph_of("plan write publish", CHAIN).compile(InMemorySaver())


@case(
    """
    START --trigger--> plan
    plan --trigger--> write, write#2..3
    write --trigger--> publish
    write#2 --trigger--> publish#2
    write#3 --trigger--> publish#3
    START@2 forks from START
    START@3 forks from START
    START: ok, ok, ok
    """,
    Run({}),
    Run(None, before=first_before("write")),
    Run(None, before=first_before("write")),
    since=(1, 1),
)
def replayed_twice() -> Any:
    """Two branches beside the original, each with its own tasks."""
    return graph_of("plan write publish", CHAIN).compile(InMemorySaver())


@case(
    """
    START --trigger--> left, right
    left --trigger--> longer, longer#2
    longer, right --trigger--> join
    longer#2, right --trigger--> join#2
    START@2 forks from START
    START: ok, ok
    """,
    Run({}),
    Run(None, before=first_before("longer")),
    since=(1, 1),
)
def replay_with_a_half_filled_join() -> Any:
    """`right` had arrived at the join before the checkpoint: it is waited for in both branches.

    With the default durability LangGraph may save what the join holds only after the next step has changed it.
    """
    edges = [(START, "left"), (START, "right"), ("left", "longer"), (["longer", "right"], "join")]
    return Durable(graph_of("left right longer join", edges).compile(InMemorySaver()), "sync")


@case(
    """
    START --trigger--> plan
    plan --send--> worker#1..4
    plan decides by scatter: worker from worker
    worker#1..2 --trigger--> reduce
    worker#3..4 --trigger--> reduce#2
    START@2 forks from START
    START: ok, ok
    """,
    Run({}),
    Run(None, before=first_before("worker", "worker")),
    since=(1, 1),
)
def replay_of_sends() -> Any:
    """The packets that waited in the checkpoint are sent by `plan` in both branches."""

    def scatter(state: State) -> Any:
        return [Send("worker", {}), Send("worker", {})]

    graph = graph_of("plan worker reduce", [(START, "plan"), ("worker", "reduce")])
    graph.add_conditional_edges("plan", scatter, ["worker"])
    return graph.compile(InMemorySaver())


@case(
    """
    START --trigger--> plan
    plan --trigger--> review, review@2, review#2, review#2@2
    review --resume--> review@2
    review#2 --resume--> review#2@2
    review@2 is answered
    review#2@2 is answered
    review@2 --trigger--> publish
    review#2@2 --trigger--> publish#2
    START@3 forks from START
    review, review#2: interrupted, ok
    START: interrupted, ok, interrupted, ok
    """,
    Run({}),
    Run(Command(resume="yes")),
    Run(None, before=first_before("review")),
    Run(Command(resume="no")),
    since=(1, 1),
)
def question_asked_again() -> Any:
    """Replayed from before the question, it is asked anew: the old answer belongs to the old branch."""
    graph = graph_of(
        "plan publish",
        [(START, "plan"), ("plan", "review"), ("review", "publish")],
        review=lambda state: {"log": [interrupt("Go on?")]},
    )
    return graph.compile(InMemorySaver())
