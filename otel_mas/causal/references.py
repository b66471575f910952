"""Causes known by a stable key instead of a span id, where a run crossed processes: from the key to the span.

A span's `mas.cause.refs` holds `<kind>|<key>`, and a key is one of

* `task|<task id>`: a task that finished in an earlier process, whose writes were restored and not run again; or one
  that failed there, whose error handler runs now;
* `<checkpoint id>|<channel>`: whatever wrote the channel and waited in it when a run ended at that checkpoint. That
  run's span says in `mas.checkpoint.pending` what did, as `<channel>=<kind>=<cause>`, the cause being a span
  (`traceid-spanid`) or, where it too came from an earlier process, a key again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from otel_mas.causal.tree import Tree
from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.semconv import attributes as names

_SPAN = re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}")
_TASK = "task|"
_DONE = (TaskOutcome.OK, TaskOutcome.HANDOFF)
_FAILED = (TaskOutcome.ERROR,)

# (kind, trace id, span id)
Found = tuple[str, str, str]


class References:
    """What waits in the checkpoints that the runs of a conversation ended at, and its tasks by their id."""

    def __init__(self, tree: Tree, tasks: dict[str, list[int]]) -> None:
        self._tree = tree
        self._tasks = tasks
        self._waiting: dict[str, list[tuple[str, str]]] = defaultdict(list)

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

    def resolve(self, reference: str) -> list[Found]:
        """The spans that a `<kind>|<key>` names; none where they were not recorded, or are not among the given."""
        kind, _, key = reference.partition("|")
        return list(dict.fromkeys(self._follow(kind, key)))

    def _follow(self, kind: str, key: str) -> Iterator[Found]:
        # A key may lead to further keys, process by process; a hostile trace may lead in a circle.
        seen: set[str] = set()
        left = [(kind, key)]
        while left:
            kind, key = left.pop()
            if _SPAN.fullmatch(key):
                trace_id, _, span_id = key.partition("-")
                yield kind, trace_id, span_id
            elif key.startswith(_TASK):
                yield from self._finished(kind, key[len(_TASK) :])
            elif key not in seen:
                seen.add(key)
                left.extend(self._waiting.get(key, ()))

    def _finished(self, kind: str, task_id: str) -> Iterator[Found]:
        """The span in which the task finished, or failed where its error was handled: of several the last that did."""
        ended = _FAILED if kind == LinkKind.ERROR_HANDLER else _DONE
        for i in reversed(self._tasks.get(task_id, ())):
            span = self._tree.spans[i]
            if span.columns.get(names.MAS_TASK_OUTCOME) in ended:
                yield kind, span.trace_id, span.span_id
                return
