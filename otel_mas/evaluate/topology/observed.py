"""The topology of a run: its agents and tasks as nodes, and the causal edges between their executions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING

from otel_mas.causal import CausalGraph
from otel_mas.evaluate.known_names import declared_names
from otel_mas.evaluate.topology.edges import find_edges, message_edges
from otel_mas.evaluate.topology.executions import Executions
from otel_mas.evaluate.topology.expectation import AGENT, START, TASK, TOOL
from otel_mas.evaluate.topology.happens_before import HappensBefore
from otel_mas.evaluate.topology.nodes import OUTSIDE, CausalEdge, Execution, Node, ToolCall, Unknown

if TYPE_CHECKING:
    import networkx

_MODELS = ("model", "agent")
_PREBUILT = (*_MODELS, "tools", "pre_model_hook", "post_model_hook", "generate_structured_response")
"""Names of nodes; those of middleware have a dot in them: `SummarizationMiddleware.before_model`."""


class ObservedTopology:
    """Agents, tasks, tools and the causal edges between them, of one trace or of a conversation.

    A tool call belongs to the tasks around it up to the nearest agent, and to that agent.
    """

    def __init__(
        self,
        graph: CausalGraph,
        incomplete: str | None = None,
        defined_tools: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """Gather the executions and edges of a graph.

        Args:
            graph: Of one trace, or of the traces of a conversation.
            incomplete: In words what is missing of the traces, beside what the graph knows to be missing.
            defined_tools: Gives the names of tools that models were told of, whether they were called or not.
        """
        self.graph = graph
        self._defined_tools = defined_tools
        self._executions = Executions(graph)
        self.executions: Sequence[Execution] = self._executions.found
        self.edges: Sequence[CausalEdge] = find_edges(graph, self._executions)
        self.nodes: Sequence[Node] = self._executions.nodes
        self.unknown = [number for number, one in enumerate(self.executions) if one.unknown is not None]
        """The executions of which not all causes are known."""
        self.incomplete = incomplete or _incomplete(graph)
        """Reason why executions may be missing, in words; None where none are."""

    def label(self, execution: int) -> str:
        """The label of an execution: `team#1/writer#2`."""
        return START if execution == OUTSIDE else self._executions.label(execution)

    def is_elsewhere(self, execution: int) -> bool:
        """Whether a cause of an execution is another one that is not here."""
        unknown = self.executions[execution].unknown
        return unknown is not None and unknown.is_elsewhere

    def reason(self, execution: int) -> str:
        """The reason why not all causes of an execution of `unknown` are known."""
        return str(self.executions[execution].unknown).format(self.label(execution))

    def node_of(self, execution: int) -> int:
        """The number of the node of an execution; `OUTSIDE` is its own."""
        return OUTSIDE if execution == OUTSIDE else self.executions[execution].node

    def execution_of(self, span: int) -> int:
        """The execution that a span is or lies in, by the span's place in start order; or `OUTSIDE`."""
        return self._executions.of[span]

    @cached_property
    def by_node(self) -> Sequence[Sequence[int]]:
        """For each node its executions."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for number, one in enumerate(self.executions):
            found[one.node].append(number)
        return found

    @cached_property
    def edges_by_nodes(self) -> Mapping[tuple[int, int], Sequence[CausalEdge]]:
        """The edges by the nodes of both ends."""
        found: dict[tuple[int, int], list[CausalEdge]] = defaultdict(list)
        for edge in self.edges:
            found[self.node_of(edge.source), self.node_of(edge.target)].append(edge)
        return found

    @cached_property
    def message_edges(self) -> Sequence[CausalEdge]:
        """Edges from who wrote a message to who read it."""
        return message_edges(self.graph, self._executions)

    @cached_property
    def tool_calls(self) -> Sequence[ToolCall]:
        """Calls of tools and retrievers, in start order."""
        return self._executions.tool_calls()

    @cached_property
    def known_names(self) -> Mapping[str, Collection[str]]:
        """By kind the names of what ran or was called, and of the nodes that graphs declare."""
        declared = declared_names(self.graph)
        ran = [node for node, executions in zip(self.nodes, self.by_node, strict=True) if executions]
        return {
            AGENT: declared | {name for node in ran if node.agent is not None for name in node.names},
            TASK: declared | {node.path for node in ran if node.agent is None},
            TOOL: {call.name for call in self.tool_calls},
        }

    @cached_property
    def defined_tools(self) -> Collection[str]:
        """Names of tools that models were told of, as far as that was kept."""
        return self._defined_tools()

    @cached_property
    def order(self) -> HappensBefore:
        """The order of its executions and calls, by recorded causes."""
        return HappensBefore(self.graph, self.executions, self.tool_calls, self.edges)

    @cached_property
    def inside_prebuilt_agents(self) -> Set[int]:
        """Executions of the nodes that a prebuilt agent consists of: its model, its tools and its middleware."""
        inside: dict[int, list[int]] = defaultdict(list)
        for number, one in enumerate(self.executions):
            if one.around != OUTSIDE and self.nodes[self.executions[one.around].node].agent is not None:
                inside[self.executions[one.around].node].append(number)
        return {
            number
            for found in inside.values()
            if _is_prebuilt([self.nodes[self.executions[one].node] for one in found])
            for number in found
            if self.nodes[self.executions[number].node].agent is None
        }

    @cached_property
    def last(self) -> Sequence[int]:
        """The outermost executions that a graph scheduled, or nobody called, and that lead to no other such one."""
        leading = {edge.source for edge in self.edges if self._is_outermost(edge.target)}
        return [
            number for number in range(len(self.executions)) if self._is_outermost(number) and number not in leading
        ]

    @cached_property
    def last_is_certain(self) -> bool:
        """Whether nothing here has an unknown cause that may be one of `last`."""
        return all(self.executions[one].unknown is Unknown.ELSEWHERE for one in self.unknown)

    def _is_outermost(self, execution: int) -> bool:
        one = self.executions[execution]
        return one.around == OUTSIDE and one.caller in (None, OUTSIDE)

    def to_networkx(self) -> networkx.DiGraph[str]:
        """Nodes: paths of agents and tasks, with "agent" and "executions". Edges: with "kinds" and "count".

        `count` is the number of executions of the effect that have such a cause.
        """
        import networkx

        found: networkx.DiGraph[str] = networkx.DiGraph()
        for node, executions in zip(self.nodes, self.by_node, strict=True):
            if executions:
                found.add_node(node.path, agent=node.agent, executions=len(executions))
        for (source, target), edges in self.edges_by_nodes.items():
            if source != OUTSIDE:
                kinds, count = sorted({edge.kind for edge in edges}), len({edge.target for edge in edges})
                found.add_edge(self.nodes[source].path, self.nodes[target].path, kinds=kinds, count=count)
        return found


def _is_prebuilt(inside: Sequence[Node]) -> bool:
    """Whether these are the nodes of `langchain.agents.create_agent` or `langgraph.prebuilt.create_react_agent`."""
    last = {node.path.rpartition("/")[2] for node in inside if node.agent is None}
    return not last.isdisjoint(_MODELS) and all(name in _PREBUILT or "." in name for name in last)


def _incomplete(graph: CausalGraph) -> str | None:
    if graph.incomplete:
        return graph.incomplete[0]
    unfinished = (span for span in map(graph.table.__getitem__, graph.table.open_spans) if not span.stopped)
    return next((f"{span.name} has not ended" for span in unfinished), None)


__all__ = ["ObservedTopology"]
