"""Runs written down in a few lines: tasks with their causes, and calls of tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from otel_mas.causal import CausalGraph, build
from otel_mas.model import Link, Span, Trace
from otel_mas.semconv import attributes as names

RUN = "run"


@dataclass
class RunBuilder:
    """Adds tasks and calls of tools to one run, a clock's tick after each other.

    Each method returns the id of its span, by which causes are named; `RUN` is the run itself, of "t1".
    """

    trace_id: str = "t1"
    spans: list[Span] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.run = RUN if self.trace_id == "t1" else f"{self.trace_id}-{RUN}"
        self._add(self.run, None, "invoke_workflow run", (), {names.MAS_RECORD_KIND: "WORKFLOW"})

    def task(
        self, name: str, *causes: str, kind: str = "trigger", inside: str = RUN, agent: str | None = None, **more: Any
    ) -> str:
        """A task of a graph; without causes it is one of the first inside of what is around it."""
        number = f"{self.trace_id}-{len(self.spans)}"
        columns = {names.MAS_RECORD_KIND: "AGENT_TASK", names.MAS_TASK_ID: number, names.MAS_TASK_NAME: name}
        if agent is not None:
            columns |= {names.GEN_AI_OPERATION_NAME: "invoke_agent", names.GEN_AI_AGENT_NAME: agent}
        links = [(kind, cause) for cause in causes or (inside,)]
        return self._add(number, inside, f"task {name}", links, columns, **more)

    def marked(self, name: str, inside: str = RUN) -> str:
        """An agent that is a marked function: it has no link, only what it lies in."""
        columns = {names.MAS_RECORD_KIND: "AGENT_TASK", names.GEN_AI_OPERATION_NAME: "invoke_agent"}
        columns[names.GEN_AI_AGENT_NAME] = name
        return self._add(f"{self.trace_id}-{len(self.spans)}", inside, f"invoke_agent {name}", (), columns)

    def foreign(self, name: str, inside: str = RUN) -> str:
        """An agent as other instrumentation records it."""
        columns = {names.GEN_AI_OPERATION_NAME: "invoke_agent", names.GEN_AI_AGENT_NAME: name}
        return self._add(f"{self.trace_id}-{len(self.spans)}", inside, f"invoke_agent {name}", (), columns)

    def tool(self, name: str, inside: str) -> str:
        """A call of a tool."""
        columns = {names.MAS_RECORD_KIND: "TOOL_CALL", names.GEN_AI_TOOL_NAME: name}
        return self._add(f"{self.trace_id}-{len(self.spans)}", inside, f"execute_tool {name}", (), columns)

    def graph(self, incomplete: str | None = None) -> CausalGraph:
        return build([self.trace(incomplete)])

    def trace(self, incomplete: str | None = None) -> Trace:
        return Trace(self.trace_id, tuple(self.spans), incomplete)

    def _add(
        self,
        span_id: str,
        parent: str | None,
        name: str,
        links: Sequence[tuple[str, str]],
        columns: dict[str, Any],
        end: int | None = -1,
    ) -> str:
        start = len(self.spans)
        made = tuple(Link(cause.partition("-")[0] if "-" in cause else "t1", cause, kind) for kind, cause in links)
        last = start + 1 if end == -1 else end
        self.spans.append(Span(self.trace_id, span_id, parent, name, start, last, links=made, columns=columns))
        return span_id


def chain(*tasks: str) -> RunBuilder:
    """A run of tasks, each caused by the one before."""
    run = RunBuilder()
    last: tuple[str, ...] = ()
    for name in tasks:
        last = (run.task(name, *last),)
    return run
