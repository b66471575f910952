"""Graphs by a seed, whose nodes lead on in every way, to measure rules for causes on that were chosen on other apps."""

from __future__ import annotations

import operator
from collections.abc import Callable
from random import Random
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send

SEEDS = range(60)
_WAYS = ("edge", "edge", "edges", "route", "labels", "command", "sends", "command with sends", "end")
_MOST_TURNS = 2


class State(TypedDict, total=False):
    """What the nodes write."""

    log: Annotated[list[str], operator.add]


def run(seed: int) -> None:
    """Run the graph of a seed."""
    build(seed).invoke({"log": []}, {"recursion_limit": 60})


def build(seed: int) -> Any:
    """Layers of one to four nodes; each leads to some of the next layer, some to a join, and the last may go back."""
    random = Random(seed)
    layers = [
        [f"n{depth}{letter}" for letter in "abcd"[: random.randint(1, 4)]] for depth in range(random.randint(3, 6))
    ]
    graph: Any = StateGraph(State)
    for depth, layer in enumerate(layers):
        following = layers[depth + 1] if depth + 1 < len(layers) else []
        for name in layer:
            _add(graph, random, name, following)
    for name in layers[0][: random.randint(1, len(layers[0]))]:
        graph.add_edge(START, name)
    everything = [name for layer in layers for name in layer]
    for number in range(random.randint(0, 2)):
        sources = random.sample(everything, min(len(everything), random.randint(2, 3)))
        graph.add_node(f"join{number}", _node(f"join{number}"))
        graph.add_edge(sources, f"join{number}")
    if random.random() < 0.3:
        _add_loop(graph, layers[-1][0], layers[0][0])
    return graph.compile()


def _node(name: str) -> Callable[[State], State]:
    return lambda state: {"log": [name]}


def _add(graph: Any, random: Random, name: str, following: list[str]) -> None:
    """Add a node, and how it leads on."""
    way = random.choice(_WAYS) if following else "end"
    some = random.sample(following, random.randint(1, len(following))) if following else []
    node: Any = _node(name)
    if way == "command":
        node = _commanding(name, some)
    elif way == "command with sends":
        node = _commanding(name, [Send(one, {"log": []}) for one in some for _ in range(random.randint(1, 2))])
    graph.add_node(name, node)
    if way == "edge":
        graph.add_edge(name, some[0])
    elif way == "edges":
        for one in some:
            graph.add_edge(name, one)
    elif way == "route":
        graph.add_conditional_edges(name, _returning(some if len(some) > 1 else some[0]), [*following, END])
    elif way == "labels":
        labels = {f"to {one}": one for one in following}
        graph.add_conditional_edges(name, _returning(f"to {some[0]}"), labels)
    elif way == "sends":
        packets = [Send(one, {"log": []}) for one in some for _ in range(random.randint(1, 2))]
        graph.add_conditional_edges(name, _returning(packets), following)


def _returning(value: Any) -> Callable[[State], Any]:
    def route(state: State) -> Any:
        return value

    return route


def _commanding(name: str, goto: list[Any]) -> Callable[[State], Command[Any]]:
    return lambda state: Command(update={"log": [name]}, goto=goto)


def _add_loop(graph: Any, last: str, first: str) -> None:
    def again(state: State) -> str:
        return first if state["log"].count(last) <= _MOST_TURNS else END

    graph.add_conditional_edges(last, again, [first, END])
