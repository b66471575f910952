"""Lane of every span in a picture, in columns: an agent with all that works for it, else the outermost task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from otel_mas.causal import CausalGraph
from otel_mas.report.task_labels import numbered, short_labels
from otel_mas.report.text import plain
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import Operation, RecordKind

NONE = -1
CALLS = frozenset({RecordKind.LLM_CALL.value, RecordKind.TOOL_CALL.value, RecordKind.RETRIEVAL.value})


@dataclass(frozen=True, slots=True)
class Swimlanes:
    """Lanes of a graph, with what is drawn in them."""

    names: list[str]
    """In the order of their first bars."""
    agents: list[bool]
    """Whether a lane is that of an agent."""
    lane: list[int]
    """The lane of each span, by its number; `NONE` of what encloses all bars."""
    bar: list[int]
    """The span that stands for each span in the picture: itself, the task that it repeats or lies in, or `NONE`."""


def parents_first(parents: Sequence[int]) -> Sequence[int]:
    """Numbers of the spans so that each comes after its parent; start order, unless clocks differ."""
    if all(above < i for i, above in enumerate(parents)):
        return range(len(parents))
    children: dict[int, list[int]] = {}
    for i, above in enumerate(parents):
        children.setdefault(above, []).append(i)
    found: list[int] = []
    waiting = children.get(NONE, [])[::-1]
    while waiting:
        found.append(i := waiting.pop())
        waiting.extend(reversed(children.get(i, ())))
    return found


def swimlanes(causal: CausalGraph) -> Swimlanes:
    """Find bars and their lanes, as `report.svg.scene` draws them."""
    return _Lanes(causal).run()


class _Lanes:
    def __init__(self, causal: CausalGraph) -> None:
        table = causal.table
        self.causal = causal
        self.table = table
        self.parents = causal.parents
        self.ends = causal.ends
        self.order = parents_first(causal.parents)
        self.task_ids = table.column(names.MAS_TASK_ID)
        self.calls = [kind in CALLS for kind in table.column(names.MAS_RECORD_KIND)]
        self.agents: list[str | None] = [
            agent if operation == Operation.INVOKE_AGENT and agent else None
            for agent, operation in zip(
                table.column(names.GEN_AI_AGENT_NAME), table.column(names.GEN_AI_OPERATION_NAME), strict=True
            )
        ]
        self.tasks = [
            task is not None or agent is not None for task, agent in zip(self.task_ids, self.agents, strict=True)
        ]
        self.bar = [NONE] * len(table)
        self.agent_of: dict[int, str] = {}
        """Bars that are an agent at work, with its name."""

    def run(self) -> Swimlanes:
        self._find_bars()
        titles = self._titles()
        lane_names: dict[str, int] = {}
        lane_of: dict[int, str] = {}
        for i in self.order:
            if self.bar[i] == i:
                above = self._above(i)
                if i in self.agent_of or above == NONE:
                    lane_of[i] = titles[i]
                else:
                    lane_of[i] = lane_of[above]
        for i in sorted(lane_of, key=lambda i: (self.table.starts[i], -self.ends[i])):
            lane_names.setdefault(lane_of[i], len(lane_names))
        agents = [False] * len(lane_names)
        for i in self.agent_of:
            agents[lane_names[lane_of[i]]] = True
        lane = [NONE if bar == NONE else lane_names[lane_of[bar]] for bar in self.bar]
        return Swimlanes(list(lane_names), agents, lane, self.bar)

    def _find_bars(self) -> None:
        unknown = self._unknown()
        for i in self.order:
            above = self._above(i)
            is_bar = self.tasks[i] or (unknown[i] and not self.calls[i])
            agent = self.agents[i]
            if is_bar and above != NONE and self.task_ids[i] is not None and self.task_ids[i] == self.task_ids[above]:
                # The agent that a task is, recorded by its own instrumentation.
                self.bar[i] = above
                if agent is not None:
                    self.agent_of[above] = agent
            elif is_bar:
                self.bar[i] = i
                if agent is not None:
                    self.agent_of[i] = agent
            else:
                self.bar[i] = above

    def _above(self, i: int) -> int:
        """The bar around a span."""
        above = self.parents[i]
        return NONE if above == NONE else self.bar[above]

    def _unknown(self) -> list[bool]:
        """Whether nothing is known of what the spans of the same root are; then all are bars."""
        root = [NONE] * len(self.table)
        for i in self.order:
            above = self.parents[i]
            root[i] = i if above == NONE else root[above]
        with_tasks = {root[i] for i, task in enumerate(self.tasks) if task}
        with_calls = {root[i] for i, call in enumerate(self.calls) if call}
        return [one not in with_tasks and (not with_tasks or one in with_calls) for one in root]

    def _titles(self) -> dict[int, str]:
        """Names of the bars that can open a lane."""
        services = self.table.services()
        opening = [
            i for i in range(len(self.bar)) if self.bar[i] == i and (i in self.agent_of or self._above(i) == NONE)
        ]
        several = len({services[i] for i, bar in enumerate(self.bar) if bar == i}) > 1
        task_names, span_names = self.table.column(names.MAS_TASK_NAME), self.table.names
        named = {i: self.agent_of.get(i) or task_names[i] for i in opening}
        labels = {} if all(named.values()) else short_labels(self.causal)
        found = {
            i: plain(name) if name else numbered(span_names[i], labels.get(self.table.ids[i], ""))
            for i, name in named.items()
        }
        return {i: f"{name} ({plain(services[i])})" if several else name for i, name in found.items()}


__all__ = ["NONE", "Swimlanes", "parents_first", "swimlanes"]
