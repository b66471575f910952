"""What the process remembers is bounded, and gives way oldest first."""

from __future__ import annotations

from otel_mas.instrumentation.langgraph.memory import Memory, RecentlyUsed
from otel_mas.semconv.enums import TaskOutcome


def test_the_least_recently_used_entry_goes_first() -> None:
    entries: RecentlyUsed[str, int] = RecentlyUsed(2)
    entries.put("a", 1)
    entries.put("b", 2)
    assert entries.get("a") == 1
    entries.put("c", 3)
    assert entries.get("b") is None
    assert (entries.get("a"), entries.get("c"), len(entries)) == (1, 3, 2)


def test_an_unfinished_task_is_told_once() -> None:
    memory = Memory()
    memory.left_unfinished("t", None, TaskOutcome.INTERRUPTED)  # type: ignore[arg-type]
    assert memory.unfinished("t") == (None, TaskOutcome.INTERRUPTED)
    assert memory.unfinished("t") is None
