"""Executions of agents and tasks among the spans of a run, each with its node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from otel_mas.causal import CausalGraph
from otel_mas.causal.forest import ROOT, nearest
from otel_mas.causal.labels import unnumbered
from otel_mas.evaluate.topology.nodes import OUTSIDE, Execution, Node, ToolCall
from otel_mas.model import Span, SpanTable
from otel_mas.semconv import Operation, RecordKind, record_kind
from otel_mas.semconv import attributes as names

_TOOLS = (RecordKind.TOOL_CALL, RecordKind.RETRIEVAL)


class Executions:
    """The executions of a graph with their nodes, and the execution that each span is or lies in.

    An agent inside of a task of its name is one execution with that task.
    """

    def __init__(self, graph: CausalGraph) -> None:
        self.table = graph.table
        self.parents = graph.parents
        self.nodes: list[Node] = []
        self.found: list[Execution] = []
        self.kinds = _kinds(self.table)
        self._agents = _agents(self.table)
        self._tasks = [one if isinstance(one, str) else None for one in self.table.column(names.MAS_TASK_ID)]
        self._names = self.table.column(names.MAS_TASK_NAME)
        self._graph = graph
        self._by_task: dict[str, int] = {}
        self._by_node: dict[tuple[str, str | None], int] = {}
        self.is_execution = marked = [kind == RecordKind.AGENT_TASK for kind in self.kinds]
        """For each span whether it is one of an execution."""
        self._above = nearest(self.parents, marked)
        self.of = [OUTSIDE] * len(self.table)
        for i, is_execution in enumerate(marked):
            if is_execution and self.of[i] == OUTSIDE:
                self._settle(i)
        for i, is_execution in enumerate(marked):
            if not is_execution:
                self.of[i] = self._around(i)

    def is_agent(self, execution: int) -> bool:
        """Whether it is an agent's execution."""
        return self.nodes[self.found[execution].node].agent is not None

    def tool_calls(self) -> list[ToolCall]:
        """Calls of tools and retrievers, in start order."""
        known = self.table.column(names.GEN_AI_TOOL_NAME)
        return [
            ToolCall(str(known[i] or _tool_name(self.table[i])), i, tuple(self.callers(self.of[i])))
            for i, kind in enumerate(self.kinds)
            if kind in _TOOLS
        ]

    def callers(self, innermost: int) -> list[int]:
        """An execution and those around it, up to the nearest agent."""
        found = []
        while innermost != OUTSIDE:
            found.append(innermost)
            innermost = OUTSIDE if self.is_agent(innermost) else self.found[innermost].around
        return found

    def _around(self, span: int) -> int:
        above = self._above[span]
        return OUTSIDE if above == ROOT else self.of[above]

    def _settle(self, span: int) -> None:
        """Find the execution of a span, but first those around it: clocks may have put them after it."""
        above = self._above[span]
        chain = [span]
        while above != ROOT and self.of[above] == OUTSIDE:
            chain.append(above)
            above = self._above[above]
        for one in reversed(chain):
            if self.of[one] == OUTSIDE:
                self.of[one] = self._execution(one)

    def _execution(self, i: int) -> int:
        around, agent, task = self._around(i), self._agents[i], self._tasks[i]
        number = len(self.found)
        if task:
            number = self._by_task.setdefault(task, number)
        elif agent is not None and self._runs_in_task_of_its_name(i, around):
            number = around
        if number == len(self.found):
            self.found.append(Execution(self._node(self._path(i, around), agent), around, [i]))
            return number
        one = self.found[number]
        one.spans.append(i)
        if agent is not None:
            one.node = self._node(self.nodes[one.node].path, agent)
        return number

    def _runs_in_task_of_its_name(self, i: int, around: int) -> bool:
        """Whether it is the agent that a task of its name is there for, not one that a tool in that task called."""
        if around == OUTSIDE or self.is_agent(around):
            return False
        if self.nodes[self.found[around].node].path.rpartition("/")[2] != self._agents[i]:
            return False
        above = self.parents[i]
        while above != self._above[i]:
            if self.kinds[above] in _TOOLS:
                return False
            above = self.parents[above]
        return True

    def _path(self, i: int, around: int) -> str:
        name = (self._names[i] if self._tasks[i] else self._agents[i]) or self._names[i] or _bare(self.table[i])
        if around != OUTSIDE:
            return f"{self.nodes[self.found[around].node].path}/{name}"
        if self._tasks[i] and self.table.value(i, names.MAS_TASK_UPDATED):  # of a subgraph's state, it lies in no task
            return unnumbered(self._graph.label(self.table.ids[i]) or str(name))
        return str(name)

    def label(self, execution: int) -> str:
        """The label of an execution: of a task the graph's, else its path with a number."""
        label = self._graph.label(self.table.ids[self.found[execution].spans[0]])
        return label or f"{self.nodes[self.found[execution].node].path}#{self._numbers[execution]}"

    @cached_property
    def _numbers(self) -> Mapping[int, int]:
        """The how-manieth of its path each execution is that is no task."""
        used: Counter[str] = Counter()
        found = {}
        for number, one in enumerate(self.found):
            if not self._tasks[one.spans[0]]:
                path = self.nodes[one.node].path
                used[path] += 1
                found[number] = used[path]
        return found

    def _node(self, path: str, agent: str | None) -> int:
        number = self._by_node.get((path, agent))
        if number is None:
            number = self._by_node[path, agent] = len(self.nodes)
            self.nodes.append(Node(path, agent))
        return number


def _kinds(table: SpanTable) -> list[str | None]:
    """The record kind of each span; None for what other instrumentors of LangChain tell of a run that we recorded."""
    kinds = list(table.column(names.MAS_RECORD_KIND))
    operations = table.column(names.GEN_AI_OPERATION_NAME)
    recorded = {
        trace_id for trace_id, kind in zip(table.trace_ids, kinds, strict=True) if kind == RecordKind.AGENT_TASK
    }
    for i, kind in enumerate(kinds):
        operation = operations[i]
        if kind is None and isinstance(operation, str):
            retells = table.trace_ids[i] in recorded and "langchain" in table[i].scope.name
            kinds[i] = None if retells else record_kind(operation)
    return kinds


def _agents(table: SpanTable) -> list[str | None]:
    """The name of each span that is an agent at work; None of the others."""
    operations, agents = table.column(names.GEN_AI_OPERATION_NAME), table.column(names.GEN_AI_AGENT_NAME)
    return [
        str(agent) if agent and operation == Operation.INVOKE_AGENT else None
        for operation, agent in zip(operations, agents, strict=True)
    ]


def _bare(span: Span) -> str:
    """The name of a span without its operation."""
    return span.name.removeprefix(f"{Operation.INVOKE_AGENT} ") or "?"


def _tool_name(span: Span) -> str:
    return str(
        span.get(names.GEN_AI_TOOL_NAME)
        or span.name.removeprefix(f"{Operation.EXECUTE_TOOL} ").removeprefix(f"{Operation.RETRIEVAL} ")
    )


__all__ = ["Executions"]
