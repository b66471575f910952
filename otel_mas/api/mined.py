"""Patterns of many runs, mined from the traces that match: topology, variants, rare paths and hot spots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar, TypeVar

from otel_mas.analyse.mining.figures import Run, workflow_of
from otel_mas.analyse.mining.hot_spots import HotSpotMiner, MinedHotSpot
from otel_mas.analyse.mining.rare_paths import RarePath, rare_paths
from otel_mas.analyse.mining.steps import Steps
from otel_mas.analyse.mining.topology import MinedEdge, MinedNode, TopologyMiner
from otel_mas.analyse.mining.variants import Variant, VariantMiner
from otel_mas.api.queries import list_traces
from otel_mas.api.query_answers import Answer, AnswerT
from otel_mas.causal import build
from otel_mas.errors import TraceNotFound, UnsupportedQuery, arguments
from otel_mas.model import Query, Trace
from otel_mas.sources import Source as Port
from otel_mas.sources.base import ReadsColumns
from otel_mas.sources.server import download_once

if TYPE_CHECKING:
    import networkx

    from otel_mas.report.topology_picture import Picture

T = TypeVar("T")


class Patterns(Answer[T]):
    """Patterns of many runs, which can be had as a page."""

    heading: ClassVar[str]

    def to_html(self) -> str:
        """A page, which loads nothing and runs no script."""
        from otel_mas.report.html.patterns import table_page
        from otel_mas.report.query_tables import TABLES

        return table_page(self.heading, TABLES[self.name](self, None), self._notes(), f"otel-mas {version('otel-mas')}")

    def _notes(self) -> list[str]:
        """Notes about traces that the answer was not made from."""
        notes = ["The newest traces alone were read: older ones may match."] if self.limited else []
        return notes + ([self.incomplete] if self.incomplete else [])


class TopologyNodes(Patterns[MinedNode]):
    """Agents, nodes, tools, retrievers and models of many runs, by workflow, those that ran most first."""

    name = "nodes"
    heading = "Agents, nodes, tools and models of many runs"


class Topology(Patterns[MinedEdge]):
    """Edges of the topology that many runs took, by workflow, those that were taken most first."""

    name = "topology"
    heading = "Who leads to whom, over many runs"

    def __init__(self, edges: Iterable[MinedEdge] = (), nodes: Iterable[MinedNode] = (), runs: int = 0) -> None:
        super().__init__(edges)
        self.nodes = TopologyNodes(nodes)
        self.further = (self.nodes,)
        self.runs = runs
        """Number of runs that it was mined from."""

    def to_html(self) -> str:
        """A page with the picture and both tables, which loads nothing and runs no script."""
        from otel_mas.report.html.patterns import topology_page

        return topology_page(self.heading, self, self.nodes, self._notes(), f"otel-mas {version('otel-mas')}")

    def to_svg(self) -> str:
        """The picture as a file of its own; of very many edges those that are taken most."""
        from otel_mas.report.svg.topology import document

        return document(self._picture())

    def to_dot(self) -> str:
        """The same for Graphviz."""
        from otel_mas.report.topology_text import dot

        return dot(self._picture())

    def to_mermaid(self) -> str:
        """The same as a flowchart of Mermaid."""
        from otel_mas.report.topology_text import mermaid

        return mermaid(self._picture())

    def to_networkx(self) -> networkx.MultiDiGraph[tuple[str, str, str]]:
        """All of it. Nodes: workflow, kind and name, with "node" (None for START and EARLIER); edges with "edge"."""
        import networkx

        from otel_mas.report.topology_picture import Picture

        picture = Picture.of(self, self.nodes, most=None, models=True)
        graph: networkx.MultiDiGraph[tuple[str, str, str]] = networkx.MultiDiGraph()
        graph.add_nodes_from((place, {"node": node}) for place, node in picture.nodes.items())
        for arrow in picture.arrows:
            graph.add_edge(arrow.cause, arrow.effect, (arrow.edge.kind, arrow.edge.provenance), edge=arrow.edge)
        return graph

    def _picture(self) -> Picture:
        from otel_mas.report.topology_picture import Picture

        return Picture.of(self, self.nodes)

    def _repr_html_(self) -> str:
        from otel_mas.report.html.block import block
        from otel_mas.report.html.patterns import topology

        return block(topology(self, self.nodes))


class Variants(Patterns[Variant]):
    """Variants of workflows by structure, in each workflow the most frequent first."""

    name = "variants"
    heading = "Variants of workflows"


class RarePaths(Patterns[RarePath]):
    """Edges and variants that few runs take, the rarest first."""

    name = "rare_paths"
    heading = "Rare paths"


class HotSpots(Patterns[MinedHotSpot]):
    """Hot spots over many runs, the most self time first."""

    name = "hot_spots"
    heading = "Hot spots"


class MinedRuns:
    """The traces that match, read one after the other, with the steps of each."""

    def __init__(self, port: Port, query: Query, workflow: str | None) -> None:
        self._port = port
        self._workflow = None if workflow is None else arguments.name("workflow", workflow)
        self._found = list_traces(port, query)
        self._limited = len(self._found) == query.limit
        self._gone = 0
        self._without_steps = 0

    def __iter__(self) -> Iterator[tuple[Run, Steps]]:
        """Each run with its steps, the newest first; those without a step of an agent, tool or model are left out."""
        wanted = {one.trace_id: one for one in self._found if self._workflow in (None, workflow_of(one))}
        self._gone = len(wanted)
        for number, trace in enumerate(self._read(list(wanted))):
            self._gone -= 1
            steps = Steps(build([trace]))
            if steps.spans:
                yield Run.of(number, wanted[trace.trace_id], steps.call_costs()), steps
            else:
                self._without_steps += 1

    def _read(self, trace_ids: Sequence[str]) -> Iterator[Trace]:
        """These traces, without those that were deleted since they were listed."""
        if isinstance(self._port, ReadsColumns):
            yield from self._port.columns_of(trace_ids)
            return
        for trace_id in trace_ids:
            with suppress(TraceNotFound):
                yield self._port.trace(trace_id)

    def like(self, answer: AnswerT) -> AnswerT:
        """The answer with what is missing of these runs."""
        notes = [self._found.incomplete]
        if self._gone:
            notes.append(f"{_were(self._gone)} deleted while others were read")
        if self._without_steps:
            notes.append(f"{_were(self._without_steps)} left out: no step of an agent, tool or model")
        answer.limited, answer.incomplete = self._limited, "; ".join(filter(None, notes)) or None
        return answer


def _were(traces: int) -> str:
    return "1 trace was" if traces == 1 else f"{traces:,} traces were"


def find_topology(port: Port, query: Query, workflow: str | None) -> Topology:
    """The topology of the traces that match. Raises `UnsupportedQuery` for what the source cannot select by."""
    miner = TopologyMiner()
    runs = _mined(port, query, workflow, miner.add)
    found = miner.topology()
    answer = runs.like(Topology(found.edges, found.nodes, found.runs))
    runs.like(answer.nodes)
    return answer


def find_variants(port: Port, query: Query, workflow: str | None, *, loops: bool) -> Variants:
    """The variants of the traces that match. Raises `UnsupportedQuery` for what the source cannot select by."""
    miner = VariantMiner(loops=loops)
    runs = _mined(port, query, workflow, miner.add)
    return runs.like(Variants(miner.variants()))


def find_rare_paths(port: Port, query: Query, workflow: str | None, below: float | None) -> RarePaths:
    """The rare paths of the traces that match.

    Raises:
        UnsupportedQuery: The share is none, or the source cannot select by something.
    """
    if below is None or not 0 < below <= 1:
        raise UnsupportedQuery(f"a share of runs is above 0 and 1 at most, not {below}: 0.05 is one run in twenty")
    topology, variants = TopologyMiner(), VariantMiner()
    runs = _mined(port, query, workflow, topology.add, variants.add)
    return runs.like(RarePaths(rare_paths(topology, variants, below)))


def find_hot_spots(port: Port, query: Query, workflow: str | None) -> HotSpots:
    """The hot spots of the traces that match. Raises `UnsupportedQuery` for what the source cannot select by."""
    miner = HotSpotMiner()
    runs = _mined(port, query, workflow, miner.add)
    return runs.like(HotSpots(miner.hot_spots()))


def _mined(port: Port, query: Query, workflow: str | None, *adders: Callable[[Run, Steps], object]) -> MinedRuns:
    """The runs, after each was given to the miners; nothing of a run is kept but what they keep."""
    with download_once(listed=not isinstance(port, ReadsColumns)):
        runs = MinedRuns(port, query, workflow)
        for run, steps in runs:
            for add in adders:
                add(run, steps)
    return runs


__all__ = [
    "HotSpots",
    "RarePaths",
    "Topology",
    "TopologyNodes",
    "Variants",
    "find_hot_spots",
    "find_rare_paths",
    "find_topology",
    "find_variants",
]
