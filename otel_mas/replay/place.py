"""Causal place of code in a run: the graph runs and tasks around it, by names and numbers that each run repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Level(NamedTuple):
    """One task, or one call of a tool, around the code. No ids, which no run repeats."""

    name: str
    """The node's, or `tool:` and the tool's."""
    step: int
    """The superstep of its graph; 0 outside of one."""
    number: int
    """Number among the tasks of its name in the same step, or among those that the same task has called, from 0."""
    attempt: int
    """From 1 where a retry policy applies, else 0."""
    called_by: str = ""
    """The task that called it by the functional API, as text; empty where the graph scheduled it."""

    def __str__(self) -> str:
        caller = f"{self.called_by}>" if self.called_by else ""
        attempt = f" attempt {self.attempt}" if self.attempt > 1 else ""
        return f"{caller}{self.name}@{self.step}[{self.number}]{attempt}"


class RunLevel(NamedTuple):
    """One run of a graph around the code, and the levels between it and the next run inside."""

    graph: str
    levels: tuple[Level, ...]

    def __str__(self) -> str:
        return "/".join((self.graph, *map(str, self.levels)))


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """The place of a call: graph runs with the tasks in each, outermost first; of no run outside of graphs."""

    runs: tuple[RunLevel, ...] = ()

    def __str__(self) -> str:
        return "/".join(map(str, self.runs)) or "outside of graphs"


__all__ = ["Level", "RunLevel", "TaskPlace"]
