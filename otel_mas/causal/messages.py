"""Message edges between processes: writer and reader joined by the digests on their spans.

Inside one process the links are recorded as it happens, by `otel_mas.record.content.provenance`; the rules here are the
same. An actor is identified by the names of the spans around it; a message that it has read is its own from then on;
spans inside or around it are the same actor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from otel_mas.causal.forest import ROOT, Forest
from otel_mas.semconv import Operation, RecordKind
from otel_mas.semconv import attributes as names

_MODEL = "model calls"
_ACTORS = frozenset((RecordKind.LLM_CALL, RecordKind.TOOL_CALL, RecordKind.AGENT_TASK))
_AGENT = Operation.INVOKE_AGENT.value

Path = tuple[str, ...]


def reads_across_processes(forest: Forest, texts: Callable[[object], list[str]]) -> Iterator[tuple[int, int]]:
    """(writer, reader) of every message that was read in another process than it was written in.

    Nothing is looked at, and no body decoded, where all spans are of one process.
    """
    process = forest.spans.processes()
    if len(set(process)) > 1:
        yield from _ReadsAcrossProcesses(forest, process, texts).joined()


class Actors:
    """Actors of a forest by their paths: the names of the tasks and agents around a span, and what it is itself."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._paths: dict[int, Path] = {}

    def path(self, i: int) -> Path:
        """The path of a span, the outermost name first."""
        known = self._paths.get(i)
        if known is not None:
            return known
        chain: list[int] = []
        above = i
        while above != ROOT and above not in self._paths:
            chain.append(above)
            above = self._forest.parent[above]
        path = self._paths[above] if above != ROOT else ()
        for one in reversed(chain):
            path = self._paths[one] = (*path, *self._own_name(one))
        return path

    def _own_name(self, i: int) -> Iterator[str]:
        span = self._forest.spans[i]
        if span.task_name is not None:
            yield str(span.task_name)
        elif span.record_kind == RecordKind.LLM_CALL:
            yield _MODEL
        elif span.record_kind == RecordKind.TOOL_CALL:
            yield str(span.columns.get(names.GEN_AI_TOOL_NAME))
        elif span.columns.get(names.GEN_AI_OPERATION_NAME) == _AGENT:
            yield str(span.agent or "")


class _ReadsAcrossProcesses:
    """Reads and writes in the order of time."""

    def __init__(self, forest: Forest, process: Sequence[object], texts: Callable[[object], list[str]]) -> None:
        self._forest = forest
        self._process = process
        self._texts = texts
        self._path = Actors(forest).path
        self._written: dict[str, list[int]] = defaultdict(list)
        self._history: dict[Path, set[str]] = defaultdict(set)
        self._seen: set[str] = set()

    def joined(self) -> Iterator[tuple[int, int]]:
        start, end = self._forest.start, self._forest.end
        # At one instant what ends comes before what starts; what is inside ends before what is around it.
        acts = [
            act
            for i, kind in enumerate(self._forest.spans.column(names.MAS_RECORD_KIND))
            if kind in _ACTORS
            for act in ((end[i], 0, -i), (start[i], 1, i))
        ]
        for _, begins, number in sorted(acts):
            if begins:
                yield from self._reads(number)
            else:
                self._leaves(-number)

    def _reads(self, reader: int) -> Iterator[tuple[int, int]]:
        digests = self._texts(self._forest.spans[reader].get(names.MAS_INPUT_MESSAGES))
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
            if self._process[writer] != self._process[reader] and not same_actor(path, self._path(writer)):
                yield writer, reader

    def _leaves(self, i: int) -> None:
        span = self._forest.spans[i]
        self._history[self._path(i)].update(self._texts(span.get(names.MAS_INPUT_MESSAGES)))
        path = self._path(i)
        for digest in self._texts(span.get(names.MAS_OUTPUT_MESSAGES)):
            if span.record_kind == RecordKind.AGENT_TASK and (digest in self._written or digest in self._seen):
                continue  # it hands on what was there, or what was written inside of it
            self._written[digest].append(i)
            for reader, history in self._history.items():
                if not same_actor(reader, path):
                    history.discard(digest)


def same_actor(one: Path, other: Path) -> bool:
    """Whether two paths are of one actor: one of them begins with the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
