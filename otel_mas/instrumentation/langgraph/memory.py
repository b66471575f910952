"""The process's memory between runs of a thread: writers that wait at a checkpoint, tasks left unfinished.

It is bounded: the least recently used entries go first. The reader finds what is not here by the stable keys on spans.
A saver that holds copies of another's checkpoints has a memory of its own: their ids are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from otel_mas.instrumentation.langgraph.channels import unknown_writers
from otel_mas.record import RecentlyUsed

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from otel_mas.instrumentation.langgraph.channels import TaskWriter, TaskWriters
    from otel_mas.semconv.enums import TaskOutcome

OWN_MEMORY: Final = "otel_mas_memory"
"""Attribute of a saver that has a memory of its own."""
_CHECKPOINTS = 4096
_TASKS = 16384


class ThreadMemory:
    """Keys are LangGraph's: (thread, namespace, checkpoint id) and task ids."""

    def __init__(self) -> None:
        self._waiting: RecentlyUsed[tuple[str, str, str], tuple[TaskWriters, TaskWriter]] = RecentlyUsed(_CHECKPOINTS)
        self._unfinished: RecentlyUsed[str, tuple[SpanContext, TaskOutcome]] = RecentlyUsed(_TASKS)
        self._finished: RecentlyUsed[str, SpanContext] = RecentlyUsed(_TASKS)
        self._heads: RecentlyUsed[tuple[str, str], str] = RecentlyUsed(_CHECKPOINTS)

    def remember(self, key: tuple[str, str, str], waiting: TaskWriters, saved_by: TaskWriter) -> None:
        """Remember what waits at a checkpoint, and the run or the update that saved it."""
        self._waiting.put(key, (waiting, saved_by))

    def waiting(self, key: tuple[str, str, str], triggering: Iterable[str], channels: Mapping[str, Any]) -> TaskWriters:
        """Writes that wait at a checkpoint. If another process made it, the reader finds the writers by the checkpoint.

        Args:
            key: the checkpoint's.
            triggering: the channels that trigger a node.
            channels: as loaded from the checkpoint.
        """
        found = self._waiting.get(key)
        return unknown_writers(key[2], triggering, channels) if found is None else found[0]

    def saved_by(self, key: tuple[str, str, str]) -> TaskWriter | None:
        found = self._waiting.get(key)
        return None if found is None else found[1]

    def ended(self, key: tuple[str, str], checkpoint_id: str) -> None:
        """Remember the latest checkpoint of a thread."""
        self._heads.put(key, checkpoint_id)

    def head(self, key: tuple[str, str]) -> str | None:
        """The latest checkpoint of a thread that this process has made."""
        return self._heads.get(key)

    def left_unfinished(self, task_id: str, context: SpanContext, outcome: TaskOutcome) -> None:
        self._unfinished.put(task_id, (context, outcome))

    def unfinished(self, task_id: str) -> tuple[SpanContext, TaskOutcome] | None:
        """The span of an earlier, unfinished run of this task. Forgets it: the task runs again."""
        return self._unfinished.pop(task_id)

    def finished(self, task_id: str, context: SpanContext) -> None:
        self._finished.put(task_id, context)

    def task(self, task_id: str) -> SpanContext | None:
        """The span of a task of an unfinished step that does not run again: it finished, or its error is handled."""
        finished = self._finished.get(task_id)
        if finished is None and (left := self._unfinished.get(task_id)) is not None:
            finished = left[0]
        return finished


MEMORY = ThreadMemory()


def memory_of(saver: Any) -> ThreadMemory:
    """The memory for the threads that a saver saves."""
    found: ThreadMemory = getattr(saver, OWN_MEMORY, MEMORY)
    return found
