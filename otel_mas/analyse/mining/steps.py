"""The steps of one run and what led to each, in columns: no object is made for any span of ours.

A step is an execution of a task, agent, tool, retriever or model (`otel_mas.analyse.executions`). It is led to by

* the step that caused it, by one of `LinkKind`; a message leads from the task or agent that wrote it to the one that
  read it;
* `child`: the task or agent around it, where nothing else caused it;
* `use`: of a tool, retriever or model the step that it ran in;
* `start`: of the run `START`, where nothing did; `EARLIER`, where the cause lies in another trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cached_property, lru_cache
from typing import ClassVar, Final, NamedTuple

from otel_mas.analyse.executions import ExecutionKind
from otel_mas.analyse.mining.figures import Figures
from otel_mas.analyse.model_calls import model_calls, price_of, token_count
from otel_mas.causal import CHILD, CausalGraph
from otel_mas.causal.forest import ROOT, nearest
from otel_mas.causal.links import RECORDED
from otel_mas.model import StatusCode
from otel_mas.semconv import LinkKind, Operation, RecordKind, RunOutcome, TaskOutcome, record_kind
from otel_mas.semconv import attributes as names

USE: Final = "use"
BEGIN: Final = "start"
START, EARLIER = "START", "EARLIER"
_START, _EARLIER = -1, -2

_TASK, _AGENT, _MODEL = ExecutionKind.TASK.value, ExecutionKind.AGENT.value, ExecutionKind.MODEL.value
_WORKERS = (_TASK, _AGENT)
_OF_RECORDS = {
    RecordKind.AGENT_TASK: _TASK,
    RecordKind.TOOL_CALL: ExecutionKind.TOOL.value,
    RecordKind.RETRIEVAL: ExecutionKind.RETRIEVAL.value,
    RecordKind.LLM_CALL: _MODEL,
}
_PLAIN = (LinkKind.TRIGGER, CHILD, BEGIN)


class Node(NamedTuple):
    """One agent, node, tool, retriever or model, or `START` or `EARLIER`, which are of the kind ""."""

    kind: str
    """One of `ExecutionKind`."""
    name: str
    """The path of a node or of the agent that it is, `researcher/model`; the name of another agent, tool or model."""


Transition = tuple[int, int, str, str, int | None]
"""One step led to another: cause and effect by number, kind, provenance and wait.

The cause may be `START` or `EARLIER`, which `Steps.node` knows. The wait is from the end of the cause to the start of
the effect, in ns; None where the effect ran inside of it, or has no cause here. A plain tuple: there are many.
"""


class Steps:
    """The steps of one trace, in start order, by number. Times in ns since the epoch."""

    ends_of_runs: ClassVar[Mapping[int, Node]] = {_START: Node("", START), _EARLIER: Node("", EARLIER)}
    """Nodes of causes that are no step."""

    def __init__(self, graph: CausalGraph) -> None:
        self.graph = graph
        self._table = graph.table
        self._labels = graph.numbered_labels
        self._find()
        self._measure()
        self.probabilities: dict[tuple[int, int, str], float] = {}
        """Probabilities of inferred transitions that have one, by cause, effect and kind; filled with `transitions`."""

    @cached_property
    def transitions(self) -> Sequence[Transition]:
        """Transitions of the run, those by links and stable keys first."""
        return list(self._transitions())

    def node(self, number: int) -> Node:
        """The node of a step."""
        return self.nodes[number] if number >= 0 else self.ends_of_runs[number]

    def label(self, number: int) -> str:
        """The label of a task with its number, `researcher#1/model#2`; of others the name of the node."""
        if number < 0:
            return self.ends_of_runs[number].name
        span = self.spans[number]
        is_task = self.kinds[number] in _WORKERS and span in self._labels.part
        return self._labels.full(span) if is_task else self.nodes[number].name

    def call_costs(self) -> Iterator[float]:
        """The cost in USD of each model call that has a price."""
        for kind, cost in zip(self.kinds, self.costs, strict=True):
            if kind == _MODEL and cost is not None:
                yield cost

    def path(self, number: int) -> str:
        """The name of the node of a step."""
        return self.node(number).name

    def _find(self) -> None:
        """The spans that are steps; of an agent inside a task of the same id both are one."""
        tasks = self._table.column(names.MAS_TASK_ID)
        kinds, self.ignored = _kinds(self.graph)
        """`ignored`: spans of model calls that are steps by another span."""
        around = nearest(self.graph.parents, [kind is not None for kind in kinds])
        again = [
            i
            for i, (kind, above) in enumerate(zip(kinds, around, strict=True))
            if kind in _WORKERS and above != ROOT and tasks[i] and tasks[i] == tasks[above]
        ]
        for i in again:
            kinds[around[i]] = _AGENT if kinds[i] == _AGENT else kinds[around[i]]
            kinds[i] = None
        self.spans = [i for i, kind in enumerate(kinds) if kind is not None]
        self.kinds = [kind for kind in kinds if kind is not None]
        number = dict(zip(self.spans, range(len(self.spans)), strict=True))
        if again:
            around = nearest(self.graph.parents, [kind is not None for kind in kinds])
        self.owners = [number.get(around[i], _START) for i in self.spans]
        """The step around each, or -1."""
        self.of_span = [number[i] if i in number else number.get(around[i], _START) for i in range(len(kinds))]
        """For each span the step that it is or belongs to, or -1."""
        self.nodes = list(map(Node, self.kinds, self._names()))

    def _names(self) -> Iterator[str]:
        """The name of the node of each step."""
        table, labels = self._table, self._labels
        agents, tools = table.column(names.GEN_AI_AGENT_NAME), table.column(names.GEN_AI_TOOL_NAME)
        answered, asked = table.column(names.GEN_AI_RESPONSE_MODEL), table.column(names.GEN_AI_REQUEST_MODEL)
        for i, kind in zip(self.spans, self.kinds, strict=True):
            if kind in _WORKERS and i in labels.name:
                yield labels.path(i)
            elif kind == _MODEL:
                yield str(answered[i] or asked[i] or table.names[i])
            else:
                given = agents[i] if kind == _AGENT else None if kind == _TASK else tools[i]
                yield str(given or table.names[i])

    def _measure(self) -> None:
        table, spans = self._table, self.spans
        unfinished = frozenset(table.open_spans)
        outcomes = table.column(names.MAS_TASK_OUTCOME)
        self.starts = [table.starts[i] for i in spans]
        self.ends = [self.graph.ends[i] for i in spans]
        suspects = self._with_errors()
        failed = [
            outcomes[i] == TaskOutcome.ERROR if outcomes[i] else i in suspects and i not in unfinished for i in spans
        ]
        durations = [
            None if i in unfinished or outcomes[i] == TaskOutcome.INTERRUPTED else end - start
            for i, start, end in zip(spans, self.starts, self.ends, strict=True)
        ]
        read, wrote, prices = map(
            table.column, (names.GEN_AI_USAGE_INPUT_TOKENS, names.GEN_AI_USAGE_OUTPUT_TOKENS, names.MAS_COST_USD)
        )
        self.input_tokens, self.output_tokens = [0] * len(spans), [0] * len(spans)
        """Usage of the model calls inside each, or of the call that it is."""
        self.costs: list[float | None] = [None] * len(spans)
        """The same in USD; None where none has a price."""
        for call, kind in enumerate(self.kinds):
            if kind == _MODEL:
                i = spans[call]
                self._add_usage(call, token_count(read[i]), token_count(wrote[i]), price_of(prices[i]))
        self.figures: Sequence[Figures] = list(
            zip(failed, durations, self.input_tokens, self.output_tokens, self.costs, strict=True)
        )
        """Figures of each step. One that has not ended, or has paused, has no duration."""

    def _with_errors(self) -> frozenset[int]:
        """The spans in which an error happened or through which one passed."""
        table = self._table
        found = {i for i, _ in table.having(names.MAS_ERROR_SPAN)}
        found.update(i for i, outcome in table.having(names.MAS_RUN_OUTCOME) if outcome == RunOutcome.ERROR)
        if StatusCode.ERROR in table.statuses:
            found.update(i for i, status in enumerate(table.statuses) if status == StatusCode.ERROR)
        return frozenset(found)

    def _add_usage(self, number: int, read: int, wrote: int, price: float | None) -> None:
        """Add the usage of a model call to it and to every step around it."""
        if not read and not wrote and price is None:
            return
        while number >= 0:
            self.input_tokens[number] += read
            self.output_tokens[number] += wrote
            if price is not None:
                self.costs[number] = (self.costs[number] or 0.0) + price
            number = self.owners[number]

    def _transitions(self) -> Iterator[Transition]:
        caused = [False] * len(self.spans)
        for transition in self._caused():
            if transition[2] != LinkKind.MESSAGE:
                caused[transition[1]] = True
            yield transition
        earlier = self._resumed()
        for number, kind in enumerate(self.kinds):
            owner = self.owners[number]
            if owner < 0:
                if not caused[number]:
                    cause = _EARLIER if number in earlier else _START
                    yield cause, number, BEGIN, RECORDED, None
            elif kind not in _WORKERS:
                yield owner, number, USE, RECORDED, None
            elif not caused[number]:
                yield owner, number, CHILD, RECORDED, None

    def _caused(self) -> Iterator[Transition]:
        """Transitions by links and stable keys, each pair of steps once for each kind."""
        known = set()
        likely = self.graph.link_probabilities
        for place, (cause, effect, kind, provenance) in enumerate(self.graph.links):
            one, other = self.of_span[cause] if cause >= 0 else _EARLIER, self.of_span[effect]
            if kind == LinkKind.MESSAGE:
                one, other = self.worker(one), self.worker(other)
            if other < 0 or one == _START or one in (other, self.owners[other]) or (one, other, kind) in known:
                continue
            known.add((one, other, kind))
            if place in likely:
                self.probabilities[one, other, kind] = likely[place]
            wait = None if cause < 0 else max(0, self.starts[other] - self.graph.ends[cause])
            yield one, other, kind, provenance, wait

    def worker(self, number: int) -> int:
        """The task or agent that a step is or belongs to, or -1."""
        while number >= 0 and self.kinds[number] not in _WORKERS:
            number = self.owners[number]
        return number

    def _resumed(self) -> frozenset[int]:
        """The steps whose causes have a stable key that leads to no span of this trace."""
        refs = self._table.having(names.MAS_CAUSE_REFS)
        return frozenset(self.of_span[i] for i, _ in refs)


def edge_text(cause: str, kind: str, effect: str) -> str:
    """An edge for people: `researcher → editor (send)`, `researcher ⇒ search` of what it uses."""
    if kind == USE:
        return f"{cause} ⇒ {effect}"
    return f"{cause} → {effect}" + ("" if kind in _PLAIN else f" ({kind})")


@lru_cache(maxsize=1024)
def _kind_of(recorded: str | None, operation: str | None, named: bool) -> str | None:
    """The kind of step that a span is by its columns."""
    if operation == Operation.INVOKE_AGENT and named:
        return _AGENT
    kind = recorded or (record_kind(operation) if isinstance(operation, str) else None)
    return _OF_RECORDS.get(RecordKind(kind)) if kind in _OF_RECORDS else None


def _kinds(graph: CausalGraph) -> tuple[list[str | None], Sequence[int]]:
    """The kind of step that each span is, None for others, and the spans of model calls that were recorded twice."""
    table = graph.table
    recorded, operations = (
        [value if isinstance(value, str) else None for value in table.column(name)]
        for name in (names.MAS_RECORD_KIND, names.GEN_AI_OPERATION_NAME)
    )
    agents = map(bool, table.column(names.GEN_AI_AGENT_NAME))
    unrecorded = [i for i, operation in enumerate(operations) if operation and not recorded[i]]
    found = list(map(_kind_of, recorded, operations, agents))
    foreign = [i for i in {*table.foreign(), *unrecorded} if found[i] is not None]
    ignored: list[int] = []
    if foreign:
        _leave_retold(graph, found, frozenset(foreign))
    if any(found[i] == _MODEL for i in foreign) or _nested(graph, [kind == _MODEL for kind in found]):
        counted = {table.numbers[call.span.span_id] for call in model_calls(graph.spans)}
        ignored = [i for i, kind in enumerate(found) if kind == _MODEL and i not in counted]
        for i in ignored:
            found[i] = None
    return found, ignored


def _leave_retold(graph: CausalGraph, found: list[str | None], foreign: Set[int]) -> None:
    """Agents that stand for a graph's run which we recorded, too: some instrumentors call every graph an agent."""
    tasks = graph.table.having(names.MAS_RECORD_KIND)
    if any(kind == RecordKind.AGENT_TASK and i not in foreign for i, kind in tasks):
        for i in foreign:
            if found[i] == _AGENT and "langchain" in graph.table[i].scope.name:
                found[i] = None


def _nested(graph: CausalGraph, calls: Sequence[bool]) -> bool:
    """Whether a model call is inside another one."""
    parents = graph.parents
    if not any(calls[above] for above in parents if above != ROOT):
        return False
    around = nearest(parents, calls)
    return any(call and around[i] != ROOT for i, call in enumerate(calls))


__all__ = ["BEGIN", "EARLIER", "START", "USE", "Node", "Steps", "Transition", "edge_text"]
