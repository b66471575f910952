"""Executions of agents and tasks among the spans of a run, each with its node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from otel_mas.causal import CausalGraph
from otel_mas.causal.forest import ROOT, nearest
from otel_mas.causal.labels import unnumbered
from otel_mas.evaluate.topology.nodes import OUTSIDE, Execution, Node, ToolCall
from otel_mas.model import Span
from otel_mas.semconv import Operation, RecordKind, record_kind
from otel_mas.semconv import attributes as names

_TOOLS = (RecordKind.TOOL_CALL, RecordKind.RETRIEVAL)


class Executions:
    """The executions of a graph with their nodes, and the execution that each span is or lies in.

    An agent inside of a task of its name is one execution with that task.
    """

    def __init__(self, graph: CausalGraph) -> None:
        self.spans: Sequence[Span] = graph.spans
        self.parents = graph.parents
        self.nodes: list[Node] = []
        self.found: list[Execution] = []
        self.kinds = _kinds(self.spans)
        self._labels = graph.labels()
        self._by_label: dict[str, int] = {}
        self._by_node: dict[Node, int] = {}
        self._used: Counter[str] = Counter()
        marked = [kind == RecordKind.AGENT_TASK for kind in self.kinds]
        self._above = nearest(self.parents, marked)
        self.of = [OUTSIDE] * len(self.spans)
        for i, is_execution in enumerate(marked):
            if is_execution:
                self._settle(i)
        for i, is_execution in enumerate(marked):
            if not is_execution:
                self.of[i] = self._around(i)

    def is_agent(self, execution: int) -> bool:
        """Whether it is an agent's execution."""
        return self.nodes[self.found[execution].node].agent is not None

    def tool_calls(self) -> list[ToolCall]:
        """Calls of tools and retrievers, in start order."""
        return [
            ToolCall(_tool_name(self.spans[i]), i, tuple(self.callers(self.of[i])))
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
        chain = [span]
        while (above := self._above[chain[-1]]) != ROOT and self.of[above] == OUTSIDE:
            chain.append(above)
        for one in reversed(chain):
            if self.of[one] == OUTSIDE:
                self.of[one] = self._execution(one)

    def _execution(self, i: int) -> int:
        span, around = self.spans[i], self._around(i)
        agent = span.agent if span.is_agent else None
        label = self._labels.get(span.span_id)
        if label is None and self._runs_in_task_of_its_name(i, around):
            number = around
        else:
            path = unnumbered(label) if label is not None else self._path(span, around)
            if label is None:
                self._used[path] += 1
                label = f"{path}#{self._used[path]}"
            number = self._by_label.setdefault(label, len(self.found))
            if number == len(self.found):
                self.found.append(Execution(label, self._node(Node(path, agent)), around, []))
        one = self.found[number]
        one.spans.append(i)
        if agent is not None:
            one.node = self._node(Node(self.nodes[one.node].path, agent))
        return number

    def _runs_in_task_of_its_name(self, i: int, around: int) -> bool:
        """Whether it is the agent that a task of its name is there for, not one that a tool in that task called."""
        span = self.spans[i]
        if around == OUTSIDE or not span.is_agent or self.is_agent(around):
            return False
        if self.nodes[self.found[around].node].path.rpartition("/")[2] != span.agent:
            return False
        above = self.parents[i]
        while above != self._above[i]:
            if self.kinds[above] in _TOOLS:
                return False
            above = self.parents[above]
        return True

    def _path(self, span: Span, around: int) -> str:
        """The path of an execution that is no task of a graph."""
        name = (span.agent if span.is_agent else None) or span.task_name or _bare(span)
        return name if around == OUTSIDE else f"{self.nodes[self.found[around].node].path}/{name}"

    def _node(self, node: Node) -> int:
        number = self._by_node.setdefault(node, len(self.nodes))
        if number == len(self.nodes):
            self.nodes.append(node)
        return number


def _kinds(spans: Sequence[Span]) -> list[str | None]:
    """The record kind of each span; None for what other instrumentors of LangChain tell of a run that we recorded."""
    kinds = [span.record_kind for span in spans]
    recorded = {span.trace_id for span, kind in zip(spans, kinds, strict=True) if kind == RecordKind.AGENT_TASK}
    for i, kind in enumerate(kinds):
        if kind is None:
            span = spans[i]
            operation = span.columns.get(names.GEN_AI_OPERATION_NAME)
            retells = span.trace_id in recorded and "langchain" in span.scope.name
            kinds[i] = record_kind(operation) if isinstance(operation, str) and not retells else None
    return kinds


def _bare(span: Span) -> str:
    """The name of a span without its operation."""
    return span.name.removeprefix(f"{Operation.INVOKE_AGENT} ") or "?"


def _tool_name(span: Span) -> str:
    known = span.columns.get(names.GEN_AI_TOOL_NAME) or span.get(names.GEN_AI_TOOL_NAME)
    return str(known or span.name.removeprefix(f"{Operation.EXECUTE_TOOL} ").removeprefix(f"{Operation.RETRIEVAL} "))


__all__ = ["Executions"]
