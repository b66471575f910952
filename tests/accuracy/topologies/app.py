"""An app that is ready to run, what it is expected to answer, and the faults that make sense in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from otel_mas.faults import Fault, FaultKind

_SHORT = 0.15  # seconds of a delay: well above what a busy machine adds
_MESSAGES = tuple(kind for kind in FaultKind if kind.startswith("message_"))


@dataclass(frozen=True)
class App:
    """An app of one topology.

    Args:
        name: of the topology.
        graph: the compiled graph.
        given: its input.
        answer: the text that a person would read, from the graph's result.
        expected: that text, when nothing goes wrong.
        agents: the nodes or agents that call a model.
        tools: by name, the agent that calls it.
        edges: sender and reader of messages that the answer depends on.
        fields: reader and field of the state that the answer depends on.
        sends: those of `edges` that are made by `Send`.
        lists: those of `edges` by which items of a list go, such as messages.
        parallel: an agent of which several run at once, each with a model call; "" where there is none.
        then: what a paused run is resumed with, one after the other.
        config: of its runs.
    """

    name: str
    graph: Any
    given: Any
    answer: Callable[[Any], str]
    expected: str
    agents: tuple[str, ...]
    tools: Mapping[str, str]
    edges: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, str], ...] = ()
    sends: tuple[tuple[str, str], ...] = ()
    lists: tuple[tuple[str, str], ...] = ()
    parallel: str = ""
    then: tuple[Any, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)

    def run(self) -> str:
        """Run it to its end."""
        result = self.graph.invoke(self.given, self.config)
        for given in self.then:
            result = self.graph.invoke(given, self.config)
        return self.answer(result)

    async def arun(self) -> str:
        """Run it to its end in an event loop."""
        result = await self.graph.ainvoke(self.given, self.config)
        for given in self.then:
            result = await self.graph.ainvoke(given, self.config)
        return self.answer(result)

    def true_cause(self, fault: Fault) -> str:
        """The agent or node that a fault hits: where the run departs from what it should have been.

        Of a message it is the reader, whose input is not what was written, and of a `Send` that never arrives or
        arrives twice, the sender; of a tool the agent that calls it.

        Raises:
            ValueError: The fault's scope leaves it open.
        """
        if fault.edge is not None:
            sender, reader = fault.edge.split("->")
            on_the_way = fault.kind in (FaultKind.MESSAGE_LOST, FaultKind.MESSAGE_DUPLICATED)
            return sender if on_the_way and (sender, reader) in self.sends else reader
        if fault.agent is not None:
            return fault.agent
        if fault.tool in self.tools:
            return self.tools[fault.tool]
        raise ValueError(f"{fault} may hit several agents of {self.name}; its scope needs an agent, an edge or a tool")

    def contention(self) -> tuple[Fault, ...]:
        """Faults that make several of an agent wait for one slot, in which each stays a while; none where one runs."""
        if not self.parallel:
            return ()
        slow = Fault(FaultKind.MODEL_SLOW, agent=self.parallel, delay=_SHORT)
        return (Fault(FaultKind.RESOURCE_STARVED, agent=self.parallel), slow)

    def faults(self) -> Iterator[Fault]:
        """Faults of every kind, each with a scope that has one true cause here."""
        for tool in self.tools:
            for kind in (FaultKind.TOOL_ERROR, FaultKind.TOOL_EMPTY, FaultKind.TOOL_NONSENSE):
                yield Fault(kind, tool=tool)
            yield Fault(FaultKind.TOOL_HANG, tool=tool, delay=_SHORT)
        for agent in self.agents:
            yield Fault(FaultKind.MODEL_RATE_LIMITED, agent=agent)
            yield Fault(FaultKind.MODEL_TRUNCATED, agent=agent)
            yield Fault(FaultKind.MODEL_SLOW, agent=agent, delay=_SHORT)
            yield Fault(FaultKind.AGENT_GIVES_UP, agent=agent)
            yield Fault(FaultKind.LOCK_HELD, agent=agent, delay=_SHORT)
        for sender, reader in self.edges:
            for kind in _MESSAGES:
                if kind == FaultKind.MESSAGE_DUPLICATED and (sender, reader) not in (*self.sends, *self.lists):
                    continue  # a field that is written twice is the same
                delay = _SHORT if kind == FaultKind.MESSAGE_DELAYED else None
                yield Fault(kind, edge=f"{sender}->{reader}", delay=delay)
        for reader, name in self.fields:
            yield Fault(FaultKind.FIELD_FORGOTTEN, agent=reader, field=name)
