"""Destinations that a node chooses itself, with `Command`: in its graph, to the parent's, with `Send`s, and mixed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from langgraph.graph import END, START
from langgraph.types import Command, Send

from tests.accuracy.cases.building import State, graph_of
from tests.accuracy.cases.case import case


def going(to: Any, graph: str | None = None) -> Callable[[State], Command[Any]]:
    """A node that goes somewhere, without saying beforehand where it may go."""
    return lambda state: Command(goto=to, update={"count": 1}, graph=graph)


@case(
    """
    START --trigger--> plan
    plan decides by Command: write from __end__, write
    plan --trigger--> write
    write --trigger--> publish
    """
)
def command_with_annotation() -> Any:
    def plan(state: State) -> Command[Literal["write", "__end__"]]:
        return Command(goto="write")

    return graph_of("write publish", [(START, "plan"), ("write", "publish")], plan=plan).compile()


@case(
    """
    START --trigger--> plan
    plan decides by Command: write
    plan --trigger--> write
    """
)
def command_without_annotation() -> Any:
    return graph_of("write", [(START, "plan")], plan=going("write")).compile()


@case(
    """
    START --trigger--> plan
    plan decides by Command: left, right
    plan --trigger--> left, right, always
    """
)
def command_to_several_and_a_plain_edge() -> Any:
    """The target of the plain edge is no choice."""
    edges = [(START, "plan"), ("plan", "always")]
    return graph_of("left right always", edges, plan=going(["left", "right"])).compile()


@case(
    """
    START --trigger--> plan
    plan decides by Command: worker
    plan --send--> worker#1..3
    worker#1..3 --trigger--> gather
    """
)
def command_with_sends() -> Any:
    """Several packets to one node are one destination."""
    packets = [Send("worker", {}) for _ in range(3)]
    return graph_of("worker gather", [(START, "plan"), ("worker", "gather")], plan=going(packets)).compile()


@case(
    """
    START --trigger--> plan
    plan decides by Command: check, worker
    plan --send--> worker#1..2
    plan --trigger--> check
    worker#1..2, check --trigger--> gather
    """
)
def command_with_sends_and_a_name() -> Any:
    edges = [(START, "plan"), ("worker", "gather"), ("check", "gather")]
    to = ["check", Send("worker", {}), Send("worker", {})]
    return graph_of("worker check gather", edges, plan=going(to)).compile()


@case(
    """
    START --trigger--> plan
    plan decides by route: write from skip, write
    plan decides by Command: check
    plan --trigger--> check, write
    """
)
def command_and_a_conditional_edge() -> Any:
    """Each destination is put down to what chose it."""

    def route(state: State) -> str:
        return "write"

    graph = graph_of("write skip check", [(START, "plan")], plan=going("check"))
    graph.add_conditional_edges("plan", route, ["skip", "write"])
    return graph.compile()


@case(
    """
    START --trigger--> plan
    plan decides by Command: __end__
    """
)
def command_to_the_end() -> Any:
    """END is no node: nothing is written for it, but to end is a decision, as it is of a conditional edge."""
    return graph_of("never", [(START, "plan")], plan=going(END)).compile()


@case(
    """
    START --trigger--> plan
    plan decides by Command: __end__, write
    plan --trigger--> write
    """
)
def commands_of_which_one_ends() -> Any:
    both = [Command(goto="write"), Command(goto=END)]
    return graph_of("write", [(START, "plan")], plan=lambda state: both).compile()


@case(
    """
    START --trigger--> plan
    """
)
def command_to_the_end_where_an_edge_leads() -> Any:
    return graph_of("", [(START, "plan"), ("plan", END)], plan=going(END)).compile()


@case(
    """
    START --trigger--> plan
    plan --trigger--> write
    """
)
def command_that_only_updates() -> Any:
    return graph_of("write", [(START, "plan"), ("plan", "write")], plan=going(())).compile()


@case(
    """
    START --trigger--> alice
    alice --trigger--> alice/think
    alice/think --trigger--> alice/leave
    alice/leave: handoff
    alice: handoff
    alice decides by Command: bob from bob
    alice --handoff--> bob
    bob --trigger--> bob/think
    """
)
def handoff_between_subgraphs() -> Any:
    alice = graph_of("think", [(START, "think"), ("think", "leave")], leave=going("bob", Command.PARENT))
    bob = graph_of("think", [(START, "think")])
    graph = graph_of("")
    graph.add_node("alice", alice.compile(name="alice"), destinations=("bob",))
    graph.add_node("bob", bob.compile(name="bob"))
    graph.add_edge(START, "alice")
    return graph.compile()


@case(
    """
    START --trigger--> alice
    alice --trigger--> alice/leave
    alice/leave: handoff
    alice: handoff
    alice decides by Command: bob
    alice --send--> bob#1..2
    bob#1..2 --trigger--> done
    """
)
def handoff_by_sends() -> Any:
    """A `Send` is a send, also where it goes to the parent; the task is left by a handoff all the same."""
    packets = [Send("bob", {}), Send("bob", {})]
    alice = graph_of("", [(START, "leave")], leave=going(packets, Command.PARENT)).compile(name="alice")
    return graph_of("bob done", [(START, "alice"), ("bob", "done")], alice=alice).compile()


@case(
    """
    START --trigger--> alice
    alice --trigger--> alice/leave
    alice/leave: handoff
    alice: handoff
    alice decides by Command: bob, carol
    alice --send--> bob
    alice --handoff--> carol
    """
)
def handoff_by_a_send_and_a_name() -> Any:
    to = [Send("bob", {}), "carol"]
    alice = graph_of("", [(START, "leave")], leave=going(to, Command.PARENT)).compile(name="alice")
    return graph_of("bob carol", [(START, "alice")], alice=alice).compile()


@case(
    """
    START --trigger--> outer
    outer --trigger--> outer/inner
    outer/inner --trigger--> outer/inner/leave
    outer/inner/leave: handoff
    outer/inner: handoff
    outer/inner decides by Command: next
    outer/inner --handoff--> outer/next
    outer --trigger--> after
    """
)
def handoff_two_levels_down() -> Any:
    """The parent of the innermost graph is the one around it: from there on all goes on as ever."""
    inner = graph_of("", [(START, "leave")], leave=going("next", Command.PARENT)).compile(name="inner")
    outer = graph_of("next", [(START, "inner")], inner=inner).compile(name="outer")
    return graph_of("after", [(START, "outer"), ("outer", "after")], outer=outer).compile()


@case(
    """
    START --trigger--> alice
    alice/START --trigger--> alice/leave
    alice/leave: handoff
    alice: handoff
    alice decides by Command: bob
    alice --handoff--> bob
    """
)
def handoff_through_code() -> Any:
    """The subgraph is invoked by the node's own code; the command passes through it."""
    inner = graph_of("", [(START, "leave")], leave=going("bob", Command.PARENT)).compile(name="inner")

    def alice(state: State) -> Any:
        return inner.invoke(state)

    return graph_of("bob", [(START, "alice")], alice=alice).compile()


@case(
    """
    START --trigger--> alice
    alice --trigger--> alice/leave
    alice --trigger--> bob
    """
)
def update_of_the_parent() -> Any:
    """Without a destination there is nobody to hand over to."""
    alice = graph_of("never", [(START, "leave"), ("leave", "never")], leave=going((), Command.PARENT))
    return graph_of("bob", [(START, "alice"), ("alice", "bob")], alice=alice.compile(name="alice")).compile()


@case(
    """
    START --trigger--> plan
    plan decides by Command: left, right
    plan --trigger--> left, right
    """
)
def several_commands_of_one_node() -> Any:
    """Beside a plain update."""

    def plan(state: State) -> Any:
        return [Command(goto="left"), {"count": 1}, Command(goto="right", update={"count": 1})]

    return graph_of("left right", [(START, "plan")], plan=plan).compile()
