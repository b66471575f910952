"""Causal place of code in a run: the graph runs and tasks around it, by names and numbers that each run repeats.

A place is the same in the recording and in a replay, whatever ran first: it has no id of a task, a run or a thread, and
no number that depends on timing. `mas.task.number` is given when a step is prepared, or by the task that calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry import context as otel_context

from otel_mas.instrumentation.langgraph.graphs import UNNAMED
from otel_mas.instrumentation.langgraph.runs import GraphRun, TaskRun, outer_task
from otel_mas.record import current_actor, recorded_attributes
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.context import Context

_MARK: Final = "@"
_DEFAULT_NAMES: Final = frozenset({"agent", "task", "workflow"})
_TOOLS_KEY: Final = otel_context.create_key("otel-mas-replay-tools")


class Level(NamedTuple):
    """One task, marked block, or call of a tool around the code."""

    name: str
    """The node's, `@` and the mark's, or `tool:` and the tool's."""
    step: int = 0
    """The superstep of its graph; 0 outside of one."""
    number: int = 0
    """Number among the tasks of its name in the same step, or among the calls of the task that called it, from 0."""
    attempt: int = 0
    """From 1 where a retry policy applies, else 0."""
    called_by: str = ""
    """The task that called it by the functional API, as text; empty where the graph scheduled it."""

    def __str__(self) -> str:
        caller = f"{self.called_by} calls " if self.called_by else ""
        step = f" in step {self.step}" if self.step else ""
        attempt = f", attempt {self.attempt}" if self.attempt > 1 else ""
        return f"{caller}{self.name}#{self.number + 1}{step}{attempt}"


class RunLevel(NamedTuple):
    """One run of a graph around the code, and the levels between it and the next run inside; "" outside of graphs."""

    graph: str
    levels: tuple[Level, ...]

    def __str__(self) -> str:
        return "/".join(filter(None, (self.graph, *map(str, self.levels))))


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """The place of a call: graph runs with the levels in each, outermost first. The first stands for no graph."""

    runs: tuple[RunLevel, ...] = (RunLevel("", ()),)

    def __str__(self) -> str:
        return "/".join(filter(None, map(str, self.runs))) or "outside of graphs"

    def is_inside(self, task: TaskPlace) -> bool:
        """Whether it is the place of code in a task, or in what that calls; of a task given by its place inside."""
        last = len(task.runs) - 1
        if (
            len(self.runs) <= last
            or self.runs[:last] != task.runs[:last]
            or self.runs[last].graph != task.runs[last].graph
        ):
            return False
        levels = task.runs[last].levels
        return self.runs[last].levels[: len(levels)] == levels


@dataclass(slots=True)
class HerePlace:
    """The place of running code, with the runs themselves: which recorded run each of them repeats is found by them."""

    place: TaskPlace
    runs: tuple[GraphRun | None, ...]
    """As `place.runs`; None stands for no graph."""
    names: frozenset[str] = field(default_factory=frozenset)
    """All names around the code: graphs, nodes, agents, marks."""


def mark_level(name: str) -> Level:
    """The level of a marked block; marks without a name are known by that."""
    return Level(_MARK + ("" if name in _DEFAULT_NAMES else name))


def run_name(graph: Any) -> str:
    """The name of a run's graph, as a level has it: never empty, which stands for no graph."""
    return str(graph) if graph and graph != UNNAMED else "graph"


def current_place() -> HerePlace:
    """The place of the code that calls this."""
    task, actor = outer_task(), current_actor()
    tools: Any = otel_context.get_current().get(_TOOLS_KEY) or ()
    found: list[tuple[GraphRun | None, RunLevel]] = []
    around: list[str] = [] if actor is None else [*actor.path]
    levels: list[Level] = [] if actor is None or actor is task else _marks(actor.path[_length(task) :])
    levels = _tools_in(task, tools) + levels
    while task is not None:
        levels.insert(0, task_level(task))
        around.append(task.task.name)
        run, outer = task.run, task.run.outer
        if not run.shares_task_span:
            name = run_name(recorded_attributes(run.span).get(names.GEN_AI_AGENT_NAME))
            around.append(name)
            found.append((run, RunLevel(name, tuple(levels))))
            levels = _tools_in(outer, tools) + _marks(run.path[_length(outer) : -1])
        task = outer
    found.append((None, RunLevel("", tuple(levels))))
    found.reverse()
    return HerePlace(
        TaskPlace(tuple(level for _, level in found)), tuple(run for run, _ in found), frozenset(filter(None, around))
    )


def task_level(task: TaskRun) -> Level:
    """The level of a running task."""
    step = task.task.config["metadata"].get("langgraph_step", 0)
    caller = "" if task.caller is None else str(task_level(task.caller))
    return Level(task.task.name, step, task.number, task.attempt, caller)


def task_path(levels: Iterable[Level]) -> str:
    """The levels of a task, outermost first, as text: the same in each of its attempts."""
    return "/".join(str(level._replace(attempt=0)) for level in levels)


def path_of(task: TaskRun | None) -> str:
    """The same of a running task."""
    levels: list[Level] = []
    while task is not None:
        levels.append(task_level(task))
        task = task.run.outer
    return task_path(reversed(levels))


def inside_tool(name: str, number: int) -> Context:
    """The OTel context of the code of a tool that is really called: its calls are told apart from another's."""
    tools: Any = otel_context.get_current().get(_TOOLS_KEY) or ()
    return otel_context.set_value(_TOOLS_KEY, (*tools, (outer_task(), Level(f"tool:{name}", number=number))))


def _tools_in(task: TaskRun | None, tools: Any) -> list[Level]:
    return [level for of, level in tools if of is task]


def _marks(names: tuple[str, ...]) -> list[Level]:
    return list(map(mark_level, names))


def _length(task: TaskRun | None) -> int:
    return 0 if task is None else len(task.path)


__all__ = [
    "HerePlace",
    "Level",
    "RunLevel",
    "TaskPlace",
    "current_place",
    "inside_tool",
    "mark_level",
    "path_of",
    "run_name",
    "task_level",
    "task_path",
]
