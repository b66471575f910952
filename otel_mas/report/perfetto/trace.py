"""The packets of a trace: descriptors of tracks, then the slices of each with the flows between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_mas.causal import CHILD, CausalGraph, Edge
from otel_mas.model import Span
from otel_mas.report.certainty import certainty, is_inferred
from otel_mas.report.perfetto import messages
from otel_mas.report.task_labels import TaskLabels
from otel_mas.report.text import plain
from otel_mas.report.tracks import Track, tracks
from otel_mas.semconv import attributes as names

_SEQUENCE: Final = 1
_SHOWN: Final = (
    names.GEN_AI_CONVERSATION_ID,
    names.GEN_AI_AGENT_NAME,
    names.GEN_AI_TOOL_NAME,
    names.GEN_AI_REQUEST_MODEL,
    names.GEN_AI_RESPONSE_MODEL,
    names.GEN_AI_USAGE_INPUT_TOKENS,
    names.GEN_AI_USAGE_OUTPUT_TOKENS,
    names.MAS_COST_USD,
    names.MAS_TASK_NAME,
    names.MAS_TASK_STEP,
    names.MAS_TASK_OUTCOME,
    names.MAS_RUN_OUTCOME,
    names.ERROR_TYPE,
)
"""Attributes shown with a slice, besides its ids and causes; none has content."""


def perfetto(graphs: Sequence[CausalGraph]) -> bytes:
    """The runs as a serialized `perfetto.protos.Trace`, times in ns since the Unix epoch.

    Each service of a run is a process, each track of spans (`report.tracks`) a track of it. A cause has a flow to each
    of its effects that began after it; parents have none, since a slice lies in its parent's.
    """
    trace = messages.Trace()
    writer = _Writer(trace)
    for graph in graphs:
        writer.add(graph)
    return bytes(trace.SerializeToString())


class _Writer:
    """Adds packets to a trace."""

    def __init__(self, trace: Any) -> None:
        self._trace = trace
        self._last_uuid = 0
        self._last_flow = 0

    def add(self, graph: CausalGraph) -> None:
        """Add a run."""
        if not graph.spans:
            return
        self._synchronize(graph.spans[0].start_ns)
        processes: dict[str, int] = {}
        labels = TaskLabels(graph)
        outgoing, incoming = self._flows(graph)
        for track in tracks(graph):
            process = processes.get(track.service)
            if process is None:
                process = processes[track.service] = self._process(graph, track)
            uuid = self._track(track, process)
            for span, at, begins in track.steps():
                packet = self._packet(at)
                packet.track_event.track_uuid = uuid
                packet.track_event.type = messages.SLICE_BEGIN if begins else messages.SLICE_END
                if begins:
                    packet.track_event.flow_ids.extend(outgoing.get(span.span_id, ()))
                    packet.track_event.terminating_flow_ids.extend(incoming.get(span.span_id, ()))
                    self._describe(packet.track_event, span, labels, graph)

    def _packet(self, at: int | None = None) -> Any:
        packet = self._trace.packet.add()
        packet.trusted_packet_sequence_id = _SEQUENCE
        if len(self._trace.packet) == 1:
            packet.sequence_flags = messages.INCREMENTAL_STATE_CLEARED
        if at is not None:
            packet.timestamp = at
        return packet

    def _synchronize(self, at: int) -> None:
        """Say that the trace's clock is the time of day."""
        snapshot = self._packet(at).clock_snapshot
        snapshot.primary_trace_clock = messages.BOOTTIME_CLOCK
        for clock in (messages.BOOTTIME_CLOCK, messages.REALTIME_CLOCK):
            snapshot.clocks.add(clock_id=clock, timestamp=at)

    def _process(self, graph: CausalGraph, track: Track) -> int:
        self._last_uuid += 1
        descriptor = self._packet().track_descriptor
        descriptor.uuid = self._last_uuid
        descriptor.process.pid = self._last_uuid  # the viewer joins what has the same one
        root = graph.roots[0]
        descriptor.process.process_name = f"{plain(track.service or root.name)} {root.trace_id[:8]}"
        descriptor.child_ordering = messages.EXPLICIT_ORDER
        return self._last_uuid

    def _track(self, track: Track, process: int) -> int:
        self._last_uuid += 1
        descriptor = self._packet().track_descriptor
        descriptor.uuid = self._last_uuid
        descriptor.parent_uuid = process
        descriptor.name = track.name
        descriptor.sibling_order_rank = track.number
        return self._last_uuid

    def _flows(self, graph: CausalGraph) -> tuple[Mapping[str, list[int]], Mapping[str, list[int]]]:
        """Ids of the flows that begin and end at each span."""
        outgoing: dict[str, list[int]] = defaultdict(list)
        incoming: dict[str, list[int]] = defaultdict(list)
        starts = {span.span_id: span.start_ns for span in graph.spans}
        for edge in graph.edges:
            if edge.kind == CHILD or edge.cause not in starts or starts[edge.cause] >= starts[edge.effect]:
                continue
            self._last_flow += 1
            outgoing[edge.cause].append(self._last_flow)
            incoming[edge.effect].append(self._last_flow)
        return outgoing, incoming

    def _describe(self, event: Any, span: Span, labels: TaskLabels, graph: CausalGraph) -> None:
        event.name = labels.title(span)
        event.categories.append(span.record_kind or "span")
        notes: dict[str, object] = {"trace_id": span.trace_id, "span_id": span.span_id}
        notes |= {name: span.columns[name] for name in _SHOWN if span.columns.get(name) is not None}
        causes = [edge for edge in graph.causes_of(span.span_id) if edge.kind != CHILD]
        if causes:
            notes["caused by"] = ", ".join(_cause(edge, labels, graph) for edge in causes)
        if span.end_ns is None:
            notes["not ended"] = True
        for name, value in notes.items():
            _note(event.debug_annotations.add(name=name), value)


def _cause(edge: Edge, labels: TaskLabels, graph: CausalGraph) -> str:
    how = f" ({certainty(edge)})" if is_inferred(edge) else ""
    return f"{edge.kind} from {_label(edge.cause, labels, graph)}{how}"


def _label(span_id: str, labels: TaskLabels, graph: CausalGraph) -> str:
    return span_id if span_id in graph.externals else labels.label(graph.span(span_id))


def _note(annotation: Any, value: object) -> None:
    if isinstance(value, bool):
        annotation.bool_value = value
    elif isinstance(value, int) and -(2**63) <= value < 2**63:
        annotation.int_value = value
    elif isinstance(value, float):
        annotation.double_value = value
    else:
        annotation.string_value = plain(value)


__all__ = ["perfetto"]
