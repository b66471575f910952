"""Channels of the state that grow from write to write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.state import StateChange
from otel_mas.analyse.state.values import is_message
from otel_mas.model import Finding, Severity
from otel_mas.model.message_text import text_of

_REMOVES = "remove"
"""Role of LangChain's RemoveMessage."""
_ADDING = frozenset(("add", "iadd", "concat", "extend", "append", "add_messages", "_add_messages"))
"""Names of reducers that add what is written to what is there: those of `operator` and LangGraph's, and usual ones."""
_SHOWN = 5


def memory_growth(facts: RunFacts) -> Iterator[Finding]:
    """A channel of the state grew with each write, far beyond what it began with: the value of a channel that holds the
    last one, or all that was added to a channel whose reducer adds. A large value that was written once is no growth,
    nor is a channel from which messages are removed. Sizes are those of the values as text.
    """
    if not facts.content.kept:
        return
    channels: dict[tuple[str, str], list[StateChange]] = {}
    for change in facts.state.changes:
        channels.setdefault((change.graph, change.channel), []).append(change)
    given = facts.thresholds
    for (_, channel), changes in channels.items():
        if len(changes) < given.growth_steps or not (changes[0].replaces or changes[0].reducer in _ADDING):
            continue
        for row, sizes in _growing(changes):
            steps = [later - earlier for earlier, later in pairwise(sizes)]
            if (
                len(row) >= given.growth_steps
                and sizes[-1] >= max(given.memory_growth_size, given.growth_factor * sizes[0])
                and 2 * max(steps) < sizes[-1]
            ):
                yield _finding(channel, row, sizes)


def _growing(changes: Sequence[StateChange]) -> Iterator[tuple[Sequence[StateChange], Sequence[int]]]:
    """Writes in a row with the size of the channel after each, larger than before."""
    sizes = [_size(change) for change in changes]
    if not changes[0].replaces:
        known = [size for size in sizes if size is not None]
        if len(known) == len(sizes) and not any(map(_removes, changes)):
            yield changes, list(accumulate(known))
        return
    start = 0
    for at in range(1, len(sizes) + 1):
        last, size = sizes[at - 1], sizes[at] if at < len(sizes) else None
        if last is None or size is None or size <= last:
            row = [one for one in sizes[start:at] if one is not None]
            if len(row) == at - start:
                yield changes[start:at], row
            start = at


def _size(change: StateChange) -> int | None:
    """Characters of the value as text; None where it was not kept."""
    return None if change.missing is not None else len(text_of(change.value))


def _removes(change: StateChange) -> bool:
    values = change.value if isinstance(change.value, list) else [change.value]
    return any(is_message(one) and one["role"] == _REMOVES for one in values)


def _finding(channel: str, row: Sequence[StateChange], sizes: Sequence[int]) -> Finding:
    writers = list(dict.fromkeys(change.task.rpartition("/")[2].partition("#")[0] for change in row))
    most = max(range(1, len(row)), key=lambda at: sizes[at] - sizes[at - 1])
    spans = [row[most].span, *(change.span for change in reversed(row[-_SHOWN:]))]
    return Finding(
        code="memory-growth",
        severity=Severity.WARNING,
        confidence=1.0,
        summary=f"{channel} grew from {sizes[0]:,} to {sizes[-1]:,} characters over {len(row)} writes, by "
        f"{', '.join(writers[:3])}",
        subject=channel,
        spans=tuple(dict.fromkeys(ids(spans))),
        messages=tuple(dict.fromkeys(change.digest for change in row[-_SHOWN:])),
        advice=f"keep in {channel} only what later tasks read: cut it, summarise it, or keep it in a store "
        "(LangGraph's BaseStore) and its key in the state",
    )


__all__ = ["memory_growth"]
