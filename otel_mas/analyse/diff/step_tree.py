"""The steps of a run as a tree, in columns, each with a name that is the same in each run of the same app."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from otel_mas.causal import CausalGraph
from otel_mas.causal.forest import ROOT, nearest
from otel_mas.model import AttributeValue, Span
from otel_mas.semconv import RecordKind, record_kind
from otel_mas.semconv import attributes as names

TASK, MODEL, TOOL, RETRIEVAL, RUN, OTHER = "task", "model", "tool", "retrieval", "run", "span"
_KINDS: Final = {
    RecordKind.AGENT_TASK: TASK,
    RecordKind.LLM_CALL: MODEL,
    RecordKind.TOOL_CALL: TOOL,
    RecordKind.RETRIEVAL: RETRIEVAL,
    RecordKind.WORKFLOW: RUN,
}
_NAMES: Final = {
    TASK: names.MAS_TASK_NAME,
    TOOL: names.GEN_AI_TOOL_NAME,
    RETRIEVAL: names.GEN_AI_DATA_SOURCE_ID,
    RUN: names.GEN_AI_AGENT_NAME,
}
_WORDS: Final = {TOOL: "tool", RETRIEVAL: "retriever", RUN: "run", OTHER: "span"}
"""Kinds in labels, those of calls as a replay writes them."""
_RECORD_KINDS: Final = frozenset(RecordKind)
Key = tuple[str, str]


def known_kind(kind: AttributeValue, operation: AttributeValue) -> RecordKind | None:
    """The record kind of a span, by its `mas.record.kind` or else its operation; None of a span of other code."""
    if isinstance(kind, str) and kind in _RECORD_KINDS:
        return RecordKind(kind)
    return record_kind(operation) if isinstance(operation, str) else None


class StepTree:
    """The steps of one run, numbered in order of their start; columns are by this number.

    A step is a span, or all spans of one task: its attempts, and those before and after a pause.
    """

    def __init__(self, graph: CausalGraph) -> None:
        self.graph = graph
        table = graph.table
        labels = graph.labels()
        self._task = [labels.get(one) for one in table.ids]
        self.step_of = array("q", [ROOT]) * len(table)
        """The step of each span, by the place of the span in the graph."""
        self.places: list[list[int]] = []
        """Places of the spans of each step, in order of start."""
        self._gather()
        self.parent = array("q", map(self._above, range(len(self.places))))
        """The step around each step, -1 of the outermost."""
        self._cut_cycles()
        first = [places[0] for places in self.places]
        kinds = self._kinds()
        self.kind = [kinds[place] for place in first]
        """task, model, tool, retrieval, run, span, or another record kind in lower case."""
        self.name = self._names(first)
        self.start = array("q", (table.starts[place] for place in first))
        """Nanoseconds since the Unix epoch."""
        self.end = array("q", (max(graph.ends[place] for place in places) for places in self.places))
        """The same of the last end; of an open step the last instant seen."""
        self.label = self._labels()
        """Names as `researcher#1/model#2`."""
        self.turn_start, self.turn_end, self._index = self._turns()
        self.children: list[list[int]] = [[] for _ in self.places]
        self.roots: list[int] = []
        for step in sorted(range(len(self)), key=lambda one: (self.turn_start[one], self._index[one], one)):
            (self.roots if self.parent[step] == ROOT else self.children[self.parent[step]]).append(step)

    def __len__(self) -> int:
        return len(self.places)

    def key(self, step: int) -> Key:
        """Kind and name; of a model call the kind alone, since another model may answer in its place."""
        kind = self.kind[step]
        return kind, "" if kind == MODEL else self.name[step]

    def span(self, step: int) -> Span:
        """The span in which a step ended."""
        return self.graph.table[self.places[step][-1]]

    def spans(self, step: int) -> tuple[Span, ...]:
        """All its spans, in order of start."""
        return tuple(self.graph.table[place] for place in self.places[step])

    def is_open(self, step: int) -> bool:
        """Whether it has not ended."""
        return self.places[step][-1] in self._open

    def in_order(self) -> Iterator[int]:
        """All steps, each after what is around it."""
        waiting = [*reversed(self.roots)]
        while waiting:
            step = waiting.pop()
            yield step
            waiting += reversed(self.children[step])

    def from_inside(self) -> Iterator[int]:
        """All steps, each after those inside it."""
        found: list[int] = []
        waiting = list(self.roots)
        while waiting:
            step = waiting.pop()
            found.append(step)
            waiting += self.children[step]
        return reversed(found)

    def _gather(self) -> None:
        tasks: dict[str, int] = {}
        table = self.graph.table
        for place, label in enumerate(self._task):
            step = len(self.places) if label is None else tasks.setdefault(label, len(self.places))
            if step == len(self.places):
                self.places.append([])
            self.places[step].append(place)
            self.step_of[place] = step
        self._open = set(table.open_spans)

    def _above(self, step: int) -> int:
        """The step around; a task's own agent, which has the task's label, is no step around it."""
        above = self.graph.parents[self.places[step][0]]
        while above != ROOT and self.step_of[above] == step:
            above = self.graph.parents[above]
        return ROOT if above == ROOT else self.step_of[above]

    def _cut_cycles(self) -> None:
        """Take as outermost what would be inside itself: a task in several traces of which the clocks disagree."""
        settled = bytearray(len(self.parent))
        for step in range(len(self.parent)):
            chain = set[int]()
            while step != ROOT and not settled[step]:
                chain.add(step)
                if self.parent[step] in chain:
                    self.parent[step] = ROOT
                step = self.parent[step]
            for one in chain:
                settled[one] = 1

    def _kinds(self) -> Sequence[str]:
        table = self.graph.table
        kinds = map(known_kind, table.column(names.MAS_RECORD_KIND), table.column(names.GEN_AI_OPERATION_NAME))
        return [OTHER if kind is None else _KINDS.get(kind, kind.lower().replace("_", " ")) for kind in kinds]

    def _names(self, first: Sequence[int]) -> list[str]:
        table = self.graph.table
        columns = {kind: table.column(name) for kind, name in _NAMES.items()}
        models = table.column(names.GEN_AI_REQUEST_MODEL), table.column(names.GEN_AI_RESPONSE_MODEL)
        found = []
        for kind, place in zip(self.kind, first, strict=True):
            if kind == MODEL:
                name = models[0][place] or models[1][place]
            else:
                name = columns[kind][place] if kind in columns else None
                if not name and kind == RETRIEVAL:
                    name = table[place].get(_NAMES[kind])
            found.append(str(name or table.names[place]))
        return found

    def _labels(self) -> list[str]:
        """The labels of tasks; of all else the task around, and the how-manieth of its name in this."""
        tasks = [label is not None for label in self._task]
        around = nearest(self.graph.parents, tasks)
        counts: defaultdict[tuple[str, str], int] = defaultdict(int)
        found = []
        for step, places in enumerate(self.places):
            own, above = self._task[places[0]], around[places[0]]
            if own is not None:
                found.append(own)
                continue
            prefix = "" if above == ROOT else self._task[above] or ""
            kind = self.kind[step]
            name = kind if kind == MODEL else f"{_WORDS[kind]}:{self.name[step]}" if kind in _WORDS else self.name[step]
            counts[prefix, name] += 1
            found.append("/".join(filter(None, (prefix, f"{name}#{counts[prefix, name]}"))))
        return found

    def _turns(self) -> tuple[array[int], array[int], Sequence[int]]:
        """When the turn of each step began and ended: tasks of one step of LangGraph take theirs together."""
        table = self.graph.table
        numbers, indices = table.column(names.MAS_TASK_STEP), table.column(names.MAS_TASK_INDEX)
        start, end = self.start[:], self.end[:]
        groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for step, places in enumerate(self.places):
            number = numbers[places[0]]
            if isinstance(number, int) and self.kind[step] == TASK:
                groups[self.graph.parents[places[0]], number].append(step)
        for members in groups.values():
            began, ended = min(self.start[one] for one in members), max(self.end[one] for one in members)
            for one in members:
                start[one], end[one] = began, ended
        given = [indices[places[0]] for places in self.places]
        return start, end, [one if isinstance(one, int) else 0 for one in given]


__all__ = ["MODEL", "OTHER", "RETRIEVAL", "RUN", "TASK", "TOOL", "Key", "StepTree", "known_kind"]
