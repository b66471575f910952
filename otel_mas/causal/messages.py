"""Who read what whom wrote, where they ran in different processes: joined by the digests that their spans say.

Inside one process the links are recorded as it happens, by `otel_mas.record.content.provenance`; the rules here are the
same. A participant is known by the names of what is around it; what it has read is its own history from then on; who is
inside of it, or around it, is no other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from otel_mas.causal.tree import ROOT, Tree
from otel_mas.semconv import Operation, RecordKind
from otel_mas.semconv import attributes as names

_MODEL = "model calls"
_PARTICIPANTS = frozenset((RecordKind.LLM_CALL, RecordKind.TOOL_CALL, RecordKind.AGENT_TASK))
_AGENT = Operation.INVOKE_AGENT.value

Path = tuple[str, ...]


def read_elsewhere(tree: Tree, texts: Callable[[object], list[str]]) -> Iterator[tuple[int, int]]:
    """(writer, reader) of every message that was read in another process than it was written in.

    Nothing is looked at, and no body decoded, where all spans are of one process.
    """
    process = tree.spans.processes()
    if len(set(process)) > 1:
        yield from _Exchange(tree, process, texts).joined()


class _Exchange:
    """Reads and writes in the order of time."""

    def __init__(self, tree: Tree, process: Sequence[object], texts: Callable[[object], list[str]]) -> None:
        self._tree = tree
        self._process = process
        self._texts = texts
        self._paths: dict[int, Path] = {}
        self._written: dict[str, list[int]] = defaultdict(list)
        self._history: dict[Path, set[str]] = defaultdict(set)
        self._seen: set[str] = set()

    def joined(self) -> Iterator[tuple[int, int]]:
        start, end = self._tree.start, self._tree.end
        # At one instant what ends comes before what starts; what is inside ends before what is around it.
        acts = [
            act
            for i, kind in enumerate(self._tree.spans.column(names.MAS_RECORD_KIND))
            if kind in _PARTICIPANTS
            for act in ((end[i], 0, -i), (start[i], 1, i))
        ]
        for _, begins, number in sorted(acts):
            if begins:
                yield from self._reads(number)
            else:
                self._leaves(-number)

    def _reads(self, reader: int) -> Iterator[tuple[int, int]]:
        digests = self._texts(self._tree.spans[reader].get(names.MAS_INPUT_MESSAGES))
        if not digests:
            return
        self._seen.update(digests)
        path = self._path(reader)
        history = self._history[path]
        writers: dict[int, None] = {}
        for digest in digests:
            if digest not in history:
                writers.update(dict.fromkeys(self._written.get(digest, ())))
        for writer in writers:
            if self._process[writer] != self._process[reader] and not _own(path, self._path(writer)):
                yield writer, reader

    def _leaves(self, i: int) -> None:
        span = self._tree.spans[i]
        self._history[self._path(i)].update(self._texts(span.get(names.MAS_INPUT_MESSAGES)))
        path = self._path(i)
        for digest in self._texts(span.get(names.MAS_OUTPUT_MESSAGES)):
            if span.record_kind == RecordKind.AGENT_TASK and (digest in self._written or digest in self._seen):
                continue  # it hands on what was there, or what was written inside of it
            self._written[digest].append(i)
            for reader, history in self._history.items():
                if not _own(reader, path):
                    history.discard(digest)

    def _path(self, i: int) -> Path:
        """The names of the tasks and agents around a span, the outermost first, and what it is itself."""
        known = self._paths.get(i)
        if known is not None:
            return known
        chain: list[int] = []
        above = i
        while above != ROOT and above not in self._paths:
            chain.append(above)
            above = self._tree.parent[above]
        path = self._paths[above] if above != ROOT else ()
        for one in reversed(chain):
            path = self._paths[one] = (*path, *self._own_name(one))
        return path

    def _own_name(self, i: int) -> Iterator[str]:
        span = self._tree.spans[i]
        if span.task_name is not None:
            yield span.task_name
        elif span.record_kind == RecordKind.LLM_CALL:
            yield _MODEL
        elif span.record_kind == RecordKind.TOOL_CALL:
            yield str(span.columns.get(names.GEN_AI_TOOL_NAME))
        elif span.columns.get(names.GEN_AI_OPERATION_NAME) == _AGENT:
            yield str(span.agent or "")


def _own(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
