"""The handle on what caused what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from otel_mas.causal import CausalGraph, Edge, build
from otel_mas.model import Span, Trace

if TYPE_CHECKING:
    import networkx
    import pandas
    import pyarrow

    from otel_mas.api.answers import CostTable, CriticalPath


class Graph:
    """The causal graph of one trace, or of the traces of a conversation."""

    def __init__(self, traces: tuple[Trace, ...], *, whole: bool = False, incomplete: str | None = None) -> None:
        self._traces = traces
        self._whole = whole
        self._incomplete = incomplete

    def __repr__(self) -> str:
        kinds = Counter(edge.kind for edge in self.edges)
        edges = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "no edges"
        return f"<Graph {len(self.spans)} spans; {edges}>"

    @cached_property
    def causal(self) -> CausalGraph:
        """The graph as the rooms below know it, for `otel_mas.report` and `otel_mas.analyse`."""
        return build(self._traces, whole=self._whole)

    @property
    def spans(self) -> tuple[Span, ...]:
        """In start order."""
        return self.causal.spans

    @property
    def edges(self) -> tuple[Edge, ...]:
        """From cause to effect, with kind and provenance."""
        return self.causal.edges

    def control_edges(self) -> tuple[Edge, ...]:
        """The edges between tasks, without parentage: why each task ran."""
        return self.causal.control_edges()

    def labels(self) -> Mapping[str, str]:
        """Span id → name of each task, the same for every run of the same app: `outer#1/inner#2`."""
        return self.causal.labels()

    @property
    def externals(self) -> tuple[str, ...]:
        """Span ids of causes that lie in other traces."""
        return tuple(self.causal.externals)

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """Problems of the traces and known losses, one line each."""
        missing = [f"trace {trace.trace_id}: {trace.incomplete}" for trace in self._traces if trace.incomplete]
        return (*((self._incomplete,) if self._incomplete else ()), *missing, *self.causal.problems)

    def to_networkx(self) -> networkx.MultiDiGraph[str]:
        """Nodes: span ids (hex) with "span". Edges: from cause to effect, with "kind" and "provenance"."""
        return self.causal.to_networkx()

    def edges_to_pandas(self) -> pandas.DataFrame:
        """Its edges, a row each. Raises `MissingExtra` without pandas."""
        from otel_mas.report import frame

        return frame.edges(self.causal).to_pandas()

    def edges_to_arrow(self) -> pyarrow.Table:
        """Its edges, a row each. Raises `MissingExtra` without pyarrow."""
        from otel_mas.report import frame

        return frame.edges(self.causal).to_arrow()

    def critical_path(self) -> CriticalPath:
        """The critical path: steps in time order, and why each next one waited."""
        return self._critical_path

    def cost(self) -> CostTable:
        """Tokens and USD, by agent and by model."""
        return self._cost

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.graph(self.causal, self.critical_path(), self.problems)

    @cached_property
    def _critical_path(self) -> CriticalPath:
        from otel_mas.api.answers import CriticalPath

        return CriticalPath.of(self.causal)

    @cached_property
    def _cost(self) -> CostTable:
        from otel_mas.analyse.cost import cost
        from otel_mas.api.answers import CostTable

        table = cost(self.spans)
        return CostTable(table.by_agent, table.by_model, table.total, table.unpriced)
