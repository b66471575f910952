"""Parts of apps: names, sentences, graphs of nodes in a row, models that say what they are told."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from random import Random
from typing import Annotated, Any, TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langgraph.graph import END, START, StateGraph

from tests.accuracy.topologies.model import ScriptedModel

_ROLES = ("planner", "researcher", "surveyor", "editor", "critic", "booker", "clerk", "auditor", "analyst", "archivist")
_PLACES = ("Elmstead", "Harrow Vale", "Kingsmere", "Aldbrook", "Thornby", "Millport", "Westerleigh", "Oakford")
_THINGS = ("bridge", "depot", "station", "library", "harbour", "tunnel", "market", "museum", "bakery", "theatre")
_DOES = ("opens", "closes", "moves", "grows", "waits", "changes", "improves", "fails", "returns", "remains")
_HOW = ("slowly", "early", "twice", "in spring", "by night", "on Mondays", "after dinner", "before winter", "quietly")


class State(TypedDict, total=False):
    """A state with fields for whatever agents hand on."""

    done: Annotated[list[str], operator.add]
    first: str
    second: str
    third: str
    answer: str
    rounds: int


Node = Callable[[State], State]


def roles(random: Random, number: int) -> list[str]:
    """Names of agents."""
    return random.sample(_ROLES, number)


def place(random: Random) -> str:
    """The name of a town."""
    return random.choice(_PLACES)


def thing(random: Random) -> str:
    """Something that towns have."""
    return random.choice(_THINGS)


def sentences(random: Random, number: int = 1) -> str:
    """Sentences, hardly ever the same twice."""
    return " ".join(
        f"The {random.choice(_THINGS)} of {random.choice(_PLACES)} {random.choice(_DOES)} {random.choice(_HOW)}, "
        f"as line {random.randrange(1000, 9999)} of the {random.choice(_ROLES)}'s notes says."
        for _ in range(number)
    )


def says(*texts: str) -> ScriptedModel:
    """A model that says these texts one after the other, and the last one for ever, whatever it reads."""
    left = list(texts)
    return ScriptedModel(script=lambda messages: left.pop(0) if len(left) > 1 else left[0])


ECHO = ScriptedModel(script=lambda messages: str(messages[-1].content))
"""A model that says what it was asked last."""


def say(model: ScriptedModel, prompt: str, role: str = "You work in an office.") -> str:
    """A model's answer to a prompt."""
    return str(model.invoke([SystemMessage(role), HumanMessage(prompt)]).content)


def in_a_row(name: str, nodes: Sequence[tuple[str, Any]], state: Any = State, **options: Any) -> Any:
    """A graph of nodes, one after the other."""
    graph = StateGraph(state)
    before = START
    for node, function in nodes:
        graph.add_node(node, function)
        graph.add_edge(before, node)
        before = node
    graph.add_edge(before, END)
    return graph.compile(name=name, **options)


def nothing(state: State) -> State:
    """A node that only says that it was there."""
    return {"done": ["x"]}


__all__ = ["ECHO", "Node", "State", "in_a_row", "nothing", "place", "roles", "say", "says", "sentences", "thing"]
