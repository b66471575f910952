"""The topology that many runs took: who led to whom, how, how often, after which wait and at what cost."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import fsum

from otel_mas.analyse.mining.figures import Counted, Figures, Run, median_and_p95
from otel_mas.analyse.mining.steps import EARLIER, START, Node, Steps, Transition
from otel_mas.causal.links import INFERRED


@dataclass(frozen=True, slots=True)
class MinedNode:
    """An agent, node, tool, retriever or model over the runs of one workflow. Times in ns.

    Tokens and cost are those of the model calls inside it, so that an agent's are counted in the agent around it, too.
    """

    workflow: str
    kind: str
    """agent, task, tool, retrieval or model."""
    name: str
    executions: int
    runs: int
    """Runs in which it was executed."""
    share: float
    """The same as a part of the workflow's runs."""
    errors: int
    """Executions that failed, or that an error passed through."""
    duration_p50_ns: int | None
    """Median over the executions that have ended and did not pause."""
    duration_p95_ns: int | None
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """None where no model call has a price."""
    example_trace: str

    @property
    def error_rate(self) -> float:
        """Part of the executions that failed."""
        return self.errors / self.executions


@dataclass(frozen=True, slots=True)
class MinedEdge:
    """One agent, node, tool or model that led to another in one way, over the runs of one workflow. Times in ns.

    Durations, errors, tokens and cost are those of the executions that it led to, each once: a join takes an edge
    several times to one execution.
    """

    workflow: str
    cause: str
    """Name of the node; START, or EARLIER for a cause in another trace."""
    cause_kind: str
    effect: str
    effect_kind: str
    kind: str
    """A `LinkKind` (trigger, send, handoff, call, message, ...), child, use or start."""
    provenance: str
    """recorded, metadata or inferred: an edge that is known is never counted together with one that is a guess."""
    count: int
    """How often it was taken: pairs of a cause and an effect."""
    executions: int
    """Executions that it led to."""
    runs: int
    """Runs that took it."""
    share: float
    """The same as a part of the workflow's runs."""
    confidence: float | None
    """Mean probability that an edge which was inferred is right; None of those that are known, or if nothing tells."""
    probability: float | None
    """Part of the cause's executions that led to the effect in this way; of START: of the runs; None after EARLIER."""
    wait_p50_ns: int | None
    """From the end of the cause to the start of the effect; None where the effect runs inside of its cause."""
    wait_p95_ns: int | None
    duration_p50_ns: int | None
    duration_p95_ns: int | None
    errors: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    example_trace: str

    @property
    def error_rate(self) -> float:
        """Part of the executions led to that failed."""
        return self.errors / self.executions


@dataclass(frozen=True, slots=True)
class MinedTopology:
    """Nodes and edges of many runs, by workflow, each of those that ran or were taken most first."""

    runs: int
    nodes: tuple[MinedNode, ...]
    edges: tuple[MinedEdge, ...]


_EdgeKey = tuple[str, Node, Node, str, str]


class _Taken(Counted):
    """An edge as it is counted."""

    __slots__ = ("causes", "probabilities", "times", "waits")

    def __init__(self) -> None:
        super().__init__()
        self.times = 0
        self.causes = 0
        """Executions of the cause that took it."""
        self.waits = array("q")
        self.probabilities = array("d")
        """Those of guesses."""


class TopologyMiner:
    """Counts the nodes and edges of runs that are added one after the other; memory grows by numbers only."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._workflows: dict[str, int] = {}
        self._nodes: defaultdict[tuple[str, Node], Counted] = defaultdict(Counted)
        self._edges: defaultdict[_EdgeKey, _Taken] = defaultdict(_Taken)

    def add(self, run: Run, steps: Steps) -> None:
        """Add a run."""
        self.runs.append(run)
        self._workflows[run.workflow] = self._workflows.get(run.workflow, 0) + 1
        number = len(self.runs) - 1
        here: dict[Node, list[Figures]] = defaultdict(list)
        for node, figures in zip(steps.nodes, steps.figures, strict=True):
            here[node].append(figures)
        for node, found in here.items():
            self._nodes[run.workflow, node].add(number, found)
        self._add_edges(run.workflow, number, steps)

    def _add_edges(self, workflow: str, number: int, steps: Steps) -> None:
        here: dict[tuple[Node, Node, str, str], list[Transition]] = defaultdict(list)
        nodes, ends = steps.nodes, steps.ends_of_runs
        for transition in steps.transitions:
            cause, effect, kind, provenance, _ = transition
            here[nodes[cause] if cause >= 0 else ends[cause], nodes[effect], kind, provenance].append(transition)
        for key, found in here.items():
            taken = self._edges[workflow, *key]
            taken.times += len(found)
            taken.waits.extend([wait_ns for *_, wait_ns in found if wait_ns is not None])
            if key[3] == INFERRED:
                taken.probabilities.extend(_likely(steps, found))
            if len(found) == 1:
                taken.causes += 1
                effects: Iterable[int] = (found[0][1],)
            else:
                taken.causes += len({cause for cause, *_ in found})
                effects = {effect for _, effect, *_ in found}
            taken.add(number, [steps.figures[effect] for effect in effects])

    def topology(self) -> MinedTopology:
        """The topology of the runs so far."""
        nodes = sorted(self._mined_nodes(), key=lambda node: (node.workflow, -node.executions, node.kind, node.name))
        return MinedTopology(len(self.runs), tuple(nodes), tuple(edge for edge, _ in self.edges()))

    def edges(self) -> list[tuple[MinedEdge, Sequence[str]]]:
        """The edges, each with the ids of the traces that took it, in the order in which they were added."""
        found = [(self._mined_edge(key, taken), self._traces(taken)) for key, taken in self._edges.items()]
        return sorted(found, key=lambda pair: _order(pair[0]))

    def _mined_nodes(self) -> Iterator[MinedNode]:
        for (workflow, node), counted in self._nodes.items():
            yield MinedNode(
                workflow,
                node.kind,
                node.name,
                counted.count,
                len(counted.runs),
                len(counted.runs) / self._workflows[workflow],
                counted.errors,
                *median_and_p95(counted.durations),
                counted.input_tokens,
                counted.output_tokens,
                counted.cost_usd,
                self.runs[counted.runs[0]].trace_id,
            )

    def _mined_edge(self, key: _EdgeKey, taken: _Taken) -> MinedEdge:
        workflow, cause, effect, kind, provenance = key
        share = len(taken.runs) / self._workflows[workflow]
        if cause.name == START and not cause.kind:
            probability: float | None = share
        else:
            executed = self._nodes.get((workflow, cause))
            probability = None if executed is None else taken.causes / executed.count
        return MinedEdge(
            workflow,
            cause.name,
            cause.kind,
            effect.name,
            effect.kind,
            kind,
            provenance,
            taken.times,
            taken.count,
            len(taken.runs),
            share,
            fsum(taken.probabilities) / len(taken.probabilities) if taken.probabilities else None,
            probability,
            *median_and_p95(taken.waits),
            *median_and_p95(taken.durations),
            taken.errors,
            taken.input_tokens,
            taken.output_tokens,
            taken.cost_usd,
            self.runs[taken.runs[0]].trace_id,
        )

    def _traces(self, taken: Counted) -> Sequence[str]:
        return [self.runs[number].trace_id for number in taken.runs]


def _likely(steps: Steps, found: Iterable[Transition]) -> Iterator[float]:
    """The probabilities of these transitions, as far as they are known."""
    for cause, effect, kind, _, _ in found:
        if (likely := steps.probabilities.get((cause, effect, kind))) is not None:
            yield likely


def _order(edge: MinedEdge) -> tuple[object, ...]:
    outside = edge.cause_kind == "" and edge.cause in (START, EARLIER)
    return edge.workflow, not outside, -edge.count, edge.cause, edge.effect, edge.kind, edge.provenance


__all__ = ["MinedEdge", "MinedNode", "MinedTopology", "TopologyMiner"]
