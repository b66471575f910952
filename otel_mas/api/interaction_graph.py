"""Records as a graph of who caused what, for code that is written against `InteractionGraph`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from otel_mas.api.answers import CriticalPath, Profile
from otel_mas.api.graph import Graph
from otel_mas.errors import arguments
from otel_mas.trace_records.record import OCCURRENCES, TraceRecord
from otel_mas.trace_records.spans import traces_of

if TYPE_CHECKING:
    import networkx

    from otel_mas.analyse.profile import ProfileRow


class InteractionGraph:
    """The causal graph of records: of one trace, or of all traces of a conversation.

    A front of `graph`, which has all other answers. Records of other programs are read by the rules of
    docs/records.md.
    """

    def __init__(self, records: Iterable[TraceRecord]) -> None:
        self.records = arguments.all_of("records", records, TraceRecord)

    def __repr__(self) -> str:
        return f"<InteractionGraph {len(self.records)} records>"

    @cached_property
    def graph(self) -> Graph:
        """The causal graph, as of a trace or a conversation."""
        traces = sorted(traces_of(self.records), key=lambda trace: trace.spans[0].start_ns)
        return Graph(tuple(traces), whole=True)

    @cached_property
    def G(self) -> networkx.DiGraph[str]:  # noqa: N802 - the name that code is written against
        """A node for each span, by the record's `span_id`; an edge from each cause to its effect.

        Nodes have the record's `agent_name`, `event_type`, `timestamp`, `duration_ns` and the `record` itself; one that
        only an edge names has none. Edges have `kind` and `provenance`, and `probability` where that is known of an
        inferred one; where a span caused another in several ways, the way that is no parentage or message.
        """
        import networkx

        found: networkx.DiGraph[str] = networkx.DiGraph()
        by_id = {record.span_id: record for record in self._read if record.event_type not in OCCURRENCES}
        for span_id, record in by_id.items():
            found.add_node(
                span_id,
                agent_name=record.agent_name,
                event_type=record.event_type.value,
                timestamp=record.timestamp,
                duration_ns=record.duration_ns,
                record=record,
            )
        for record in by_id.values():
            if record.parent_span_id is not None:
                found.add_edge(record.parent_span_id, record.span_id, kind="child", provenance="recorded")
            for parent in sorted(record.parents, key=lambda parent: parent.kind != "message"):
                if parent.kind is not None:
                    found.add_edge(parent.span_id, record.span_id, kind=parent.kind, provenance=parent.provenance)
                    if parent.probability is not None:
                        found.edges[parent.span_id, record.span_id]["probability"] = parent.probability
        return found

    def critical_path(self) -> CriticalPath:
        """The steps that its duration is made of, in the order of time, and why each next one waited."""
        return self.graph.critical_path()

    def agent_hotspots(self) -> tuple[ProfileRow, ...]:
        """The time of each agent, the one with the most of the critical path first."""
        rows = (row for row in Profile.of([self.graph.causal], turns=False).by("agent") if row.name is not None)
        return tuple(sorted(rows, key=lambda row: (-row.on_path_ns, -row.wall_ns)))

    @cached_property
    def _read(self) -> list[TraceRecord]:
        """The records as they are understood: with what the given ones leave out."""
        from otel_mas.analyse.records import records

        return records(self.graph.causal)


__all__ = ["InteractionGraph"]
