"""Nodes, executions and edges of the topology of a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

OUTSIDE: Final = -1
"""Stands for the run itself: it starts the first tasks, and the last ones lead to its end."""


@dataclass(frozen=True, slots=True)
class Node:
    """An agent or a task: all executions in the same place."""

    path: str
    """Names of the tasks around it and of itself: `team/writer`."""
    agent: str | None
    """Name of the agent that it is."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.path,) if self.agent is None else (self.path, self.agent)


class Unknown(StrEnum):
    """Reasons why a cause of an execution is not known; the label of the execution goes in between."""

    ELSEWHERE = "a cause of {} lies in a trace that is not here"
    KEY_ALONE = "a cause of {} is known only by a key that leads to no span here"
    UNRECORDED = "no cause of {} is recorded"
    PARENT_ALONE = "no cause of {} is recorded, only what it lies in"

    @property
    def is_elsewhere(self) -> bool:
        """Whether the cause is an execution that is not here."""
        return self in (Unknown.ELSEWHERE, Unknown.KEY_ALONE)


@dataclass(slots=True)
class Execution:
    """One execution of a node: a task with all its attempts and pauses, or an agent at work."""

    node: int
    around: int
    """The execution that encloses it, or `OUTSIDE`."""
    spans: list[int]
    """In start order; several where it paused or was tried again."""
    caller: int | None = None
    """The execution whose code called it, or `OUTSIDE`; None where a graph scheduled it."""
    unknown: Unknown | None = None
    """Reason why not all of its causes are known."""


class CausalEdge(NamedTuple):
    """An edge between executions by number; from `OUTSIDE` where the run itself is the cause."""

    source: int
    target: int
    kind: str
    """Value of `mas.link.kind`, or "child"."""
    certain: bool
    """Not so where it was inferred."""


class ToolCall(NamedTuple):
    """One call of a tool or a retriever, with the executions that it belongs to, the innermost first."""

    name: str
    span: int
    callers: tuple[int, ...]


__all__ = ["OUTSIDE", "CausalEdge", "Execution", "Node", "ToolCall", "Unknown"]
