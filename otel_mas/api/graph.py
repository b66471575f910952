"""The handle on what caused what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from otel_mas.causal import CausalGraph, Edge, build
from otel_mas.model import Span, Trace, without_outside_evaluations

if TYPE_CHECKING:
    import networkx
    import pandas
    import pyarrow

    from otel_mas.api.answers import CostTable, CriticalPath
    from otel_mas.api.what_if import Groups, WhatIf


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

    @cached_property
    def judged(self) -> CausalGraph:
        """The graph of the run alone, in which faults are looked for: without feedback and findings about it."""
        traces = tuple(map(without_outside_evaluations, self._traces))
        same = all(one is other for one, other in zip(traces, self._traces, strict=True))
        return self.causal if same else build(traces, whole=self._whole)

    @property
    def spans(self) -> tuple[Span, ...]:
        """In start order."""
        return self.causal.spans

    @property
    def edges(self) -> tuple[Edge, ...]:
        """From cause to effect, with kind and provenance."""
        return self.causal.edges

    @property
    def possible_edges(self) -> tuple[Edge, ...]:
        """Causes that are less likely than not, with their probability; they are not among the edges.

        Only of spans that another instrumentation recorded.
        """
        return self.causal.possible_edges

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
        return (*((self._incomplete,) if self._incomplete else ()), *self.causal.incomplete, *self.causal.problems)

    def to_networkx(self) -> networkx.MultiDiGraph[str]:
        """Nodes: span ids (hex) with "span". Edges: from cause to effect.

        Edges have "kind", "provenance" and, where that is known of an inferred one, "probability".
        """
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

    def what_if(
        self,
        *,
        faster: Mapping[str, float] | None = None,
        lasting: Mapping[str, str | float] | None = None,
        parallel: Groups = (),
        without: str | Collection[str] = (),
        models: Mapping[str, str] | None = None,
        retries: bool = True,
        waiting: bool = True,
        barriers: bool = True,
    ) -> WhatIf:
        """The run as it would have been: end, cost and critical path under all of these changes at once.

        Names are those of agents, tasks (or their labels), tools, models, or ids of spans. If a name means several
        things, a kind goes before it: `tool:search`.

        Args:
            faster: By name, how many times as fast it is, with all that is inside; below 1 it is slower.
            lasting: By name, how long it takes each time: "200ms", or seconds.
            parallel: Names that run side by side, or several groups of such; what carries control or data is held.
            without: Names that take no time and cost nothing; their effects follow their causes.
            models: By name of a model the one that is called instead, with the same tokens; `faster` says how fast.
            retries: False leaves out attempts that failed and were repeated.
            waiting: False leaves out waits for people, for the next invocation, and for the next attempt.
            barriers: False lets tasks wait for their causes alone, not for LangGraph's steps or for a free place.

        Raises:
            UnsupportedQuery: The run has nothing of a name, or a change cannot be made.
        """
        from otel_mas.api.what_if import WhatIf, changes_of

        changes = changes_of(faster, lasting, parallel, without, models, retries, waiting, barriers)
        return WhatIf.of(self.causal, changes)

    def slack_ns(self) -> Mapping[str, int | None]:
        """By span id: by how many ns it alone may last longer before the run ends later. None: nothing waits for it."""
        from otel_mas.causal.schedule import slack

        return slack(self.causal)

    def drag_ns(self, *, exclusive: bool = False) -> Mapping[str, int]:
        """By span id: by how many ns sooner the run ends if the span takes no time; 0 off the critical path.

        Args:
            exclusive: Only its own time goes, not that of its children.
        """
        from otel_mas.causal.schedule import reschedule

        schedule = reschedule(self.causal)
        return schedule.exclusive_drag_ns if exclusive else schedule.drag_ns

    def ideal(self) -> WhatIf:
        """The run if each task had waited for its causes alone: `what_if(barriers=False)`."""
        return self.what_if(barriers=False)

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
