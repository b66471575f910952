"""The place in a run that code is at: the agents and nodes around it, by names and numbers that each run repeats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_mas.record import current_actor

_PLACE_KEY: Final = otel_context.create_key("otel-mas-fault-place")


@dataclass(frozen=True, slots=True)
class Place:
    """A task of a graph, and the tasks around it. Names and numbers only: no ids, which no run repeats.

    Args:
        own: the names of the task: its node, and the agent that it is.
        names: all names around the code, outermost first, its own included.
        branch: for each task, its number among those of its node in the same step: several where `Send` makes them.
        steps: for each task, the step of its graph.
        thread: the thread of the conversation; keeps counters apart, and decides nothing.
        marked: the names of what the app marked around the code; they decide nothing either.
    """

    own: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    branch: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    thread: str = ""
    marked: tuple[str, ...] = ()

    def inside(self, graph: str | None, own: tuple[str, ...], index: int, step: int, thread: str) -> Place:
        """The place of a task of a graph that runs here."""
        around = () if graph is None or graph in self.names else (graph,)
        return Place(
            own=own,
            names=(*self.names, *around, *own),
            branch=(*self.branch, index),
            steps=(*self.steps, step),
            thread=self.thread or thread,
            marked=self.marked,
        )

    def is_in(self, agent: str) -> bool:
        """Whether it is in an agent or node of this name."""
        return agent in self.names or agent in self.marked


_NOWHERE: Final = Place()


def current_place() -> Place:
    """The place of the code that calls this; of no task outside of graphs."""
    found: Any = otel_context.get_current().get(_PLACE_KEY)
    place: Place = _NOWHERE if found is None else found
    actor = current_actor()
    marked = () if actor is None else tuple(filter(None, actor.path))
    return replace(place, marked=marked) if marked else place


def in_place(place: Place) -> Context:
    """The OTel context of the code at a place."""
    return otel_context.set_value(_PLACE_KEY, place)


__all__ = ["Place", "current_place", "in_place"]
