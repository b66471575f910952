"""Causes known by a stable key instead of a span id, where a run crossed processes: from the key to the span.

A span's `mas.cause.refs` holds `<kind>|<key>`, and a key is one of

* `task|<task id>`: a task that finished in an earlier process, whose writes were restored and not run again; or one
  that failed there, whose error handler runs now;
* `<checkpoint id>|<channel>`: the writer of the channel that waited in it when a run ended at that checkpoint. The span
  of that run has it in `mas.checkpoint.pending` as `<channel>=<kind>=<cause>`; the cause is a span (`traceid-spanid`)
  or, if it came from an earlier process too, a key again. If no run ended there (a run may be sent back to any
  checkpoint), the tasks that had started from it name their causes.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from otel_mas.causal.forest import Forest
from otel_mas.model import Span
from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.semconv import attributes as names

_SPAN = re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}")
_TASK = "task|"
_DONE = (TaskOutcome.OK, TaskOutcome.HANDOFF)
_SENDS = re.compile(r"__pregel_tasks\[([0-9]{1,9})\]")
_FROM_CHANNELS = (LinkKind.TRIGGER, LinkKind.SEND, LinkKind.HANDOFF)
_FAILED = (TaskOutcome.ERROR,)

# (kind, trace id, span id)
Found = tuple[str, str, str]


class References:
    """Pending causes in the checkpoints at which the runs of a conversation ended, and its tasks by id."""

    def __init__(self, forest: Forest, tasks: dict[str, list[int]]) -> None:
        self._forest = forest
        self._tasks = tasks
        self._waiting: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._started: dict[object, list[Span]] | None = None

    def run_ended(self, checkpoint: object, pending: Sequence[str]) -> bool:
        """Note what a run left waiting. Returns whether all of it could be read."""
        readable = isinstance(checkpoint, str)
        for entry in pending:
            channel, kind, cause = (*entry.rsplit("=", 2), "", "")[:3]
            if kind and cause and isinstance(checkpoint, str):
                self._waiting[f"{checkpoint}|{channel}"].append((kind, cause))
            else:
                readable = False
        return readable

    def resolve(self, reference: str, effect: Span) -> list[Found]:
        """The spans that a `<kind>|<key>` of a span names; none where they were not recorded, or are not given."""
        kind, _, key = reference.partition("|")
        return list(dict.fromkeys(self._follow(kind, key, effect)))

    def _follow(self, kind: str, key: str, effect: Span) -> Iterator[Found]:
        # A key may lead to further keys, process by process; a hostile trace may lead in a circle.
        seen: set[str] = set()
        left = [(kind, key)]
        while left:
            kind, key = left.pop()
            if _SPAN.fullmatch(key):
                trace_id, _, span_id = key.partition("-")
                yield kind, trace_id, span_id
            elif key.startswith(_TASK):
                yield from self._finished(kind, key[len(_TASK) :], effect)
            elif key not in seen:
                seen.add(key)
                left.extend(self._waiting.get(key) or self._started_from(key, effect))

    def _finished(self, kind: str, task_id: str, effect: Span) -> Iterator[Found]:
        """The span in which the task finished, or failed where its error was handled: the last before its effect."""
        ended = _FAILED if kind == LinkKind.ERROR_HANDLER else _DONE
        for i in reversed(self._tasks.get(task_id, ())):
            span = self._forest.spans[i]
            if span.columns.get(names.MAS_TASK_OUTCOME) in ended and span.start_ns <= effect.start_ns:
                yield kind, span.trace_id, span.span_id
                return

    def _started_from(self, key: str, effect: Span) -> Iterator[tuple[str, str]]:
        """The causes of the task that an earlier run had started from the checkpoint because of the same channel."""
        checkpoint, _, channel = key.partition("|")
        tasks = [task for task in self._starting(checkpoint) if task is not effect and task.start_ns <= effect.start_ns]
        name = effect.columns.get(names.MAS_TASK_NAME)
        packet = _SENDS.fullmatch(channel)
        if packet is not None:
            first = tasks[0].trace_id if tasks else None
            sent = sorted(
                (task for task in tasks if task.trace_id == first and _triggers(task) == ["__pregel_tasks"]),
                key=lambda task: task.columns.get(names.MAS_TASK_INDEX) or 0,
            )
            found = sent[int(packet[1]) :][:1]
        else:
            found = [
                task for task in tasks if task.columns.get(names.MAS_TASK_NAME) == name and channel in _triggers(task)
            ][:1]
        for task in found:
            for link in task.links:
                if link.kind in _FROM_CHANNELS:
                    yield str(link.kind), f"{link.trace_id}-{link.span_id}"
            if not task.links:
                causes, kinds = texts(task.get(names.MAS_CAUSE_SPANS)), texts(task.get(names.MAS_CAUSE_KINDS))
                yield from ((kind, cause) for cause, kind in zip(causes, kinds, strict=False) if kind in _FROM_CHANNELS)
            for reference in texts(task.columns.get(names.MAS_CAUSE_REFS)):
                kind, _, again = reference.partition("|")
                yield kind, again

    def _starting(self, checkpoint: str) -> list[Span]:
        if self._started is None:
            self._started, began = defaultdict(list), self._forest.spans.column(names.MAS_CHECKPOINT_ID)
            for same in self._tasks.values():
                for i in same:
                    self._started[began[i]].append(self._forest.spans[i])
        return sorted(self._started.get(checkpoint, ()), key=lambda span: span.start_ns)


def _triggers(task: Span) -> list[str]:
    return texts(task.get(names.MAS_TASK_TRIGGERS))


def texts(value: object) -> list[str]:
    """A string array as sources deliver it: a sequence, or JSON text. Anything else is empty."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return [item for item in value if isinstance(item, str)] if isinstance(value, Sequence) else []
